"""Contrast of an image: how far light and dark lie apart."""

from collections.abc import Sequence

import torch

from .base import RewardModel
from .brightness import luma
from .image_batch import ImageBatch


class Contrast(RewardModel):
    """RMS contrast: the standard deviation of luma. 0 for an even image, .5 for half black and half white.

    E. Peli, "Contrast in complex images", JOSA A 7(10), 1990, pages 2032-2040;
    here of the stored (gamma-coded) values, as brightness.
    """

    name = "contrast"
    reads_prompt = False

    def score_batch(self, batch: ImageBatch, prompts: Sequence[str]) -> torch.Tensor:
        """RMS contrast of each image: (b,) float32 in [0, 0.5]."""
        return luma(batch.images).flatten(1).std(dim=1, correction=0)
