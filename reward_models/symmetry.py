"""Left-right symmetry of an image, colours included."""

from collections.abc import Sequence

import torch

from .base import RewardModel
from .image_batch import ImageBatch

# Below this variance an image is even: its pixels deviate by less than a tenth of an 8-bit step
_EVEN = 1e-7


class Symmetry(RewardModel):
    """Correlation of the image with its mirror image: 1 if they are equal, 0 if unrelated, down to -1 if opposite.

    Over all pixels and channels, each channel's mean taken off. An even image is its own mirror image: 1.
    """

    name = "symmetry"
    reads_prompt = False

    def score_batch(self, batch: ImageBatch, prompts: Sequence[str]) -> torch.Tensor:
        """Correlation of each image with its mirror image: (b,) float32 in [-1, 1]."""
        centred = batch.images - batch.images.mean(dim=(2, 3), keepdim=True)
        variance = centred.square().mean(dim=(1, 2, 3))
        covariance = (centred * centred.flip(3)).mean(dim=(1, 2, 3))
        correlation = (covariance / variance.clamp_min(_EVEN)).clamp(-1, 1)  # rounding may lead just outside
        return torch.where(variance > _EVEN, correlation, torch.ones_like(variance))
