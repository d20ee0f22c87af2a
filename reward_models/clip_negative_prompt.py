"""How little an image shows what a text describes: the CLIP score of an unwanted text, negated."""

from collections.abc import Sequence

import torch

from .base import RewardModel
from .clip_trunk import ClipTrunk
from .image_batch import ImageBatch
from .words_read import words_read


class ClipNegativePrompt(RewardModel):
    """Minus the cosine of the image's embedding with that of `text`, in [-1, 1]; usual pictures have -.35 to -.1.

    It does not read the prompt. ValueError for an empty text.
    """

    reads_prompt = False

    def __init__(self, trunk: ClipTrunk, text: str):
        super().__init__()
        if not text.strip():
            raise ValueError("CLIP negative prompt needs the text that images should not fit: write it into 'text'")
        self.trunk = trunk
        self.text = text
        self.name = f"CLIP negative prompt ({trunk.label})"

    def words_read(self, prompt: str) -> int:
        return words_read(prompt, self.trunk.tokenizer)

    def score_batch(self, batch: ImageBatch, prompts: Sequence[str]) -> torch.Tensor:
        """Negated cosine of each image with the text: (b,) float32."""
        (text,) = self.trunk.embed_texts([self.text], batch.device)
        return -(self.trunk.embed_images(batch) @ text)
