"""Colourfulness of an image.

D. Hasler and S. Suesstrunk, "Measuring colourfulness in natural images", Proc. SPIE 5007, Human Vision and
Electronic Imaging VIII, 2003, pages 87-95, equations for the metric M^(3).
"""

from collections.abc import Sequence

import torch

from .base import RewardModel
from .image_batch import ImageBatch


class Colourfulness(RewardModel):
    """Hasler and Suesstrunk's M^(3), which follows what people call colourful.

    With rg = R - G and yb = (R + G) / 2 - B on the 0 to 255 scale:
    M = sqrt(std(rg)^2 + std(yb)^2) + 0.3 sqrt(mean(rg)^2 + mean(yb)^2).
    The paper's scale: 0 none, 15 slight, 33 moderate, 45 average, 59 quite, 82 high, 109 extreme.
    """

    name = "colourfulness"
    reads_prompt = False

    def score_batch(self, batch: ImageBatch, prompts: Sequence[str]) -> torch.Tensor:
        """M^(3) of each image: (b,) float32, about 0 to 150."""
        red, green, blue = (batch.images * 255).flatten(2).unbind(1)
        opponents = torch.stack((red - green, (red + green) / 2 - blue))
        spread = opponents.std(dim=2, correction=0).norm(dim=0)
        return spread + 0.3 * opponents.mean(dim=2).norm(dim=0)
