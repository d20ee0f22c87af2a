"""LookaheadSet: the clean samples of the lookahead phase with their rewards, as one immutable value."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

import torch
from torch import Tensor

from .combination import Combination, checked_combination
from .number_range import LARGEST
from .one_line import shown
from .origin import Origin

_FLOATS = (torch.float16, torch.bfloat16, torch.float32, torch.float64)


@dataclass(frozen=True, eq=False)
class LookaheadSet:
    """n clean latents with one reward each: the output of Algorithm 1 of LiDAR (arXiv 2602.03211).

    latents: (n, *S), kept as a float32 CPU copy, in the latent space of the caller.
    rewards: (n,), kept as a float32 CPU copy, in the reward's own unit; higher is better.
    reward_name: what gave the rewards, shown to people; empty if unknown.
    metadata: str -> str, what holds for all of them, such as the prompt; kept as a read-only copy.
    origins: n Origins, where each came from; without them rows 0, 1, ... of an unknown seed.
    scores: what each judge said by its name, (n,) each and kept as rewards are; without them the rewards by theirs.
    combination: how the rewards follow from the scores, () where they are one of them or follow otherwise.
    pictures: n small JPEG files, or none.
    All tensors are dense and of float16, bfloat16, float32 or float64, their numbers finite and from -1e12 to 1e12
    (LARGEST). Raises TypeError for what is no tensor, str, bytes or mapping of str to str, and ValueError for every
    other tensor, a wrong shape or n = 0.
    """

    latents: Tensor
    rewards: Tensor
    reward_name: str = ""
    metadata: Mapping[str, str] = field(default_factory=dict)
    origins: tuple[Origin, ...] = ()
    scores: Mapping[str, Tensor] | None = None
    combination: Combination = ()
    pictures: tuple[bytes, ...] = ()

    def __post_init__(self):
        for name in ("latents", "rewards"):
            _check_kind(name, getattr(self, name))
        if not isinstance(self.reward_name, str):
            raise TypeError(f"reward_name is a {type(self.reward_name).__name__}, wanted a str")
        metadata = text_mapping(self.metadata)
        if self.latents.ndim < 2:
            raise ValueError(f"latents have shape {shown(self.latents.shape)}, wanted (n, *latent shape)")
        if self.latents.numel() == 0:
            raise ValueError(f"latents have shape {shown(self.latents.shape)}, wanted at least one non-empty lookahead")
        latents = _float32_cpu_copy(self.latents)
        _check_range("latents", latents.flatten(1))
        rewards = _one_each("rewards", self.rewards, self.count)
        scores = {self.reward_name: rewards} if self.scores is None else self._checked_scores()
        origins = tuple(self.origins) or tuple(map(Origin, range(self.count)))
        pictures = tuple(self.pictures)
        for name, values, kind in (("origins", origins, Origin), ("pictures", pictures, bytes)):
            if not all(isinstance(value, kind) for value in values):
                raise TypeError(f"{name} hold something else, wanted {kind.__name__} alone")
            if len(values) not in (self.count, 0):
                raise ValueError(f"there are {len(values)} {name}, wanted {self.count}, one for each lookahead")
        object.__setattr__(self, "latents", latents)
        object.__setattr__(self, "rewards", rewards)
        object.__setattr__(self, "metadata", MappingProxyType(metadata))
        object.__setattr__(self, "origins", origins)
        object.__setattr__(self, "scores", MappingProxyType(scores))
        object.__setattr__(self, "combination", checked_combination(self.combination, scores))
        object.__setattr__(self, "pictures", pictures)

    def _checked_scores(self) -> dict[str, Tensor]:
        if not isinstance(self.scores, Mapping) or not all(isinstance(name, str) for name in self.scores):
            raise TypeError("scores are something else, wanted a mapping of names to tensors")
        return {name: _one_each("scores", values, self.count) for name, values in self.scores.items()}

    def __reduce__(self):
        # Cache providers of the host may pickle it, which a mapping proxy does not allow.
        return LookaheadSet, (
            self.latents, self.rewards, self.reward_name, dict(self.metadata), self.origins, dict(self.scores),
            self.combination, self.pictures,
        )  # fmt: skip

    @property
    def count(self) -> int:
        """Return n, the number of lookaheads."""
        return self.latents.shape[0]

    def with_rewards(self, rewards: Tensor, reward_name: str) -> "LookaheadSet":
        """Return the same lookaheads with other rewards, (n,), and the judges' scores; raises as the constructor does."""
        return replace(self, rewards=rewards, reward_name=reward_name, combination=())

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


def _one_each(name: str, values: Tensor, count: int) -> Tensor:
    _check_kind(name, values)
    if values.shape != (count,):
        raise ValueError(f"{name} have shape {shown(values.shape)}, wanted ({count},), one for each lookahead")
    values = _float32_cpu_copy(values)
    _check_range(name, values[:, None])
    return values


def _check_kind(name: str, tensor: Tensor) -> None:
    if not isinstance(tensor, Tensor):
        raise TypeError(f"{name} is a {type(tensor).__name__}, wanted a torch.Tensor")
    dense = tensor.layout == torch.strided and not tensor.is_nested and not tensor.is_meta
    if not dense or tensor.dtype not in _FLOATS:
        kind = f"{'nested, ' if tensor.is_nested else ''}{tensor.dtype}, {tensor.layout}, on {tensor.device.type}"
        raise ValueError(f"{name} are {kind}, wanted a dense tensor of float16, bfloat16, float32 or float64")


def _check_range(name: str, numbers: Tensor) -> None:
    """numbers: (n, k), k of each lookahead."""
    in_range = (numbers.abs() <= LARGEST).all(dim=1)
    if not in_range.all():
        raise ValueError(
            f"{name} are not finite or beyond {LARGEST:g} at lookahead {_numbered(~in_range)}, "
            f"wanted finite numbers from {-LARGEST:g} to {LARGEST:g}"
        )


def _float32_cpu_copy(tensor: Tensor) -> Tensor:
    return tensor.detach().to("cpu", torch.float32, copy=True).contiguous()


def _numbered(which: Tensor) -> str:
    """The lookaheads named by a (n,) mask, counted from 1 as people see them."""
    numbers = (which.nonzero().flatten() + 1).tolist()
    more = f" and {len(numbers) - 5} more" if len(numbers) > 5 else ""
    return "no. " + ", ".join(map(str, numbers[:5])) + more
