"""Human Preference Score v2 and v2.1: which image of a prompt people prefer, learnt from HPD v2's rankings.

X. Wu et al., "Human Preference Score v2: a solid benchmark for evaluating human preferences of text-to-image synthesis",
arXiv 2306.09341, 2023. A CLIP ViT-H/14 trained on; files `HPS_v2_compressed.pt` and `HPS_v2.1_compressed.pt` of
xswu/HPSv2. The two versions are the same computation on other weights, and their scores do not compare.
"""

from collections.abc import Sequence

import torch

from .base import RewardModel
from .clip_trunk import ClipTrunk
from .image_batch import ImageBatch
from .preprocess import OPENAI_MEAN, OPENAI_STD, Preprocessing
from .words_read import words_read

ARCHITECTURE = "ViT-H-14"


class HpsV2(RewardModel):
    """Cosine of image and text embedding; usual pictures have .24 to .29 (v2) or .15 to .32 (v2.1).

    Unlike other CLIP rewards it sees the whole picture: the long side is resized to the size of the tower, as a tensor
    and so without cutting bicubic's overshoot, and the rest is filled with black (hpsv2 1.2.0, `ResizeMaxSize`).
    """

    reads_prompt = True

    def __init__(self, trunk: ClipTrunk, version: str):
        super().__init__()
        self.trunk = trunk
        self.name = f"HPS {version}"
        self.preprocessing = Preprocessing(
            trunk.preprocessing.size, OPENAI_MEAN, OPENAI_STD, resize_mode="longest", overshoot=True
        )

    def words_read(self, prompt: str) -> int:
        return words_read(prompt, self.trunk.tokenizer)

    def score_batch(self, batch: ImageBatch, prompts: Sequence[str]) -> torch.Tensor:
        """Cosine of each image with its prompt: (b,) float32."""
        images = self.trunk.embed_images(batch, self.preprocessing)
        return (images * self.trunk.embed_texts(prompts, batch.device)).sum(dim=-1)
