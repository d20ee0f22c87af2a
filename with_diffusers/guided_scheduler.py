"""LiDAR in a diffusers pipeline: the pipeline's own scheduler, with each prediction moved before its step.

    pipeline.scheduler = guided_scheduler(pipeline.scheduler, shift)

A pipeline hands its scheduler the model's output after classifier-free guidance: there LiDAR acts, as the host's post-CFG
function does. Moving the denoised prediction by d moves the output by

    epsilon         -d * alpha / sigma
    v_prediction    -d * c / sigma      c = sqrt(alpha^2 + sigma^2), 1 where the scheduler keeps the variance
    flow            -d / sigma
    sample           d
"""

import functools
from collections.abc import Callable

import torch
from diffusers import (
    DDIMScheduler,
    DPMSolverMultistepScheduler,
    EulerAncestralDiscreteScheduler,
    EulerDiscreteScheduler,
    FlowMatchEulerDiscreteScheduler,
    SchedulerMixin,
)
from torch import Tensor

Shift = Callable[..., Tensor]
"""shift(x, denoised, alpha=, sigma=) -> (B, *S), what is added to denoised; x, denoised (B, *S), alpha, sigma (B,)."""

_EULER = (EulerDiscreteScheduler, EulerAncestralDiscreteScheduler)
_KNOWN = (*_EULER, DDIMScheduler, DPMSolverMultistepScheduler, FlowMatchEulerDiscreteScheduler)


def guided_scheduler(scheduler: SchedulerMixin, shift: Shift) -> SchedulerMixin:
    """Return a scheduler of the same kind and settings whose steps start from guided predictions.

    TypeError for a scheduler whose noise levels are not known here, ValueError for its prediction_type.
    """
    if not isinstance(scheduler, _KNOWN):
        names = ", ".join(kind.__name__ for kind in _KNOWN)
        raise TypeError(f"the scheduler is a {type(scheduler).__name__}, wanted one of {names}")
    prediction_type = _prediction_type(scheduler)

    class Guided(type(scheduler)):
        @functools.wraps(type(scheduler).step)  # pipelines read which arguments it takes
        def step(self, model_output, timestep, sample, *args, **kwargs):
            alpha, sigma = (level.to(sample.device, torch.float32) for level in _signal_and_noise(self, timestep))
            x, output = sample.float(), model_output.float()
            denoised, slope = _denoised(x, output, alpha, sigma, prediction_type)
            levels = {"alpha": alpha.expand(len(x)), "sigma": sigma.expand(len(x))}
            output = output + slope * shift(x, denoised, **levels)
            return super().step(output.to(model_output.dtype), timestep, sample, *args, **kwargs)

    return Guided.from_config(scheduler.config)


def _prediction_type(scheduler) -> str:
    if isinstance(scheduler, FlowMatchEulerDiscreteScheduler):
        return "flow_prediction"
    name = scheduler.config.prediction_type
    if name not in ("epsilon", "v_prediction", "flow_prediction", "sample"):
        raise ValueError(f"prediction_type is {name!r}, wanted epsilon, v_prediction, flow_prediction or sample")
    return name


def _signal_and_noise(scheduler, timestep) -> tuple[Tensor, Tensor]:
    """alpha and sigma, 0-dimensional, of x = alpha * z + sigma * noise where the scheduler stands."""
    if isinstance(scheduler, DDIMScheduler):
        kept = scheduler.alphas_cumprod[int(timestep)]
        return kept.sqrt(), (1 - kept).sqrt()
    if scheduler.step_index is None:
        scheduler._init_step_index(timestep)
    sigma = scheduler.sigmas[scheduler.step_index]
    if isinstance(scheduler, DPMSolverMultistepScheduler):
        return scheduler._sigma_to_alpha_sigma_t(sigma)
    return (torch.ones_like(sigma) if isinstance(scheduler, _EULER) else 1 - sigma), sigma


def _denoised(
    x: Tensor, output: Tensor, alpha: Tensor, sigma: Tensor, prediction_type: str
) -> tuple[Tensor, Tensor | int]:
    """The denoised prediction, and how much the output changes for a change of it by 1."""
    if prediction_type == "sample":
        return output, 1
    if prediction_type == "flow_prediction":
        return x - sigma * output, -1 / sigma
    if prediction_type == "epsilon":
        return (x - sigma * output) / alpha, -alpha / sigma
    norm = (alpha**2 + sigma**2).sqrt()
    return alpha * x / norm**2 - sigma * output / norm, -norm / sigma
