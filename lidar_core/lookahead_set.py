"""LookaheadSet: the clean samples of the lookahead phase with their rewards, as one immutable value."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

import torch
from torch import Tensor

from .number_range import LARGEST
from .one_line import shown

_FLOATS = (torch.float16, torch.bfloat16, torch.float32, torch.float64)


@dataclass(frozen=True, eq=False)
class LookaheadSet:
    """n clean latents with one reward each: the output of Algorithm 1 of LiDAR (arXiv 2602.03211).

    latents: (n, *S), kept as a float32 CPU copy, in the latent space of the caller.
    rewards: (n,), kept as a float32 CPU copy, in the reward's own unit; higher is better.
    reward_name: what gave the rewards, shown to people; empty if unknown.
    metadata: str -> str, where the lookaheads came from; kept as a read-only copy.
    Both tensors are dense and of float16, bfloat16, float32 or float64, their numbers finite and from -1e12 to 1e12
    (LARGEST). Raises TypeError for what is no tensor, str or mapping of str to str, and ValueError for every other
    tensor, a wrong shape or n = 0.
    """

    latents: Tensor
    rewards: Tensor
    reward_name: str = ""
    metadata: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self):
        for name in ("latents", "rewards"):
            if not isinstance(getattr(self, name), Tensor):
                raise TypeError(f"{name} is a {type(getattr(self, name)).__name__}, wanted a torch.Tensor")
            _check_kind(name, getattr(self, name))
        if not isinstance(self.reward_name, str):
            raise TypeError(f"reward_name is a {type(self.reward_name).__name__}, wanted a str")
        metadata = text_mapping(self.metadata)
        if self.latents.ndim < 2:
            raise ValueError(f"latents have shape {shown(self.latents.shape)}, wanted (n, *latent shape)")
        if self.latents.numel() == 0:
            raise ValueError(f"latents have shape {shown(self.latents.shape)}, wanted at least one non-empty lookahead")
        if self.rewards.shape != self.latents.shape[:1]:
            raise ValueError(
                f"rewards have shape {shown(self.rewards.shape)}, "
                f"wanted ({self.latents.shape[0]},), one for each lookahead"
            )
        latents, rewards = _float32_cpu_copy(self.latents), _float32_cpu_copy(self.rewards)
        for name, numbers in (("latents", latents.flatten(1)), ("rewards", rewards[:, None])):
            in_range = (numbers.abs() <= LARGEST).all(dim=1)
            if not in_range.all():
                raise ValueError(
                    f"{name} are not finite or beyond {LARGEST:g} at lookahead {_numbered(~in_range)}, "
                    f"wanted finite numbers from {-LARGEST:g} to {LARGEST:g}"
                )
        object.__setattr__(self, "latents", latents)
        object.__setattr__(self, "rewards", rewards)
        object.__setattr__(self, "metadata", MappingProxyType(metadata))

    def __reduce__(self):
        # Cache providers of the host may pickle it, which a mapping proxy does not allow.
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


def text_mapping(metadata: Mapping[str, str]) -> dict[str, str]:
    """Return a copy of metadata; TypeError unless it is a mapping of str to str."""
    if not isinstance(metadata, Mapping):
        raise TypeError(f"metadata is a {type(metadata).__name__}, wanted a mapping of str to str")
    for key, value in metadata.items():
        if not (isinstance(key, str) and isinstance(value, str)):
            raise TypeError(f"metadata has {shown(key)}: {shown(value)}, wanted str keys and str values")
    return dict(metadata)


def _check_kind(name: str, tensor: Tensor) -> None:
    dense = tensor.layout == torch.strided and not tensor.is_nested and not tensor.is_meta
    if not dense or tensor.dtype not in _FLOATS:
        kind = f"{'nested, ' if tensor.is_nested else ''}{tensor.dtype}, {tensor.layout}, on {tensor.device.type}"
        raise ValueError(f"{name} are {kind}, wanted a dense tensor of float16, bfloat16, float32 or float64")


def _float32_cpu_copy(tensor: Tensor) -> Tensor:
    return tensor.detach().to("cpu", torch.float32, copy=True).contiguous()


def _numbered(which: Tensor) -> str:
    """The lookaheads named by a (n,) mask, counted from 1 as people see them."""
    numbers = (which.nonzero().flatten() + 1).tolist()
    more = f" and {len(numbers) - 5} more" if len(numbers) > 5 else ""
    return "no. " + ", ".join(map(str, numbers[:5])) + more
