"""The closed-form guidance of LiDAR in x0-space: how far the denoised prediction moves towards rewarded lookaheads.

    l   = log_likelihood(x, z) / T      w = softmax(l)      w_r = softmax(l + lambda r)
    denoised' = denoised + s * shift
    difference_shift    shift = sum_i (w_r,i - w_i) z_i             the paper's
    blend_shift         shift = sum_i w_r,i z_i - denoised          the same mean, but the model's own in place of sum_i w_i z_i

s is the guidance scale, lambda the reward strength, T the temperature. The exact move is the mean of z given x under the tilted
law p(z) exp(lambda r(z)) / Z less that under p(z). Both estimate the first by the lookaheads. The second is what the
denoiser knows exactly: the paper estimates it too, so that errors cancel where the weights are spread out; with few
effective lookaheads they do not, and s > 1 overshoots. Taken from the denoiser, the move ends at the rewarded
lookaheads for s = 1 and never goes past them. With exact samples z, many of them, T = 1 and s = 1 either one draws from the
tilted law.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import NamedTuple

import torch
from torch import Tensor

from .number_range import LARGEST
from .particles import Particles
from .weights import effective_sample_size, log_likelihood


class TiltInfo(NamedTuple):
    """How many lookaheads take part: effective sample sizes, (B,) float32 in [1, n]."""

    ess: Tensor
    """Of w, the weights by likelihood alone."""
    tilted_ess: Tensor
    """Of w_r, the weights by likelihood and reward."""


def difference_shift(
    x: Tensor,
    denoised: Tensor,
    particles: Particles,
    rewards: Tensor,
    *,
    alpha: Tensor,
    sigma: Tensor,
    reward_strength: float,
    temperature: float = 1.0,
) -> tuple[Tensor, TiltInfo]:
    """Return the shift sum_i (w_r,i - w_i) z_i of the denoised prediction, (B, *S), and the effective sample sizes.

    Theorem 3.3 of LiDAR (arXiv 2602.03211), whose gradient grad_x log(sum_i w_i exp(lambda r_i)) is
    (alpha / sigma^2) * shift; by Tweedie's formula the posterior mean then moves by exactly this shift.

    x: (B, *S), the noisy latent; denoised: (B, *S), the model's prediction at x, which this form does not read;
    particles: the n lookaheads in the space of x, prepared once for all calls;
    rewards: (n,), higher is better; alpha, sigma: (B,), x = alpha * z + sigma * noise;
    reward_strength: lambda, in one over the unit of the rewards;
    temperature: T, 1e-12 to infinity, divides the log-likelihoods; 1 is the paper's, more lets farther ones take part.
    Computes in float32, returns x's dtype and device. Exactly 0 where lambda is 0, all rewards are equal, or n is 1.
    Finite for x and rewards from -1e12 to 1e12 (LARGEST; Particles and LookaheadSet hold to it, here it is not read, as
    that would wait for the device), alpha from 0 to 1 and sigma from 0 to infinity, as far as x's dtype has the number:
    float16 ends at 65504. The rows of an x that is not finite are NaN, as in log_likelihood. Raises ValueError where the
    shapes do not fit, T is out of its range or lambda is beyond 1e12 either way.
    """
    log_weights, tilted = _log_weights(x, denoised, particles, rewards, alpha, sigma, reward_strength, temperature)
    difference = torch.softmax(tilted, dim=1) - torch.softmax(log_weights, dim=1)
    # The differences sum to 0, so that the mean, which the particles are without, drops out.
    shift = particles.weighted_sum(difference)
    return shift.to(x.dtype), TiltInfo(effective_sample_size(log_weights), effective_sample_size(tilted))


def blend_shift(
    x: Tensor,
    denoised: Tensor,
    particles: Particles,
    rewards: Tensor,
    *,
    alpha: Tensor,
    sigma: Tensor,
    reward_strength: float,
    temperature: float = 1.0,
) -> tuple[Tensor, TiltInfo]:
    """Return sum_i w_r,i z_i - denoised, (B, *S): the way to the mean of the rewarded lookaheads, and the sample sizes.

    The first half of Theorem 3.3 of LiDAR (arXiv 2602.03211); its second half, the plain posterior mean, is the model's
    own prediction by Tweedie's formula. Not 0 where lambda is 0: then it leads to the lookaheads near x.

    denoised is in the range of x; the rest, dtypes, limits and errors as in difference_shift.
    """
    log_weights, tilted = _log_weights(x, denoised, particles, rewards, alpha, sigma, reward_strength, temperature)
    shift = particles.mean + particles.weighted_sum(torch.softmax(tilted, dim=1)) - denoised
    return shift.to(x.dtype), TiltInfo(effective_sample_size(log_weights), effective_sample_size(tilted))


GUIDANCE_FORMS: Mapping[str, Callable[..., tuple[Tensor, TiltInfo]]] = MappingProxyType(
    {"difference": difference_shift, "blend": blend_shift}
)
"""The forms by name; all take the same arguments."""


def _log_weights(x, denoised, particles, rewards, alpha, sigma, reward_strength, temperature) -> tuple[Tensor, Tensor]:
    """The log-weights by likelihood, and by likelihood and reward, both (B, n)."""
    if denoised.shape != x.shape:
        raise ValueError(f"denoised has shape {tuple(denoised.shape)}, wanted that of x, {tuple(x.shape)}")
    if not temperature >= 1 / LARGEST:
        raise ValueError(f"temperature is {temperature}, wanted a number of at least {1 / LARGEST:g}")
    if not abs(reward_strength) <= LARGEST:
        raise ValueError(f"reward_strength is {reward_strength}, wanted a number from {-LARGEST:g} to {LARGEST:g}")
    if rewards.shape != (particles.count,):
        raise ValueError(
            f"rewards have shape {tuple(rewards.shape)}, wanted one per particle, shape ({particles.count},)"
        )
    log_weights = log_likelihood(x, particles, alpha=alpha, sigma=sigma) / temperature
    # The best reward becomes 0: softmax does not see it, and a common offset of the rewards costs no digits.
    rewards = rewards.float()
    return log_weights, log_weights + reward_strength * (rewards - rewards.amax())
