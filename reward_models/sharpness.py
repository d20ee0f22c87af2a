"""Sharpness of an image: how much fine detail it has."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F

from .base import RewardModel
from .brightness import luma
from .image_batch import ImageBatch


class Sharpness(RewardModel):
    """Standard deviation of the Laplacian of luma, 0 for an even image.

    The focus measure LAPV of J. L. Pech-Pacheco et al., "Diatom autofocusing in brightfield microscopy", ICPR 2000, whose
    square root is taken here. It counts pixels, so only images of one size compare, and it takes noise for detail.
    """

    name = "sharpness"
    reads_prompt = False

    def score_batch(self, batch: ImageBatch, prompts: Sequence[str]) -> torch.Tensor:
        """Deviation of the Laplacian of each image: (b,) float32."""
        # The edge is repeated outside, so that it is no detail of its own
        padded = F.pad(luma(batch.images)[:, None], (1, 1, 1, 1), mode="replicate")[:, 0]
        around = padded[:, :-2, 1:-1] + padded[:, 2:, 1:-1] + padded[:, 1:-1, :-2] + padded[:, 1:-1, 2:]
        return (around - 4 * padded[:, 1:-1, 1:-1]).flatten(1).std(dim=1, correction=0)
