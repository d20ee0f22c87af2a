"""Rewards on a common scale, so that one reward strength suits every reward model."""

from torch import Tensor


def standardise(rewards: Tensor) -> Tensor:
    """Return (rewards - mean) / standard deviation over the set, (n,) without unit, in the dtype of the rewards.

    The deviation is that of the set itself (divided by n), after which lambda counts in standard deviations of the
    reward. All zeros where the rewards are equal, as for n = 1. Computes in that dtype too, and holds for every finite
    reward that it has. This is no part of the LiDAR paper (arXiv 2602.03211), which multiplies the raw reward by
    lambda. Raises ValueError unless rewards are (n,) finite floats with n >= 1.
    """
    if rewards.ndim != 1 or rewards.shape[0] == 0 or not rewards.is_floating_point():
        raise ValueError(
            f"rewards are {rewards.dtype} of shape {tuple(rewards.shape)}, wanted floats (n,) with n at least 1"
        )
    lowest, highest = rewards.aminmax()
    if not (lowest.isfinite() and highest.isfinite()):  # NaN if there is one
        bad = (~rewards.isfinite()).sum().item()
        raise ValueError(f"{bad} of {len(rewards)} rewards are not finite, wanted finite numbers")
    if lowest == highest:
        return rewards.new_zeros(rewards.shape)
    # In halves where the range itself overflows; what they round off is nothing beside it.
    if (highest - lowest).isinf():
        rewards, lowest, highest = rewards / 2, lowest / 2, highest / 2
    # In units of the range first, so that neither an offset nor a tiny or huge spread is lost to rounding.
    fraction = (rewards - lowest) / (highest - lowest)
    centred = fraction - fraction.mean()
    return centred / centred.square().mean().sqrt()
