"""What every lookahead starts from, one latent and one mask out of the LATENT that the guided run will use; and what comes out."""

from collections.abc import Sequence

from torch import Tensor

from ...lidar_core import Origin
from ..values.origins import EVALUATIONS, ORIGINS
from .draw import Drawn
from .older_hosts import fix_empty_latent_channels

# Entries that describe the rows or the format of the latent that came in, not of the lookaheads.
_OF_THE_INPUT_BATCH = ("samples", "noise_mask", "batch_index", "downscale_ratio_spacial", "downscale_ratio_temporal")


def starting_latent(model, latent_image: dict, *, denoise: float) -> tuple[Tensor, Tensor | None]:
    """Return (samples (1, *S), noise_mask (1, 1, height, width) or None) that all lookaheads share.

    Lookaheads are drawn for one picture, so the entries of a batch must agree wherever they are seen: with denoise
    below 1 or a mask. An empty latent is adapted to the model's channels and size as the host's KSampler does.
    Raises ValueError for latents of other dimensions or channels, and for batches that disagree.
    """
    samples = fitted_to_model(model, latent_image)
    mask = latent_image.get("noise_mask")
    if mask is not None:
        mask = mask.reshape(-1, 1, *mask.shape[-2:])
        _require_one_picture(mask, what="the noise mask of latent_image", node="Set Latent Noise Mask")
    if denoise < 1 or mask is not None:
        _require_one_picture(samples, what="latent_image", node="Get Latent From Batch")
    return samples[:1], None if mask is None else mask[:1]


def fitted_to_model(model, latent_image: dict) -> Tensor:
    """Return the samples (B, *S), an empty latent with the model's channels and size, as the host's KSampler takes them.

    Raises ValueError for latents of other dimensions or channels.
    """
    samples = fix_empty_latent_channels(
        model,
        latent_image["samples"],
        latent_image.get("downscale_ratio_spacial"),
        latent_image.get("downscale_ratio_temporal"),
    )
    latent_format = model.get_model_object("latent_format")
    if samples.ndim != latent_format.latent_dimensions + 2:
        raise ValueError(
            f"latent_image has shape {tuple(samples.shape)}, the model wants {latent_format.latent_dimensions + 2} "
            "dimensions; connect an empty latent that belongs to this model."
        )
    wanted = latent_format.latent_channels
    if samples.shape[1] != wanted:
        raise ValueError(
            f"latent_image has {samples.shape[1]} channels, the model wants {wanted}; encode the "
            "picture with the VAE that belongs to this model, or connect an empty latent."
        )
    return samples


def latents_like(latent_image: dict, drawn: Drawn, noise_mask: Tensor | None, origins: Sequence[Origin]) -> dict:
    """Return the LATENT of lookaheads drawn for latent_image, with its entries that hold for them too."""
    lookaheads = {name: value for name, value in latent_image.items() if name not in _OF_THE_INPUT_BATCH}
    mask = {} if noise_mask is None else {"noise_mask": noise_mask}
    told = {"batch_index": [each.row for each in origins], ORIGINS: tuple(origins), EVALUATIONS: drawn.evaluations}
    return lookaheads | {"samples": drawn.samples} | told | mask


def _require_one_picture(batch: Tensor, *, what: str, node: str) -> None:
    if not bool((batch == batch[:1]).all()):
        raise ValueError(
            f"{what} holds {batch.shape[0]} different entries, but lookaheads with denoise below "
            f"1 or a mask belong to one picture; connect a single one ({node}), and Repeat Latent Batch for more results."
        )
