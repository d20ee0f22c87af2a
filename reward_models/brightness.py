"""Mean brightness of an image."""

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
        return luma(batch.images).mean(dim=(1, 2))


def luma(images: torch.Tensor) -> torch.Tensor:
    """(b, 3, H, W) in [0, 1] -> Y' (b, H, W) in [0, 1]."""
    return torch.einsum("bchw,c->bhw", images, images.new_tensor(LUMA))
