"""Reward models: pixels and words in, one number an image out; no host, no files beyond the checkpoint that is named.

`load_reward_model(kind, checkpoint, architecture)` builds one of `REWARD_KINDS`; what every model owes is
written in `RewardModel`. To add a reward, write one file and one line in registry.py.
"""

from .base import RewardModel
from .registry import REWARD_KINDS, RewardKind, load_reward_model

__all__ = ["REWARD_KINDS", "RewardKind", "RewardModel", "load_reward_model"]
