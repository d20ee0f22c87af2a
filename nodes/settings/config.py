"""All settings of LiDAR besides the final sampler's own, as one value: what travels from LiDAR Lookahead Config."""

from dataclasses import dataclass

from .definitions import CONTINUE_BEST


@dataclass(frozen=True, kw_only=True)
class LookaheadConfig:
    """How lookaheads are drawn and how they guide; definitions.py says what each setting means and may be."""

    count: int
    steps: int
    cfg: float
    sampler_name: str
    scheduler: str
    start_from: str
    cut_percent: float
    finish: int
    guidance_form: str
    guidance_scale: float
    reward_strength: float
    effective_dimension: float
    reward_scale: str
    start_percent: float
    end_percent: float
    steady_scores: bool
    batch_size: int

    def __post_init__(self):
        if self.start_percent > self.end_percent:
            raise ValueError(
                f"start_percent {self.start_percent:g} is above end_percent {self.end_percent:g}, so no step would be guided; "
                "set start_percent below end_percent."
            )

    def summary(self) -> str:
        """Return the settings in a few short lines for people."""
        several, finished = "s" * (self.count > 1), "" if self.finish == 1 else f", finish {self.finish or 'auto'}"
        steady = ", steady scores" * self.steady_scores
        if self.start_from == CONTINUE_BEST:
            return (
                f"{self.count} candidate{several}, {self.start_from}\n"
                f"judged at {self.cut_percent:g} of the final steps{finished}{steady}"
            )
        return (
            f"{self.count} lookahead{several} of {self.steps} steps, cfg {self.cfg:g}\n"
            f"{self.sampler_name}, {self.scheduler}{steady}\n"
            f"{self.guidance_form} {self.guidance_scale:g}, strength {self.reward_strength:g}\n"
            f"{self.start_percent:g} to {self.end_percent:g}, from {self.start_from}{finished}"
        )
