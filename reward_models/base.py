"""What every reward model owes: the shapes, the range of the pixels, and the order of the scores."""

from abc import ABC, abstractmethod
from collections.abc import Sequence

import torch

from .image_batch import ImageBatch


class RewardModel(torch.nn.Module, ABC):
    """Scores images, with or without their prompt; higher is better, and the scale is the model's own.

    name: shown to people. reads_prompt: whether the prompts change the score; a model that does not read them still
    takes them, so that all models are called alike. trunk: the large part, None if there is none. It may run in half
    precision and be shared by several models; every other part is small and stays in float32.
    """

    name: str
    reads_prompt: bool

    def __init__(self):
        super().__init__()
        self.trunk: torch.nn.Module | None = None

    def score(self, images: torch.Tensor, prompts: Sequence[str]) -> torch.Tensor:
        """Score each image against its own prompt.

        images (b, 3, H, W) floating point in [0, 1], on the device of the weights; prompts: b texts.
        Returns (b,) float32 on the device of the images. ValueError if the shapes disagree.
        """
        check_score_inputs(images, prompts)
        return self.score_batch(ImageBatch(images), prompts)

    def words_read(self, prompt: str) -> int:
        """Return how many words of a prompt, from its beginning, are read: all, unless a model says otherwise."""
        return len(prompt.split())

    @abstractmethod
    def score_batch(self, batch: ImageBatch, prompts: Sequence[str]) -> torch.Tensor:
        """As `score`, for a batch that several models look at: b prompts -> (b,) float32 on the batch's device."""


def check_score_inputs(images: torch.Tensor, prompts: Sequence[str]) -> None:
    """Raise ValueError unless images are (b, 3, H, W) floating point and prompts are b texts, not one string."""
    if images.ndim != 4 or images.shape[1] != 3 or not images.is_floating_point():
        raise ValueError(
            f"images must be floating point (b, 3, H, W) in [0, 1], got {images.dtype} {tuple(images.shape)}"
        )
    if isinstance(prompts, str) or len(prompts) != images.shape[0]:
        got = "one string" if isinstance(prompts, str) else f"{len(prompts)} prompts"
        raise ValueError(f"one prompt an image is needed: got {got} for {images.shape[0]} images")
