"""How much an image looks like a reference picture to a CLIP: a style or a subject by example instead of by words."""

from collections.abc import Sequence

import torch

from .base import RewardModel
from .clip_trunk import ClipTrunk
from .image_batch import ImageBatch


class ClipImageSimilarity(RewardModel):
    """Mean cosine of the image's embedding with those of the references, in [-1, 1]; usual pictures have .4 to .95.

    reference: (r, 3, H, W) in [0, 1]; r pictures of one size.
    """

    reads_prompt = False

    def __init__(self, trunk: ClipTrunk, reference: torch.Tensor):
        super().__init__()
        self.trunk = trunk
        self.name = f"CLIP image similarity ({trunk.label})"
        self.reference = reference
        self._embedding: torch.Tensor | None = None

    def score_batch(self, batch: ImageBatch, prompts: Sequence[str]) -> torch.Tensor:
        """Mean cosine of each image with the references: (b,) float32."""
        if self._embedding is None:  # when first scored, for only then is the trunk where it can run
            # One by one: there may be more of them than the memory that was asked for can take at once
            batches = (ImageBatch(picture[None], batch.device) for picture in self.reference)
            self._embedding = torch.cat([self.trunk.embed_images(each) for each in batches]).mean(dim=0).cpu()
        return self.trunk.embed_images(batch) @ self._embedding.to(batch.device)
