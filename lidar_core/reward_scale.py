"""Rewards on a common scale, so that one reward strength suits every reward model."""

from torch import Tensor


def standardise(rewards: Tensor) -> Tensor:
    """Return (rewards - mean) / standard deviation over the set, (n,) without unit, in the dtype of the rewards.

    The deviation is that of the set itself (divided by n), after which lambda counts in standard deviations of the
    reward. All zeros where the rewards are equal, as for n = 1. This is no part of the LiDAR paper (arXiv 2602.03211),
    which multiplies the raw reward by lambda. Raises ValueError unless rewards are (n,) floats with n >= 1.
    """
    if rewards.ndim != 1 or rewards.shape[0] == 0 or not rewards.is_floating_point():
        raise ValueError(
            f"rewards are {rewards.dtype} of shape {tuple(rewards.shape)}, wanted floats (n,) with n at least 1"
        )
    lowest, highest = rewards.float().aminmax()
    if lowest == highest:
        return rewards.new_zeros(rewards.shape)
    # In units of the range first, so that neither an offset nor a tiny or huge spread is lost to rounding.
    fraction = (rewards.float() - lowest) / (highest - lowest)
    centred = fraction - fraction.mean()
    return (centred / centred.square().mean().sqrt()).to(rewards.dtype)
