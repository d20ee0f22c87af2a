"""How well one score foretells another: Spearman's rank correlation and its bootstrap interval."""

import math
from typing import NamedTuple

import torch
from torch import Tensor

_DRAWS = 1000


class Correlation(NamedTuple):
    """Spearman's rho, and the interval that holds it with 95 %."""

    rho: float
    low: float
    high: float

    def text(self) -> str:
        """Return it as "0.56 [0.21, 0.78]"."""
        return f"{self.rho:.2f} [{self.low:.2f}, {self.high:.2f}]"


def rank_correlation(early: Tensor, final: Tensor) -> Correlation:
    """Compare two scores of the same n pictures, (n,) each; the interval is the percentile bootstrap over pictures (Efron 1979).

    0 where all scores of one are equal. The draws are the same in every run.
    """
    places = torch.randint(len(early), (_DRAWS, len(early)), generator=torch.Generator().manual_seed(1))
    drawn = torch.cat([spearman(early[part], final[part]) for part in places.split(50)])
    low, high = drawn.quantile(torch.tensor([0.025, 0.975], dtype=drawn.dtype)).tolist()
    return Correlation(float(spearman(early, final)), low, high)


def spearman(early: Tensor, final: Tensor) -> Tensor:
    """Return Spearman's rho of (..., n) and (..., n), float64 (...); equal values share the mean of their ranks."""
    a, b = (_ranks(each) - (each.shape[-1] - 1) / 2 for each in (early, final))
    scale = (a.square().sum(-1) * b.square().sum(-1)).sqrt()
    return torch.where(scale > 0, (a * b).sum(-1) / scale.clamp(min=1e-12), 0.0)


def normal_correlation(rho: float) -> float:
    """Return the correlation of two normals whose Spearman's rho this is: 2 sin(pi rho / 6) (Pearson 1907)."""
    return max(-1.0, min(1.0, 2 * math.sin(math.pi * rho / 6)))


def _ranks(values: Tensor) -> Tensor:
    """Ranks from 0, in double precision."""
    one, other = values[..., :, None], values[..., None, :]
    return (other < one).double().sum(-1) + ((other == one).double().sum(-1) - 1) / 2
