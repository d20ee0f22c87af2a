"""Universal Guidance: gradient ascent on the reward of the predicted clean image, through denoiser, decoder and reward.

Bansal et al. 2023, arXiv 2302.07121, forward guidance: the predicted noise moves by s(t) * grad_{z_t} loss(x0_hat), with
s(t) = s * sqrt(1 - alpha_t) and, here, loss = -reward. With x = z / sqrt(alpha) and sigma^2 = (1 - alpha) / alpha this is

    denoised' = denoised + weight * sigma^2 * grad_x reward(decode(denoised(x)))        weight = s

so `weight` is in units of 1 / reward: it is the strength of the tilt exp(weight * reward) that the sampler approximately draws from.
The gradient is that of the prediction after classifier-free guidance. Simplified: no backward guidance (the inner optimisation of
x0) and no self-recurrence. Added: a bound on the shift, without which the mean reward was lower at the weights 20 and 40.
"""

import torch
from comfy.patcher_extension import WrappersMP
from torch import Tensor

from ..world import Task, World
from .reward_gradient import reward_gradient


def draw(
    world: World, task: Task, *, count: int, steps: int, weight: float = 40.0, every: int = 1, max_shift: float = 1.0
) -> Tensor:
    """Return latents (count, *shape) of `steps` steps of the host's sampler under gradient guidance.

    weight: the guidance in units of 1 / reward; 0 is the plain sampler at the cost of the gradients. every: guide each so
    many steps, beginning with the first. max_shift: bound on the root mean square of an image's shift, in units of the
    model's latent space (std about 1); longer ones are shortened to it. math.inf is the paper's own form.
    """
    sigmas = world.sigmas(steps)

    def guide(executor, x, timestep, *args, **kwargs):
        step = int((sigmas - timestep[0].cpu()).abs().argmin())
        if step % every:
            return executor(x, timestep, *args, **kwargs)
        with torch.enable_grad():
            x = x.detach().requires_grad_()
            denoised = executor(x, timestep, *args, **kwargs)
        gradient = reward_gradient(world, task, denoised, x)
        shift = weight * timestep.view(-1, 1, 1, 1) ** 2 * gradient
        length = shift.square().mean(dim=(1, 2, 3), keepdim=True).sqrt()
        return denoised.detach() + shift * (max_shift / length.clamp(min=1e-12)).clamp(max=1.0)

    model = world.model.clone()
    model.add_wrapper_with_key(WrappersMP.PREDICT_NOISE, "universal guidance", guide)
    with torch.inference_mode(False), torch.no_grad():
        return world.sample(task, task.noise(count), sigmas, phase="sampling", model=model)
