"""What one sampling run needs more than once, and what guidance did in it; it lives in the run's model_options alone."""

import math
from dataclasses import dataclass, field

from ...lidar_core import Particles

FIRST_STEP = "lidar_first_step"
"""In a run's model_options: the step that it begins with, where the steps before were done by another run."""
TELL = "lidar_tell"
"""In a run's model_options: who is told what was guided, in place of the node that guides."""


@dataclass(eq=False)
class GuidedRun:
    """The lookaheads as Particles on the sampling device, the noise levels of the run's steps, and a record."""

    particles: Particles
    levels: list[float]
    """sigma of each step, falling, and the last one's end."""
    multiplied_by: float = 1.0
    """by what the guider multiplies all that guidance adds."""
    asked: int = 0
    """How often the sampler's guider called the post-CFG function."""
    guided: list[float] = field(default_factory=list)
    """sigma of each evaluation that was guided."""

    @property
    def steps(self) -> int:
        return len(self.levels) - 1

    def window(self, start: float, end: float) -> tuple[float, float]:
        """Return (lowest, highest) sigma of the steps from start to end, shares of this run's steps; lowest is outside.

        A window that is not empty holds one step at least.
        """
        first, last = math.floor(start * self.steps), math.ceil(end * self.steps - 1e-9)
        # Some samplers compute the level of the next step anew: it is outside also where the last digits differ
        return self.levels[last] * (1 + 1e-5), math.inf if first == 0 else self.levels[first] * (1 + 1e-5)

    def guided_steps(self) -> int:
        """Return how many of the run's steps were guided at one evaluation or more."""
        return len({self._step_of(sigma) for sigma in self.guided})

    def report(self, best: str, guidance_scale: float, end_percent: float) -> str:
        """Say what was guided, in lines; or in one why nothing was. best: words for the best lookahead."""
        if self.guided:
            span = f"sigma {max(self.guided):.3g} to {min(self.guided):.3g}"
            told = f"guided {self.guided_steps()} of {self.steps} steps\n{span}\n{best}"
            if self.multiplied_by == 1:
                return told
            acts_as = guidance_scale * self.multiplied_by
            return f"{told}\nthe guider multiplies guidance_scale by {self.multiplied_by:g}: it acts as {acts_as:g}"
        if not self.steps:
            return "nothing was sampled: this run has no steps"
        if not self.asked:
            why = "the guider asked for no guidance; use a cfg above 1, or another guider"
        else:
            why = f"end_percent {end_percent:g} is past where this run begins (low denoise); raise it"
        return f"no step of {self.steps} was guided: {why}"

    def _step_of(self, sigma: float) -> int:
        below = (step for step, level in enumerate(self.levels[1:]) if level < sigma * (1 - 1e-5))
        return next(below, self.steps - 1)
