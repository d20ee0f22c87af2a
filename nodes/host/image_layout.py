"""Adapter: the host's IMAGE as reward models see it; the only place that knows its layout."""

import torch


def channels_first(images: torch.Tensor) -> torch.Tensor:
    """IMAGE (n, H, W, C) in [0, 1] -> (n, 3, H, W).

    C = 3, or 4 with an alpha channel, which is dropped, or 1, which is grey. ValueError for anything else, and for n = 0.
    """
    if images.ndim != 4 or images.shape[-1] not in (1, 3, 4) or len(images) == 0:
        raise ValueError(
            f"images must be an IMAGE (n, height, width, 3) with n of 1 or more, got {tuple(images.shape)}"
        )
    colour = images.expand(-1, -1, -1, 3) if images.shape[-1] == 1 else images[..., :3]
    return colour.movedim(-1, 1)
