"""Some images of a batch, with the latents and masks that belong to them."""

import itertools
from typing import Any

import torch

from .origins import ORIGINS


def select_latents(latents: dict[str, Any], indices: torch.Tensor, count: int) -> dict[str, Any]:
    """Return a LATENT with the samples at `indices`, their noise masks and batch_index too; ValueError unless it has `count`.

    A LATENT without batch_index holds rows 0, 1, ... of its seed's noise, and those chosen keep theirs.
    """
    samples = latents["samples"]
    if len(samples) != count:
        raise ValueError(
            f"latents has {len(samples)} samples for {count} images: connect the latents that the images were decoded from"
        )
    selected = latents | {"samples": samples[indices]}
    mask, places = latents.get("noise_mask"), latents.get("batch_index") or range(count)
    if mask is not None and len(mask) == count:
        selected["noise_mask"] = mask[indices]
    selected["batch_index"] = [places[i] for i in indices.tolist()]
    if len(latents.get(ORIGINS, ())) == count:
        selected[ORIGINS] = tuple(latents[ORIGINS][i] for i in indices.tolist())
    return selected


def longer_batch(latents: dict[str, Any], count: int) -> dict[str, Any]:
    """Return a LATENT of `count` rows, its own again and again; every row beyond its own has the next unused row of noise."""
    own = len(latents["samples"])
    if count <= own:
        return latents
    longer = select_latents(latents, torch.arange(count) % own, own)
    rows = longer["batch_index"][:own]
    unused = (row for row in itertools.count() if row not in rows)
    longer["batch_index"] = rows + list(itertools.islice(unused, count - own))
    return longer


def select_masks(masks: torch.Tensor, indices: torch.Tensor, count: int) -> torch.Tensor:
    """Return the MASKs (k, H, W) at `indices`, one mask for all as often as needed; ValueError for another count."""
    masks = masks[None] if masks.ndim == 2 else masks
    if len(masks) not in (1, count):
        raise ValueError(f"masks has {len(masks)} masks for {count} images: give one for each, or one for all")
    return masks.expand(count, -1, -1)[indices]
