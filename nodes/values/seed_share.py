"""Whether pictures of one prompt differ: the part of their variance that comes from the seed."""

from torch import Tensor

LOW = 0.3
"""Below this the pictures look alike: a rule of thumb, not measured on full-size models."""


def seed_share(images: Tensor) -> float:
    """Return the variance across pictures at a place, as a share of the variance of all their pixels; from 0 to 1.

    images: (n, channels, h, w) of one prompt, reduced so that texture does not count; n at least 2. 0: all are the same
    picture; 1: their mean is plain, they have nothing in common but their colours. Each channel is compared with itself.
    """
    images = images.double()
    across = images.var(dim=0, correction=1).mean(dim=(-2, -1)).sum()
    along = images.mean(dim=0).var(dim=(-2, -1), correction=0).sum()
    # The mean of n pictures still varies by across / n from place to place
    along = (along - across / len(images)).clamp(min=0)
    total = across + along
    return float(across / total) if total > 0 else 0.0
