"""The way from a denoised prediction to its reward, open to gradients: the host's latent scale, the decoder's network, the reward model.

The host decodes and scores without gradients. The same networks are called here, with the host's own scaling, so the values
are those of `World.decode` and `World.score`; 64x64 images need no resizing, so no rounding to 8 bits is on the way.
"""

import comfy.model_management
import torch
from torch import Tensor

from ..world import Task, World, room

PHASE = "gradient"


def decode(world: World, latents: Tensor) -> Tensor:
    """Return images (B, H, W, 3) in [0, 1] of latents (B, *shape), as `World.decode` does; not metered."""
    vae = world.vae
    comfy.model_management.load_models_gpu([vae.patcher], force_full_load=True)
    pixels = vae.first_stage_model.decode(latents.to(vae.device, vae.vae_dtype))
    return vae.process_output(pixels.float()).movedim(1, -1)


def score(world: World, images: Tensor, task: Task) -> Tensor:
    """Return rewards (B,) of images (B, H, W, 3), as `World.score` does; not metered."""
    device = world.reward.load(0)
    batch = room("reward_models.image_batch").ImageBatch(images.movedim(-1, 1), device)
    return world.reward.model.score_batch(batch, [task.text] * len(images))


def reward_gradient(world: World, task: Task, denoised: Tensor, variable: Tensor) -> Tensor:
    """Return the gradient of each image's reward with respect to its row of `variable` (B, ...).

    denoised: (B, *shape) in the model's latent space, computed from `variable` with gradients on. Decoding, scoring and
    the way back count as the phase "gradient"; one decode, one reward and one backward pass an image.
    """
    with world.spending(PHASE), torch.enable_grad():
        images = decode(world, world.model.model.process_latent_out(denoised))
        rewards = score(world, images, task)
        for what in ("decodes", "rewards", "backward"):
            setattr(world.cost, what, getattr(world.cost, what) + len(denoised))
        return torch.autograd.grad(rewards.sum(), variable)[0].detach()
