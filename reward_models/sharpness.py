"""Sharpness of an image: how much fine detail it has."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F

from .base import RewardModel
from .brightness import luma
from .image_batch import ImageBatch


class Sharpness(RewardModel):
    """Standard deviation of the 5-point Laplacian of luma: 0 for an even image, below 4, which a chessboard of pixels nears.

    The focus measure LAPV of J. L. Pech-Pacheco et al., "Diatom autofocusing in brightfield microscopy", ICPR 2000, whose
    square root is taken here so that it grows in proportion to contrast. It counts pixels, so only images of one size
    compare, as lookaheads are; and it rewards noise, which it takes for detail.
    """

    name = "sharpness"
    reads_prompt = False

    def score_batch(self, batch: ImageBatch, prompts: Sequence[str]) -> torch.Tensor:
        """Deviation of the Laplacian of each image: (b,) float32 in [0, 4)."""
        # The edge is repeated outside, so that it is no detail of its own
        padded = F.pad(luma(batch.images)[:, None], (1, 1, 1, 1), mode="replicate")[:, 0]
        around = padded[:, :-2, 1:-1] + padded[:, 2:, 1:-1] + padded[:, 1:-1, :-2] + padded[:, 1:-1, 2:]
        return (around - 4 * padded[:, 1:-1, 1:-1]).flatten(1).std(dim=1, correction=0)
