"""Several reward models as one: a weighted sum in which every member speaks equally loud."""

from dataclasses import dataclass

import torch

from ..lidar_core import standardise
from .hosted_reward_model import HostedRewardModel


@dataclass(frozen=True, eq=False)
class CombinedReward:
    """A LIDAR_REWARD_MODEL made of others. members: (reward, weight); a negative weight turns its reward round."""

    members: "tuple[tuple[HostedRewardModel | CombinedReward, float], ...]"

    @property
    def name(self) -> str:
        """The members with their weights, for people."""
        terms = "".join(
            f" {'-' if weight < 0 else '+'} {abs(weight):g} {_name(reward)}" for reward, weight in self.members
        )
        return terms.removeprefix(" + ").strip()

    @property
    def models(self) -> tuple[HostedRewardModel, ...]:
        """The reward models to score with, each once."""
        return tuple(dict.fromkeys(model for reward, _ in self.members for model in reward.models))

    def is_dynamic(self) -> bool:
        """Whether the host pages all weights itself; its RAM cache asks."""
        return all(reward.is_dynamic() for reward, _ in self.members)

    def total(self, scores: dict[HostedRewardModel, torch.Tensor]) -> torch.Tensor:
        """Return the weighted sum, (n,): each member is standardised over these n images first."""
        return sum(weight * standardise(reward.total(scores)) for reward, weight in self.members)


def _name(reward: HostedRewardModel | CombinedReward) -> str:
    return f"({reward.name})" if isinstance(reward, CombinedReward) else reward.name
