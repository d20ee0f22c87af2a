"""Mean brightness of an image: a reward without weights, to try the nodes with."""

from collections.abc import Sequence

import torch

from .base import RewardModel
from .image_batch import ImageBatch

# ITU-R BT.709 luma, applied to the stored (gamma-coded) sRGB values
LUMA = (0.2126, 0.7152, 0.0722)


class Brightness(RewardModel):
    """Mean luma Y' = 0.2126 R' + 0.7152 G' + 0.0722 B': 0 for a black image, 1 for a white one."""

    name = "brightness"
    reads_prompt = False

    def score_batch(self, batch: ImageBatch, prompts: Sequence[str]) -> torch.Tensor:
        """Mean luma of each image: (b,) float32 in [0, 1]."""
        return batch.images.mean(dim=(2, 3)) @ torch.tensor(LUMA, device=batch.device)
