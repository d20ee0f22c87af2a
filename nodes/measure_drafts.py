"""Whether drafts pay on one's own model: one node that expands into measuring and advises for a given time."""

from comfy_api.latest import io

from .host.checked_inputs import checked
from .host.config_in_prompt import connected_settings, must_run_first
from .host.measure_graph import measure_graph
from .host.socket_types import LookaheadConfigSocket
from .host.words_of_positive import words_of_positive
from .ksampler import HANDED_ON, LiDARKSampler
from .settings.definitions import DEFAULTS, budget_input
from .settings.presets import DISTILLED, PRESETS


class LiDARMeasureDrafts(io.ComfyNode):
    @classmethod
    def define_schema(cls):
        return io.Schema(
            node_id="LiDARMeasureDrafts",
            display_name="LiDAR Measure Drafts",
            category="LiDAR",
            description=(
                "Measures on your own model and prompt how well drafts (lookaheads of few steps) foretell the finished "
                "image, and says what to choose for a given time: more images, drafts, or continuing the best."
            ),
            search_aliases=[
                "lidar",
                "measure",
                "draft",
                "benchmark",
                "rho",
                "correlation",
                "best of n",
                "is it worth it",
            ],
            enable_expand=True,
            inputs=[
                *(each for each in LiDARKSampler.define_schema().inputs if each.id not in ("look_first", "picks")),
                io.Int.Input(
                    "pictures",
                    default=32,
                    min=8,
                    max=256,
                    tooltip=(
                        "How many seeds are drawn, each as a draft and as a finished image. 32 tell rho, how well drafts foretell, to "
                        "about +-0.25, 128 to half of that; the time grows with them. 0 is not possible."
                    ),
                ),
                budget_input(**HANDED_ON),
            ],
            hidden=[io.Hidden.unique_id, io.Hidden.dynprompt],
            outputs=[
                io.Image.Output(
                    display_name="chart", tooltip="Draft against finished scores, and the gain over the time."
                ),
                io.String.Output(display_name="report", tooltip="What was measured and what to choose, as text."),
                LookaheadConfigSocket.Output(
                    display_name="lookahead_config", tooltip="The choice for the budget, for LiDAR KSampler."
                ),
            ],
        )

    @classmethod
    def check_lazy_status(cls, **inputs):
        return ["lookahead_config"] if must_run_first(cls.hidden) else []

    # Async for the same reason as LiDAR KSampler: what it expands into must be known before the cache drops it.
    @classmethod
    @checked
    async def execute(cls, cfg, scheduler, lookahead_config=None, lookahead_model=None, **inputs) -> io.NodeOutput:
        if isinstance(inputs["prompt"], str) and not inputs["prompt"].strip():
            inputs["prompt"] = words_of_positive(cls.hidden, inputs["positive"])
        settings = connected_settings(cls.hidden, lookahead_config)
        if (
            not settings and lookahead_model is None
        ):  # cfg and scheduler differ between model families: the user's choice holds
            settings = {name: value for name, value in DEFAULTS.items() if name not in ("cfg", "scheduler")}
        outputs, graph = measure_graph(
            settings or DEFAULTS | PRESETS[DISTILLED],
            cfg=cfg,
            scheduler=scheduler,
            lookahead_model=lookahead_model,
            **inputs,
        )
        return io.NodeOutput(*outputs, expand=graph)
