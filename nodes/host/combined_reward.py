"""Several reward models as one: a weighted sum in which every member speaks equally loud."""

from dataclasses import dataclass, field

import torch

from ...lidar_core import Combination, standardise
from ...reward_models.printable import printable
from .hosted_reward_model import HostedRewardModel

_MOST = 64  # members, those of its members included: it bounds names and recursion


@dataclass(frozen=True, eq=False)
class CombinedReward:
    """A LIDAR_REWARD_MODEL made of others. members: (reward, weight); a negative weight turns its reward round.

    ValueError for a member that is no reward model and for more than 64 in all. After that nothing of it can raise: the
    host calls `is_dynamic` where no error is caught.
    """

    members: "tuple[tuple[HostedRewardModel | CombinedReward, float], ...]"
    count: int = field(init=False)
    """Members, those of the members included."""
    models: tuple[HostedRewardModel, ...] = field(init=False)
    """The reward models to score with, each once."""

    def __post_init__(self):
        for reward, _ in self.members:
            if not isinstance(reward, (HostedRewardModel, CombinedReward)):
                kind = type(reward).__name__
                raise ValueError(f"a member is a {kind}, wanted reward models: connect Load LiDAR Reward Model")
        count = sum(1 + (reward.count if isinstance(reward, CombinedReward) else 0) for reward, _ in self.members)
        if count > _MOST:
            raise ValueError(f"the combination has {count} members in all, {_MOST} at most: connect fewer rewards")
        models = dict.fromkeys(model for reward, _ in self.members for model in reward.models)
        object.__setattr__(self, "count", count)
        object.__setattr__(self, "models", tuple(models))

    @property
    def name(self) -> str:
        """The members with their weights, for people."""
        terms = "".join(
            f" {'-' if weight < 0 else '+'} {abs(weight):g} {_name(reward)}" for reward, weight in self.members
        )
        return printable(terms.removeprefix(" + ").strip())

    def is_dynamic(self) -> bool:
        """Whether the host pages all weights itself; its RAM cache asks."""
        return all(model.is_dynamic() for model in self.models)

    def total(self, scores: dict[HostedRewardModel, torch.Tensor]) -> torch.Tensor:
        """Return the weighted sum, (n,): each member is standardised over these n images first."""
        return sum(weight * standardise(reward.total(scores)) for reward, weight in self.members)

    def named(self, names: dict[HostedRewardModel, str]) -> Combination:
        """Return the same sum as data, over scores with these names."""
        return tuple(
            (reward.named(names) if isinstance(reward, CombinedReward) else names[reward], float(weight))
            for reward, weight in self.members
        )

    def direction(self, model: HostedRewardModel) -> float:
        """Return the weight of one of its `models` in the whole, negative where it is turned round."""
        return sum(weight * reward.direction(model) for reward, weight in self.members if model in reward.models)


def _name(reward: HostedRewardModel | CombinedReward) -> str:
    return f"({reward.name})" if isinstance(reward, CombinedReward) else reward.name
