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
            references = ImageBatch(self.reference, batch.device)
            self._embedding = self.trunk.embed_images(references).mean(dim=0).cpu()
        return self.trunk.embed_images(batch) @ self._embedding.to(batch.device)
