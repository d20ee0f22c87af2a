"""Means with 95 % bootstrap intervals over prompts, plain and paired."""

from typing import NamedTuple

import numpy as np

DRAWS = 4000


class Estimate(NamedTuple):
    """A mean over prompts, and the interval that holds it with 95 %."""

    mean: float
    low: float
    high: float

    def text(self, sign: str = "") -> str:
        """Return it as "0.465 [0.408, 0.525]"; sign "+" shows the sign of gains."""
        return f"{self.mean:{sign}.3f} [{self.low:{sign}.3f}, {self.high:{sign}.3f}]"


def estimate(per_prompt) -> Estimate:
    """Return the mean of one number a prompt, (n,), with the percentile bootstrap over prompts (Efron 1979)."""
    values = np.asarray(per_prompt, dtype=float)
    draws = np.random.default_rng(1).choice(values, size=(DRAWS, len(values))).mean(axis=1)
    return Estimate(float(values.mean()), *np.quantile(draws, [0.025, 0.975]).tolist())
