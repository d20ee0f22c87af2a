"""How the host's model families mix signal and noise: the only place that knows them.

A sampler's x is alpha * z + std * noise, with z the clean latent in model space. The host's comfy/model_sampling.py
pairs a schedule with one of these classes, whose `noise_scaling` is the truth that the tests compare with:

    EPS, V_PREDICTION, EDM, X0, LCM, COSMOS_RFLOW     alpha = 1            std = sigma
    CONST (flow matching)                             alpha = 1 - sigma    std = sigma * noise_scale
    IMG_TO_IMG, IMG_TO_IMG_FLOW                       no noise is added: refused
    V_PREDICTION_DDPM (CogVideoX)                     x lives in another space with the model's own sampler: refused
"""

import comfy.model_sampling as host
import torch
from torch import Tensor

_VARIANCE_EXPLODING = (host.EPS, host.COSMOS_RFLOW)
_NO_NOISE = (host.IMG_TO_IMG, host.IMG_TO_IMG_FLOW)


def signal_and_noise(model_sampling: object, sigma: Tensor) -> tuple[Tensor, Tensor]:
    """Return (alpha, std), both (B,), of x = alpha * z + std * noise at the host's noise level sigma (B,).

    Raises ValueError for a model whose sampling is not of this form, or not known to be.
    """
    if isinstance(model_sampling, _NO_NOISE):
        raise ValueError(
            f"LiDAR cannot steer this model: its sampling ({_family(model_sampling)}) adds no noise to a latent; "
            "connect a text-to-image MODEL (eps, v-prediction, EDM or flow sampling) to model."
        )
    if isinstance(model_sampling, host.CONST):
        # Older hosts have no noise_scale; there the noise has standard deviation sigma.
        return 1.0 - sigma, sigma * getattr(model_sampling, "noise_scale", 1.0)
    if isinstance(model_sampling, _VARIANCE_EXPLODING):
        return torch.ones_like(sigma), sigma
    raise ValueError(
        f"LiDAR does not know how this model adds noise: its sampling is {_family(model_sampling)}; "
        "connect a MODEL with eps, v-prediction, EDM or flow sampling to model."
    )


def _family(model_sampling: object) -> str:
    bases = [base for base in type(model_sampling).__mro__ if hasattr(base, "noise_scaling")]
    named = [base.__name__ for base in bases if base.__module__ == host.__name__]
    return named[0] if named else type(model_sampling).__name__
