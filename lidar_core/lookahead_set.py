"""LookaheadSet: the clean samples of the lookahead phase with their rewards, as one immutable value."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

import torch
from torch import Tensor


@dataclass(frozen=True, eq=False)
class LookaheadSet:
    """n clean latents with one reward each: the output of Algorithm 1 of LiDAR (arXiv 2602.03211).

    latents: (n, *S), kept as a float32 CPU copy, in the latent space of the caller.
    rewards: (n,), kept as a float32 CPU copy, in the reward's own unit; higher is better.
    reward_name: what gave the rewards, shown to people; empty if unknown.
    metadata: str -> str, where the lookaheads came from; kept as a read-only copy.
    Raises TypeError for a wrong type, ValueError for a wrong shape, n = 0, or a latent or reward that is not finite.
    """

    latents: Tensor
    rewards: Tensor
    reward_name: str = ""
    metadata: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self):
        for name in ("latents", "rewards"):
            if not isinstance(getattr(self, name), Tensor):
                raise TypeError(f"{name} is a {type(getattr(self, name)).__name__}, wanted a torch.Tensor")
        if not isinstance(self.reward_name, str):
            raise TypeError(f"reward_name is a {type(self.reward_name).__name__}, wanted a str")
        for key, value in self.metadata.items():
            if not (isinstance(key, str) and isinstance(value, str)):
                raise TypeError(f"metadata has {key!r}: {value!r}, wanted str keys and str values")
        if self.latents.ndim < 2:
            raise ValueError(f"latents have shape {tuple(self.latents.shape)}, wanted (n, *latent shape)")
        if self.latents.numel() == 0:
            raise ValueError(f"latents have shape {tuple(self.latents.shape)}, wanted at least one non-empty lookahead")
        if self.rewards.shape != self.latents.shape[:1]:
            raise ValueError(
                f"rewards have shape {tuple(self.rewards.shape)}, "
                f"wanted ({self.latents.shape[0]},), one for each lookahead"
            )
        latents, rewards = _float32_cpu_copy(self.latents), _float32_cpu_copy(self.rewards)
        for name, finite in (("latents", latents.isfinite().flatten(1).all(dim=1)), ("rewards", rewards.isfinite())):
            if not finite.all():
                bad = (~finite).nonzero().flatten().tolist()
                raise ValueError(f"{name} are not finite in float32 at lookahead {_listed(bad)}, wanted finite numbers")
        object.__setattr__(self, "latents", latents)
        object.__setattr__(self, "rewards", rewards)
        object.__setattr__(self, "metadata", MappingProxyType(dict(self.metadata)))

    def __reduce__(self):
        # A mapping proxy can be neither pickled nor deep-copied.
        return LookaheadSet, (self.latents, self.rewards, self.reward_name, dict(self.metadata))

    @property
    def count(self) -> int:
        """Return n, the number of lookaheads."""
        return self.latents.shape[0]

    def with_rewards(self, rewards: Tensor, reward_name: str) -> "LookaheadSet":
        """Return the same lookaheads with other rewards, (n,); raises as the constructor does."""
        return LookaheadSet(self.latents, rewards, reward_name, self.metadata)

    def order(self) -> Tensor:
        """Return the indices of the lookaheads from best to worst, (n,) int64; equals keep their order."""
        return torch.argsort(self.rewards, descending=True, stable=True)


def _float32_cpu_copy(tensor: Tensor) -> Tensor:
    return tensor.detach().to("cpu", torch.float32, copy=True).contiguous()


def _listed(indices: list[int]) -> str:
    more = f" and {len(indices) - 5} more" if len(indices) > 5 else ""
    return ", ".join(map(str, indices[:5])) + more
