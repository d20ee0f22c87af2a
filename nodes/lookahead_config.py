"""All settings of LiDAR besides the final sampler's own, as one value and as the node that makes it."""

from dataclasses import dataclass

from comfy_api.latest import io

from .lookahead_presets import CUSTOM, PRESETS, RECOMMENDED
from .setting_inputs import (
    BEST_LOOKAHEADS,
    DIFFERENCE,
    OWN_NOISE,
    batch_size_input,
    guidance_inputs,
    lookahead_sampler_inputs,
    start_from_input,
    steady_scores_input,
)
from .show_on_node import show_on_node
from .socket_types import LookaheadConfigSocket


@dataclass(frozen=True, kw_only=True)
class LookaheadConfig:
    """How lookaheads are drawn and how they guide; the defaults are those of the widgets, the paper's form for SDXL."""

    count: int = 16
    steps: int = 6
    cfg: float = 7.5
    sampler_name: str = "dpmpp_2m"
    scheduler: str = "karras"
    batch_size: int = 16
    guidance_scale: float = 8.0
    reward_strength: float = 5000.0
    reward_scale: str = "standardised"
    start_percent: float = 0.0
    end_percent: float = 0.8
    guidance_form: str = DIFFERENCE
    effective_dimension: float = 0.0
    start_from: str = OWN_NOISE
    steady_scores: bool = False

    def __post_init__(self):
        if self.start_percent > self.end_percent:
            raise ValueError(
                f"LiDAR Lookahead Config: start_percent {self.start_percent:g} is above end_percent {self.end_percent:g}, "
                "so no step would be guided; set start_percent below end_percent."
            )
        if self.start_from not in (OWN_NOISE, BEST_LOOKAHEADS):
            raise ValueError(
                f"LiDAR Lookahead Config: start_from is {self.start_from!r}; set it to {OWN_NOISE} or {BEST_LOOKAHEADS}."
            )

    def summary(self) -> str:
        """Return the settings in two lines for people."""
        return (
            f"{self.count} lookahead{'s' * (self.count > 1)}: {self.steps} steps, cfg {self.cfg:g}, {self.sampler_name}, {self.scheduler}, "
            f"up to {self.batch_size} at a time{', steady scores' * self.steady_scores}\n"
            f"{self.guidance_form}, guidance scale {self.guidance_scale:g}, reward strength {self.reward_strength:g} "
            f"({self.reward_scale}), from {self.start_percent:g} to {self.end_percent:g}, start from {self.start_from}"
        )


class LiDARLookaheadConfig(io.ComfyNode):
    @classmethod
    def define_schema(cls):
        return io.Schema(
            node_id="LiDARLookaheadConfig",
            display_name="LiDAR Lookahead Config",
            category="LiDAR",
            description=(
                "Settings for LiDAR KSampler: how the lookaheads are drawn and how strongly they guide "
                "(arXiv 2602.03211). A preset other than custom replaces the values below."
            ),
            search_aliases=["lidar", "lidar settings", "lidar preset", "lookahead settings"],
            inputs=[
                io.Combo.Input(
                    "preset",
                    options=[CUSTOM, *PRESETS],
                    default=RECOMMENDED,
                    extra_dict={"presets": PRESETS},  # for web/lookahead_presets.js
                    tooltip=(
                        f"{RECOMMENDED}: what guides best by this project's measurements, which were made on the demo model, "
                        "not at full size; count, steps, cfg, sampler_name, scheduler and batch_size below stay yours. "
                        "custom: all values below count. Any other entry REPLACES the values below by its own, also those "
                        "that another node gives; only batch_size stays yours, except in the two of the demo. Choosing one "
                        "shows its values below; changing one of them turns the preset to custom."
                    ),
                ),
                *lookahead_sampler_inputs(LookaheadConfig),
                batch_size_input(LookaheadConfig),
                *guidance_inputs(LookaheadConfig),
                start_from_input(LookaheadConfig),
                steady_scores_input(LookaheadConfig),
            ],
            outputs=[LookaheadConfigSocket.Output(display_name="lookahead_config")],
            hidden=[io.Hidden.unique_id, io.Hidden.dynprompt],
        )

    @classmethod
    def execute(
        cls,
        count=LookaheadConfig.count,
        steps=LookaheadConfig.steps,
        cfg=LookaheadConfig.cfg,
        sampler_name=LookaheadConfig.sampler_name,
        scheduler=LookaheadConfig.scheduler,
        batch_size=LookaheadConfig.batch_size,
        guidance_scale=LookaheadConfig.guidance_scale,
        reward_strength=LookaheadConfig.reward_strength,
        reward_scale=LookaheadConfig.reward_scale,
        start_percent=LookaheadConfig.start_percent,
        end_percent=LookaheadConfig.end_percent,
        guidance_form=LookaheadConfig.guidance_form,
        effective_dimension=LookaheadConfig.effective_dimension,
        start_from=LookaheadConfig.start_from,
        steady_scores=LookaheadConfig.steady_scores,
        preset=CUSTOM,
    ) -> io.NodeOutput:
        if preset != CUSTOM and preset not in PRESETS:
            raise ValueError(
                f"LiDAR Lookahead Config: there is no preset {preset!r}; choose one of {', '.join([CUSTOM, *PRESETS])}."
            )
        widgets = dict(
            count=count, steps=steps, cfg=cfg, sampler_name=sampler_name, scheduler=scheduler, batch_size=batch_size,
            guidance_scale=guidance_scale, reward_strength=reward_strength, reward_scale=reward_scale,
            start_percent=start_percent, end_percent=end_percent, guidance_form=guidance_form,
            effective_dimension=effective_dimension, start_from=start_from, steady_scores=steady_scores,
        )  # fmt: skip
        config = LookaheadConfig(**(widgets | PRESETS.get(preset, {})))
        show_on_node(cls.hidden, f"{preset}: {config.summary()}")
        return io.NodeOutput(config)
