"""Diffusion Adaptive Text Embedding (DATE): the text conditioning climbs the reward of the predicted clean image.

Na et al. 2025, arXiv 2510.23974. At every `every`-th step, before the step is taken,

    c <- c + rate * g / ||g||        g = grad_c reward(decode(denoised(x_t, c))), the norm over all tokens of one image

which is the first-order solution of the paper's maximum within ||delta c|| <= rho, from the embedding of the step before, as the
authors' code has it by default; the step is then taken with the new embedding, which is kept. As there, the unconditional half is
evaluated once, without gradients. Simplified: one update a step, no pull towards the original embedding, and SDXL's pooled
embedding stays as it is: only the cross-attention's moves.
"""

import comfy.samplers
import torch
from comfy.patcher_extension import WrappersMP
from torch import Tensor

from ..world import Task, World
from .reward_gradient import reward_gradient


def draw(world: World, task: Task, *, count: int, steps: int, rate: float = 1.0, every: int = 2) -> Tensor:
    """Return latents (count, 4, 8, 8) of `steps` steps of the host's sampler with a text embedding that climbs the reward.

    rate: length of one update, in the embedding's own units; 0 is the plain sampler at the cost of the gradients. every:
    update at each so many steps, beginning with the first. A step with an update counts as two evaluations; the second of
    them is one network row and not two.
    """
    sigmas = world.sigmas(steps)

    def climb(executor, x, timestep, model_options, seed=None):
        guider = executor.class_obj
        (positive,), negative = guider.conds["positive"], guider.conds["negative"]
        known = positive["model_conds"]["c_crossattn"]
        step = int((sigmas - timestep[0].cpu()).abs().argmin())
        if step % every:
            return executor(x, timestep, model_options, seed)

        def predict(conds):
            return comfy.samplers.calc_cond_batch(guider.inner_model, conds, x, timestep, model_options)[0]

        def combine(conditional):
            return comfy.samplers.cfg_function(
                guider.inner_model, conditional, unconditional, guider.cfg, x, timestep, model_options=model_options,
                cond=guider.conds["positive"], uncond=negative,
            )  # fmt: skip

        unconditional = predict([negative])
        context = known.cond.expand(len(x), -1, -1).clone()
        with torch.enable_grad():
            context.requires_grad_()
            positive["model_conds"]["c_crossattn"] = type(known)(context)
            denoised = combine(predict([[positive]]))
        gradient = reward_gradient(world, task, denoised, context)
        length = gradient.flatten(1).norm(dim=1).clamp(min=1e-12).view(-1, 1, 1)
        context = context.detach() + rate * gradient / length
        # Kept for the steps to come: the guider's conditioning lives as long as this run
        positive["model_conds"]["c_crossattn"] = type(known)(context)
        world.cost.evaluations += len(x)
        return combine(predict([[positive]]))

    model = world.model.clone()
    model.add_wrapper_with_key(WrappersMP.PREDICT_NOISE, "text ascent", climb)
    with torch.inference_mode(False), torch.no_grad():
        return world.sample(task, task.noise(count), sigmas, phase="sampling", model=model)
