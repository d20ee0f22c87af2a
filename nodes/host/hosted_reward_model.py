"""Adapter: a RewardModel under ComfyUI's memory management."""

import comfy.model_management as mm
import torch

from ...reward_models import RewardModel
from ...reward_models.image_batch import ImageBatch
from ...reward_models.printable import printable
from .shared_trunks import patcher_of


class HostedRewardModel:
    """A reward model whose large part ComfyUI loads, offloads and frees; a LIDAR_REWARD_MODEL."""

    def __init__(self, model: RewardModel):
        if not isinstance(model, RewardModel):
            raise TypeError(f"model is a {type(model).__name__}, wanted a RewardModel")
        self.model = model.eval()
        self.patcher = None if model.trunk is None else patcher_of(model.trunk)

    @property
    def name(self) -> str:
        """The reward model's name for people; it may hold the name of a folder."""
        return printable(self.model.name, limit=80)

    @property
    def models(self) -> tuple["HostedRewardModel", ...]:
        """The reward models to score with: this one."""
        return (self,)

    def is_dynamic(self) -> bool:
        """Whether the host pages the weights itself; its RAM cache asks."""
        return self.patcher is not None and self.patcher.is_dynamic()

    def total(self, scores: dict["HostedRewardModel", torch.Tensor]) -> torch.Tensor:
        """Return the rewards, (n,), out of the scores of all `models`."""
        return scores[self]

    def direction(self, model: "HostedRewardModel") -> float:
        """Return the weight of one of its `models`: only its sign and 0 count."""
        return 1.0

    def load(self, working_memory: float) -> torch.device:
        """Have the host load the weights with `working_memory` bytes to spare; return the device to score on."""
        if self.patcher is None:
            device = mm.get_torch_device()
            self.model.to(device)
            return device
        # Fully: layers of plain torch cannot be paged in one by one as the host's own can
        mm.load_models_gpu([self.patcher], memory_required=working_memory, force_full_load=True)
        device = next(self.model.trunk.parameters()).device  # with --novram the host leaves plain layers on the CPU
        for part in self.model.children():
            if part is not self.model.trunk:
                part.to(device)
        return device

    def score_batch(self, batch: ImageBatch, prompts: list[str]) -> torch.Tensor:
        """Score b images that lie on the device of `load`: (b,) float32 on the CPU."""
        return self.model.score_batch(batch, prompts).float().cpu()
