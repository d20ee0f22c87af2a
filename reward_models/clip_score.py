"""CLIP score: how well an image fits its prompt, as the cosine of the two embeddings, without the usual factor 100.

This is the CLIP metric of the LiDAR paper (arXiv 2602.03211, with ViT-L/14).
"""

from collections.abc import Sequence

import torch

from .base import RewardModel
from .clip_trunk import ClipTrunk
from .image_batch import ImageBatch
from .words_read import words_read


class ClipScore(RewardModel):
    """Cosine of image and text embedding, in [-1, 1]; usual pictures have .15 to .35."""

    reads_prompt = True

    def __init__(self, trunk: ClipTrunk):
        super().__init__()
        self.trunk = trunk
        self.name = f"CLIP score ({trunk.label})"

    def words_read(self, prompt: str) -> int:
        return words_read(prompt, self.trunk.tokenizer)

    def score_batch(self, batch: ImageBatch, prompts: Sequence[str]) -> torch.Tensor:
        """Cosine of each image with its prompt: (b,) float32."""
        images = self.trunk.embed_images(batch)
        return (images * self.trunk.embed_texts(prompts, batch.device)).sum(dim=-1)
