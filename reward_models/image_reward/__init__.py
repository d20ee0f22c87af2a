"""ImageReward v1, the reward of the LiDAR paper, in plain torch."""

from .model import ImageReward, load_image_reward

__all__ = ["ImageReward", "load_image_reward"]
