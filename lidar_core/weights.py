"""The weights of the lookaheads as log-weights: how likely each one is to be what x_t came from.

x_t = alpha * z + sigma * noise: alpha = 1 for variance-exploding models, 1 - sigma for flow models.
"""

import torch
from torch import Tensor

from .particles import Particles


def log_likelihood(x: Tensor, particles: Particles, *, alpha: Tensor, sigma: Tensor) -> Tensor:
    """Return log N(x_b; alpha_b z_i, sigma_b^2 I) for every row b and lookahead i, (B, n), up to a constant per row.

    This is the exponent -||x_b - alpha_b z_i||^2 / (2 sigma_b^2) of Theorem 3.3 of LiDAR (arXiv 2602.03211), plus a
    number that depends on b alone and that every softmax over i cancels: it makes the nearest lookahead exactly 0 and
    all others negative. So differences along a row are meant, values of different rows cannot be compared.

    x: (B, *S) any float dtype; particles: n of shape S; alpha, sigma: (B,), sigma in the unit of x. Returns float32.
    Finite for x from -1e12 to 1e12 (LARGEST), alpha from 0 to 1 and sigma from 0 to infinity. sigma below 1.1e-19 counts
    as that, and nothing is below -3.4e38. So at sigma = 0 it is the limit: 0 for the nearest lookahead (for each one that
    ties in float32, or within 3e-36 in squared distance) and for the rest so little that softmax makes it 0. At alpha = 0 x
    tells nothing, and all are 0. A number in x that is not finite makes its own row NaN, and one beyond 1e12 may, where
    float32 overflows. Raises ValueError where the shapes do not fit together.
    """
    _check_shapes(x, particles, alpha=alpha, sigma=sigma)
    alpha, sigma = alpha.float(), sigma.float()
    # ||x - alpha z||^2 centred on the mean lookahead and multiplied out, without ||x||^2: no (B, n, D) temporary.
    row_alpha = alpha.view(-1, *[1] * len(particles.shape))
    products = particles.inner_products(row_alpha * (x.float() - row_alpha * particles.mean))
    closeness = products.sub_(alpha[:, None] ** 2 / 2 * particles.squared_norms)  # (blocks, B, n)
    # Block by block, for one product of full length rounds sums of 1e5. Less the nearest one's before the blocks are
    # summed, for near x they are equal and large where a few lookaheads are alike and the others are not. Errors of the
    # shift, the worst of 16 (n = 50, D = 262144, two lookaheads equally near), at sigma 1.5, 0.5, 0.1:
    #                                       two unlike                  two alike, the others not
    #     one product                       1e-2, 1e-1, 1               3e-2, 2e-1, 1
    #     blocks, summed as they are        9e-5, 4e-4, 2e-2            2e-3, 2e-2, 3e-1
    #     blocks less the nearest one's     9e-5, 5e-4, 1e-2            2e-4, 8e-4, 4e-2
    nearest = closeness.sum(dim=0).argmax(dim=1)
    behind = (closeness - closeness.take_along_dim(nearest[None, :, None], dim=2)).sum(dim=0)
    behind = behind - behind.amax(dim=1, keepdim=True)
    limits = torch.finfo(torch.float32)
    return (behind / sigma[:, None].square().clamp(min=limits.tiny)).clamp(min=limits.min)


def effective_sample_size(log_weights: Tensor) -> Tensor:
    """Return Kish's effective sample size 1 / sum_i w_i^2 of w = softmax(log_weights), (B,) float32 in [1, n].

    n says that all lookaheads count alike, 1 that one has all the weight.
    log_weights: (B, n) in the range of float32, not normalised; -inf is a weight of 0, and a row of nothing else has no
    weights and gives NaN.
    Raises ValueError where log_weights is not (B, n) with n >= 1. Source: Kish, Survey Sampling (1965), section 11.7.
    """
    if log_weights.ndim != 2 or log_weights.shape[1] == 0:
        raise ValueError(f"log_weights have shape {tuple(log_weights.shape)}, wanted (B, n) with n at least 1")
    weights = torch.softmax(log_weights.float(), dim=1)
    return weights.square().sum(dim=1).reciprocal().clamp(1, log_weights.shape[1])


def _check_shapes(x: Tensor, particles: Particles, *, alpha: Tensor, sigma: Tensor) -> None:
    if x.shape[1:] != particles.shape:
        raise ValueError(
            f"x has shape {tuple(x.shape)}, wanted (B, *S) with S = {tuple(particles.shape)} as of each of the particles"
        )
    for name, value in (("alpha", alpha), ("sigma", sigma)):
        if value.shape != x.shape[:1]:
            raise ValueError(f"{name} has shape {tuple(value.shape)}, wanted ({x.shape[0]},), one per row of x")
