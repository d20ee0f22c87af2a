"""How the host's model families mix signal and noise: the only place that knows them.

A sampler's x is alpha * z + std * noise, with z the clean latent in model space. In the host's comfy/model_sampling.py
it is the method `noise_scaling` that decides, so the family is told by whose method a model's sampling uses:

    EPS and its V_PREDICTION, EDM, X0, LCM; COSMOS_RFLOW     alpha = 1            std = sigma
    CONST (flow matching)                                    alpha = 1 - sigma    std = sigma * noise_scale
    IMG_TO_IMG, IMG_TO_IMG_FLOW and the like                 no noise model: refused
    V_PREDICTION_DDPM (CogVideoX)                            its own sampler holds x in another space: refused

Models whose batch is one video, an entry a frame (SVD, SV3D), are refused too: LiDAR takes each entry for an image.
"""

import comfy.model_base
import comfy.model_sampling as host
import torch
from torch import Tensor


def require_steerable(model) -> None:
    """Refuse a ModelPatcher that LiDAR can neither draw lookaheads with nor steer: ValueError that names its family."""
    signal_and_noise(model.get_model_object("model_sampling"), torch.ones(1))
    if isinstance(model.model, comfy.model_base.SVD_img2vid):
        raise ValueError(
            f"{type(model.model).__name__} cannot be steered: the batch of this image-to-video model is one video, and LiDAR "
            "takes every entry for an image of its own; connect a model that makes images, or videos in one latent, to model."
        )


def signal_and_noise(model_sampling: object, sigma: Tensor) -> tuple[Tensor, Tensor]:
    """Return (alpha, std), both (B,), of x = alpha * z + std * noise at the host's noise level sigma (B,).

    Raises ValueError for a model whose sampling is not of this form, or not known to be.
    """
    mixing = getattr(type(model_sampling), "noise_scaling", None)
    # IMG_TO_IMG inherits the method, but its models read the picture to change from x.
    if mixing in (host.EPS.noise_scaling, host.COSMOS_RFLOW.noise_scaling) and not isinstance(
        model_sampling, host.IMG_TO_IMG
    ):
        return torch.ones_like(sigma), sigma
    if mixing is host.CONST.noise_scaling:
        # Older hosts have no noise_scale; there the noise has standard deviation sigma.
        return 1.0 - sigma, sigma * getattr(model_sampling, "noise_scale", 1.0)
    raise ValueError(
        f"this model cannot be steered: its sampling ({_family(model_sampling)}) is not signal plus noise as LiDAR "
        "knows it; connect a text-to-image MODEL with eps, v-prediction, EDM or flow sampling to model."
    )


def _family(model_sampling: object) -> str:
    bases = [base for base in type(model_sampling).__mro__ if hasattr(base, "noise_scaling")]
    named = [base.__name__ for base in bases if base.__module__ == "comfy.model_sampling"]
    return named[0] if named else type(model_sampling).__name__
