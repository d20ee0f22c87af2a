"""LookaheadSet: the clean samples of the lookahead phase with their rewards, as one immutable value."""

from collections.abc import Mapping, Sequence
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

    def top(self, k: int) -> "LookaheadSet":
        """Return the k lookaheads of highest reward, best first; raises ValueError unless 1 <= k <= n."""
        if not 1 <= k <= self.count:
            raise ValueError(f"top got k = {k}, wanted 1 to {self.count}, the number of lookaheads")
        best = self.order()[:k]
        return LookaheadSet(self.latents[best], self.rewards[best], self.reward_name, self.metadata)

    @classmethod
    def merge(cls, sets: "Sequence[LookaheadSet]") -> "LookaheadSet":
        """Return all lookaheads of `sets`, in the order given, as one set.

        Metadata entries on which all sets agree are kept. Raises ValueError for no sets, latents of different shapes,
        or rewards of different names (an empty name agrees with every name).
        """
        if not sets:
            raise ValueError("merge got no lookahead sets, wanted at least one")
        shape = sets[0].latents.shape[1:]
        names = sorted({s.reward_name for s in sets if s.reward_name})
        for index, other in enumerate(sets):
            if other.latents.shape[1:] != shape:
                raise ValueError(
                    f"set {index} has lookaheads of shape {tuple(other.latents.shape[1:])}, "
                    f"wanted {tuple(shape)} as in set 0"
                )
        if len(names) > 1:
            raise ValueError(f"the sets were scored by different rewards ({', '.join(names)}), wanted one")
        agreed = dict(set.intersection(*(set(s.metadata.items()) for s in sets)))
        latents, rewards = torch.cat([s.latents for s in sets]), torch.cat([s.rewards for s in sets])
        return cls(latents, rewards, names[0] if names else "", dict(sorted(agreed.items())))


def _float32_cpu_copy(tensor: Tensor) -> Tensor:
    return tensor.detach().to("cpu", torch.float32, copy=True).contiguous()


def _listed(indices: list[int]) -> str:
    more = f" and {len(indices) - 5} more" if len(indices) > 5 else ""
    return ", ".join(map(str, indices[:5])) + more
