"""All settings of LiDAR besides the final sampler's own, as one value: what travels from LiDAR Lookahead Config."""

from dataclasses import dataclass

from .setting_inputs import DIFFERENCE, OWN_NOISE


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
                f"start_percent {self.start_percent:g} is above end_percent {self.end_percent:g}, "
                "so no step would be guided; set start_percent below end_percent."
            )

    def summary(self) -> str:
        """Return the settings in two lines for people."""
        return (
            f"{self.count} lookahead{'s' * (self.count > 1)}: {self.steps} steps, cfg {self.cfg:g}, {self.sampler_name}, {self.scheduler}, "
            f"up to {self.batch_size} at a time{', steady scores' * self.steady_scores}\n"
            f"{self.guidance_form}, guidance scale {self.guidance_scale:g}, reward strength {self.reward_strength:g} "
            f"({self.reward_scale}), from {self.start_percent:g} to {self.end_percent:g}, start from {self.start_from}"
        )
