"""The closed-form guidance of LiDAR in x0-space: how far the denoised prediction moves towards rewarded lookaheads.

    l   = log_likelihood(x, z)      w = softmax(l)      w_r = softmax(l + lambda r)
    denoised' = denoised + s * shift,     shift = sum_i (w_r,i - w_i) z_i

s is the guidance scale, lambda the reward strength. With exact samples z, many of them, and s = 1 the sampler draws
from the reward-tilted law p(z) exp(lambda r(z)) / Z; larger s is stronger and no longer exact.
"""

from typing import NamedTuple

import torch
from torch import Tensor

from .weights import effective_sample_size, log_likelihood


class TiltInfo(NamedTuple):
    """How many lookaheads take part: effective sample sizes, (B,) float32 in [1, n]."""

    ess: Tensor
    """Of w, the weights by likelihood alone."""
    tilted_ess: Tensor
    """Of w_r, the weights by likelihood and reward."""


def reward_tilted_shift(
    x: Tensor, particles: Tensor, rewards: Tensor, *, alpha: Tensor, sigma: Tensor, reward_strength: float
) -> tuple[Tensor, TiltInfo]:
    """Return the shift sum_i (w_r,i - w_i) z_i of the denoised prediction, (B, *S), and the effective sample sizes.

    Theorem 3.3 of LiDAR (arXiv 2602.03211), whose gradient grad_x log(sum_i w_i exp(lambda r_i)) is
    (alpha / sigma^2) * shift; by Tweedie's formula the posterior mean then moves by exactly this shift.

    x: (B, *S), the noisy latent; particles: (n, *S), the lookaheads in the space of x; rewards: (n,), higher is better;
    alpha, sigma: (B,), x = alpha * z + sigma * noise; reward_strength: lambda, in one over the unit of the rewards.
    Computes in float32, returns x's dtype and device. Exactly 0 where lambda is 0, all rewards are equal, or n is 1.
    Finite for every finite input, sigma = 0 and alpha = 0 included. Raises ValueError where the shapes do not fit.
    """
    if rewards.shape != particles.shape[:1]:
        raise ValueError(
            f"rewards have shape {tuple(rewards.shape)}, wanted one per particle, shape ({particles.shape[0]},)"
        )
    log_weights = log_likelihood(x, particles, alpha=alpha, sigma=sigma)
    # The best reward becomes 0: softmax does not see it, and a common offset of the rewards costs no digits.
    rewards = rewards.float()
    tilted_log_weights = log_weights + reward_strength * (rewards - rewards.amax())
    difference = torch.softmax(tilted_log_weights, dim=1) - torch.softmax(log_weights, dim=1)
    z = particles.float().flatten(1)
    # The differences sum to 0, so the mean lookahead drops out; taken off beforehand, so does its rounding error.
    shift = (difference @ (z - z.mean(dim=0))).view(x.shape).to(x.dtype)
    return shift, TiltInfo(effective_sample_size(log_weights), effective_sample_size(tilted_log_weights))
