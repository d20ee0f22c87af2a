"""Candidates: final images that have come as far as the cut, and what they need to go on from there."""

from dataclasses import dataclass

from torch import Tensor

from .draw import Task


@dataclass(frozen=True, eq=False)
class Candidates:
    """n rows of one seed's noise, 0 to n - 1, after the first `cut` steps of `task`."""

    task: Task
    states: Tensor
    """(n, *S) x at the cut, in model space."""
    cut: int
    sigma: float
    """Noise level at the cut."""
