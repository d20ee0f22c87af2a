"""What was measured of drafts and final images of the same rows of noise."""

from dataclasses import dataclass

from torch import Tensor

from ...lidar_core import Costs
from .draft_advice import Early


@dataclass(frozen=True, eq=False)
class DraftMeasures:
    reward: str
    """The reward model's name."""
    final: Tensor
    """(n,) scores of the finished pictures."""
    early: dict[float | None, Tensor]
    """Share of the final steps that are done, None for the drafts -> (n,) scores of the same rows."""
    ways: list[Early]
    """The same, as correlations."""
    costs: Costs
    """Seconds a picture; judge is decode and score."""
    decode: float
    """Seconds of a decode alone."""
    seed_share: float
    """As of seed_share: the seed's part of the finished pictures' variance."""
