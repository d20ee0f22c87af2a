"""The guided step inside the host's samplers: the only place that reads post-CFG arguments and changes latent space."""

import logging
import math
from collections.abc import Callable, Mapping

from torch import Tensor

from ..lidar_core import Particles, reward_tilted_shift, tilted_mean_shift
from .noise_levels import signal_and_noise
from .setting_inputs import BLEND

logger = logging.getLogger(__name__)


def make_post_cfg_function(
    latents: Tensor,
    rewards: Tensor,
    *,
    guidance_scale: float,
    reward_strength: float,
    start_percent: float,
    end_percent: float,
    guidance_form: str,
    effective_dimension: float,
) -> Callable[[Mapping], Tensor]:
    """Return a post-CFG function that adds guidance_scale * shift to the denoised prediction, Theorem 3.3 in x0-space.

    guidance_form: BLEND takes tilted_mean_shift, any other reward_tilted_shift. effective_dimension: d of the D numbers of a latent
    count in the log-likelihood, that is temperature D / d; 0, or more than D, is temperature 1.

    latents: (n, *S) lookaheads as a sampler returns them, before process_latent_in; rewards: (n,) on the scale of
    reward_strength. It acts where sigma is above that of end_percent and not above that of start_percent, and reads of
    its arguments only input, sigma, denoised and model: it holds no state, so that any sampler may call it any number
    of times per step, at any noise level, with or without an unconditional prediction.
    """

    numbers = latents[0].numel()
    temperature = numbers / effective_dimension if 0 < effective_dimension < numbers else 1.0

    def add_shift(args: Mapping) -> Tensor:
        x, denoised, model = args["input"], args["denoised"], args["model"]
        sampling = model.model_sampling
        # The host's percent 0 is its sigma_max (flow) or a huge number (others): both mean "from the first step".
        highest = math.inf if start_percent <= 0 else float(sampling.percent_to_sigma(start_percent))
        if not float(sampling.percent_to_sigma(end_percent)) < args["sigma"].max().item() <= highest:
            return denoised
        if x.shape[1:] != latents.shape[1:]:
            raise ValueError(_shape_message(x, latents))
        sigma = args["sigma"].float().flatten().expand(x.shape[0])
        alpha, std = signal_and_noise(sampling, sigma)
        particles = Particles(model.process_latent_in(latents.to(x.device)))
        tilt = {"alpha": alpha, "sigma": std, "reward_strength": reward_strength, "temperature": temperature}
        if guidance_form == BLEND:
            shift, info = tilted_mean_shift(x.float(), particles, rewards.to(x.device), denoised=denoised, **tilt)
        else:
            shift, info = reward_tilted_shift(x.float(), particles, rewards.to(x.device), **tilt)
        if logger.isEnabledFor(logging.DEBUG):  # reading the numbers waits for the device
            logger.debug(
                "LiDAR sigma %.4g: ESS %.2f, tilted ESS %.2f of %d lookaheads, shift rms %.3g",
                sigma[0].item(), info.ess.mean().item(), info.tilted_ess.mean().item(), len(rewards),
                shift.square().mean().sqrt().item(),
            )  # fmt: skip
        return (denoised.float() + guidance_scale * shift).to(denoised.dtype)

    return add_shift


def _shape_message(x: Tensor, latents: Tensor) -> str:
    wanted, got = _shape_text(x), _shape_text(latents)
    if x.ndim == 3 and latents.ndim > 3:
        return (
            f"LiDAR Apply Guidance: the latent being sampled is a packed latent of several parts ({wanted} numbers), "
            "which LiDAR does not support; sample a single image latent."
        )
    return (
        f"LiDAR Apply Guidance: the lookaheads are {got} latents but the latent being sampled is {wanted}; "
        "give LiDAR Sample Lookaheads the same model family and the same latent_image size as this sampler."
    )


def _shape_text(batch: Tensor) -> str:
    return " x ".join(str(size) for size in batch.shape[1:])
