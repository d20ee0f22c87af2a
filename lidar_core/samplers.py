"""Small solvers for both phases, on any denoiser: x = z + sigma * noise, denoiser(x, sigma (B,)) -> the mean of z.

sample_ddim       one evaluation a step, first order, deterministic
sample_dpmpp_2m   one evaluation a step, second order, deterministic: the better one for few steps
karras_sigmas     noise levels for either
"""

import math
from collections.abc import Callable

import torch
from torch import Tensor

Denoiser = Callable[[Tensor, Tensor], Tensor]


def karras_sigmas(steps: int, sigma_min: float, sigma_max: float) -> Tensor:
    """Return `steps` noise levels from sigma_max down to sigma_min and a final 0, (steps + 1,) float32.

    EDM (arXiv 2206.00364), Eq. 5 with rho = 7. With steps = 1 only sigma_max and 0 are left. Raises ValueError unless
    steps >= 1 and 0 < sigma_min < sigma_max.
    """
    if steps < 1 or not 0 < sigma_min < sigma_max < math.inf:
        raise ValueError(
            f"got steps = {steps}, sigma_min = {sigma_min}, sigma_max = {sigma_max}, "
            "wanted steps >= 1 and 0 < sigma_min < sigma_max"
        )
    ramp = torch.linspace(0, 1, steps, dtype=torch.float64)
    sigmas = (sigma_max ** (1 / 7) + ramp * (sigma_min ** (1 / 7) - sigma_max ** (1 / 7))) ** 7
    return torch.cat([sigmas, sigmas.new_zeros(1)]).float()


def sample_ddim(denoiser: Denoiser, x: Tensor, sigmas: Tensor) -> Tensor:
    """Return x, (B, *S), taken from sigmas[0] to sigmas[-1] by DDIM; level 0 is the clean sample.

    DDIM (arXiv 2010.02502), Eq. 12 without fresh noise, in the variance-exploding form.

    denoiser(x (B, *S), sigma (B,)) -> (B, *S); x: a clean sample plus noise of sigmas[0]; sigmas: strictly decreasing.
    Steps in float32 or better, returns x's dtype. Raises ValueError for other sigmas, and for a denoiser that changes
    the shape.
    """
    state = _solver_state(x)
    for sigma, next_sigma in _steps(sigmas):
        denoised = _denoise(denoiser, state, sigma, x.dtype)
        state = denoised + (next_sigma / sigma) * (state - denoised)
    return state.to(x.dtype)


def sample_dpmpp_2m(denoiser: Denoiser, x: Tensor, sigmas: Tensor) -> Tensor:
    """Return x, (B, *S), taken from sigmas[0] to sigmas[-1] by DPM-Solver++(2M); level 0 is the clean sample.

    DPM-Solver++ (arXiv 2211.01095), Algorithm 2 with alpha = 1 and lambda = -log sigma; the first step, and one to
    sigma = 0 (an infinite step in lambda), are of first order.

    denoiser(x (B, *S), sigma (B,)) -> (B, *S); x: a clean sample plus noise of sigmas[0]; sigmas: strictly decreasing.
    Steps in float32 or better, returns x's dtype. Raises ValueError for other sigmas, and for a denoiser that changes
    the shape.
    """
    state = _solver_state(x)
    last_denoised, last_width = None, 0.0
    for sigma, next_sigma in _steps(sigmas):
        denoised = _denoise(denoiser, state, sigma, x.dtype)
        target = denoised
        if next_sigma > 0:
            width = math.log(sigma / next_sigma)
            if last_denoised is not None:
                target = denoised + (width / (2 * last_width)) * (denoised - last_denoised)
            last_denoised, last_width = denoised, width
        state = target + (next_sigma / sigma) * (state - target)
    return state.to(x.dtype)


def _solver_state(x: Tensor) -> Tensor:
    return x.to(torch.promote_types(x.dtype, torch.float32))


def _steps(sigmas: Tensor) -> list[tuple[float, float]]:
    levels = sigmas.tolist()
    pairs = list(zip(levels, levels[1:], strict=False)) if sigmas.ndim == 1 else []
    if not pairs or not all(math.inf > high > low >= 0 for high, low in pairs):
        raise ValueError(f"sigmas are {levels}, wanted two or more strictly decreasing levels, the last one 0 or more")
    return pairs


def _denoise(denoiser: Denoiser, state: Tensor, sigma: float, dtype: torch.dtype) -> Tensor:
    sigmas = torch.full(state.shape[:1], sigma, dtype=state.dtype, device=state.device)
    denoised = denoiser(state.to(dtype), sigmas)
    if denoised.shape != state.shape:
        raise ValueError(f"the denoiser returned shape {tuple(denoised.shape)}, wanted that of x, {tuple(state.shape)}")
    return denoised.to(state.dtype)
