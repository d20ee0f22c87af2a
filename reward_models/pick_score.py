"""PickScore v1: how likely people are to pick this image for this prompt, learnt from the choices of Pick-a-Pic's users.

Y. Kirstain et al., "Pick-a-Pic: an open dataset of user preferences for text-to-image generation", NeurIPS 2023. A
CLIP ViT-H/14 trained on; file `model.safetensors` of yuvalkirstain/PickScore_v1, in transformers' names.
"""

import math
from collections.abc import Sequence
from dataclasses import replace

import torch

from .base import RewardModel
from .clip_trunk import ClipTrunk
from .image_batch import ImageBatch
from .regular_file import shown_name
from .words_read import words_read

ARCHITECTURE = "ViT-H-14"


class PickScore(RewardModel):
    """exp(logit_scale) * cosine of image and text embedding; usual pictures have 18 to 24.

    trunk: a CLIP with the logit_scale of its file; ValueError if the file holds none. The picture is cropped as the
    authors' image processor does, which for one size in four differs by one pixel from other CLIP rewards.
    """

    name = "PickScore"
    reads_prompt = True

    def __init__(self, trunk: ClipTrunk, *, file: str = "the file"):
        super().__init__()
        if trunk.logit_scale is None:
            raise ValueError(
                f"{shown_name(file)} holds no logit_scale, which PickScore multiplies with: choose the file of "
                "yuvalkirstain/PickScore_v1, or the kind CLIP score"
            )
        self.trunk = trunk
        self.preprocessing = replace(trunk.preprocessing, crop_down=True)

    def words_read(self, prompt: str) -> int:
        return words_read(prompt, self.trunk.tokenizer)

    def score_batch(self, batch: ImageBatch, prompts: Sequence[str]) -> torch.Tensor:
        """Scaled cosine of each image with its prompt: (b,) float32."""
        images = self.trunk.embed_images(batch, self.preprocessing)
        cosine = (images * self.trunk.embed_texts(prompts, batch.device)).sum(dim=-1)
        return math.exp(self.trunk.logit_scale) * cosine
