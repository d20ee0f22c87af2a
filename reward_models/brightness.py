"""Mean brightness of an image: a reward without weights, to try the nodes with."""

from collections.abc import Sequence

import torch

from .base import RewardModel, check_score_inputs

# ITU-R BT.709 luma, applied to the stored (gamma-coded) sRGB values
LUMA = (0.2126, 0.7152, 0.0722)


class Brightness(RewardModel):
    """Mean luma Y' = 0.2126 R' + 0.7152 G' + 0.0722 B': 0 for a black image, 1 for a white one."""

    name = "brightness"
    reads_prompt = False

    def score(self, images: torch.Tensor, prompts: Sequence[str]) -> torch.Tensor:
        """Mean luma of each image: (b, 3, H, W) in [0, 1] -> (b,) float32 in [0, 1]."""
        check_score_inputs(images, prompts)
        return images.float().mean(dim=(2, 3)) @ torch.tensor(LUMA, device=images.device)
