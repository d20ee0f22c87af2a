"""All settings of LiDAR besides the final sampler's own, as one value and as the node that makes it."""

from dataclasses import dataclass, replace

from comfy_api.latest import io

from .lookahead_presets import CUSTOM, PRESETS
from .setting_inputs import batch_size_input, guidance_inputs, lookahead_sampler_inputs
from .show_on_node import show_on_node
from .socket_types import LookaheadConfigSocket


@dataclass(frozen=True, kw_only=True)
class LookaheadConfig:
    """How lookaheads are drawn and how they guide; the defaults suit Stable Diffusion 1.5 and SDXL."""

    count: int = 16
    steps: int = 6
    cfg: float = 7.5
    sampler_name: str = "dpmpp_2m"
    scheduler: str = "karras"
    batch_size: int = 4
    guidance_scale: float = 8.0
    reward_strength: float = 5000.0
    reward_scale: str = "standardised"
    start_percent: float = 0.0
    end_percent: float = 0.8

    def __post_init__(self):
        if self.start_percent > self.end_percent:
            raise ValueError(
                f"LiDAR Lookahead Config: start_percent {self.start_percent:g} is above end_percent {self.end_percent:g}, "
                "so no step would be guided; set start_percent below end_percent."
            )

    def summary(self) -> str:
        """Return the settings in two lines for people."""
        return (
            f"{self.count} lookahead{'s' * (self.count > 1)}: {self.steps} steps, cfg {self.cfg:g}, {self.sampler_name}, {self.scheduler}, "
            f"{self.batch_size} at a time\n"
            f"guidance scale {self.guidance_scale:g}, reward strength {self.reward_strength:g} ({self.reward_scale}), "
            f"from {self.start_percent:g} to {self.end_percent:g}"
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
                    default=CUSTOM,
                    tooltip=(
                        "custom: the values below count. Any other entry REPLACES the values below by its own; only "
                        "batch_size stays yours, except in demo. The values in force appear on the node when it runs: "
                        "to change one of them, choose custom and copy them."
                    ),
                ),
                *lookahead_sampler_inputs(LookaheadConfig),
                batch_size_input(LookaheadConfig),
                *guidance_inputs(LookaheadConfig),
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
        preset=CUSTOM,
    ) -> io.NodeOutput:
        if preset != CUSTOM and preset not in PRESETS:
            raise ValueError(
                f"LiDAR Lookahead Config: there is no preset {preset!r}; choose one of {', '.join([CUSTOM, *PRESETS])}."
            )
        widgets = LookaheadConfig(
            count=count, steps=steps, cfg=cfg, sampler_name=sampler_name, scheduler=scheduler, batch_size=batch_size,
            guidance_scale=guidance_scale, reward_strength=reward_strength, reward_scale=reward_scale,
            start_percent=start_percent, end_percent=end_percent,
        )  # fmt: skip
        config = replace(widgets, **PRESETS.get(preset, {}))
        show_on_node(cls.hidden, f"{preset}: {config.summary()}")
        return io.NodeOutput(config)
