"""SDXL, its VAE and ImageReward with random weights, by the host's and this pack's own classes: for time and memory, which know only shapes.

Full size by default: that of Stable Diffusion XL base 1.0 (arXiv 2307.01952) and of ImageReward v1.
"""

import logging
from collections.abc import Mapping
from pathlib import Path

import comfy.model_base
import comfy.model_management as management
import comfy.model_patcher
import comfy.sd
import comfy.supported_models
import torch
from torch import nn

from .world import Task, room

UNET = {
    "image_size": 32,
    "in_channels": 4,
    "out_channels": 4,
    "model_channels": 320,
    "num_res_blocks": [2, 2, 2],
    "channel_mult": [1, 2, 4],
    "transformer_depth": [0, 0, 2, 2, 10, 10],
    "transformer_depth_middle": 10,
    "transformer_depth_output": [0, 0, 0, 2, 2, 2, 10, 10, 10],
    "context_dim": 2048,
    "adm_in_channels": 2816,
    "num_classes": "sequential",
    "use_linear_in_transformer": True,
    "use_spatial_transformer": True,
    "use_temporal_attention": False,
    "legacy": False,
}
PARAMETERS = 2_567_463_684
VISION = {"width": 1024, "hidden": 4096, "depth": 24, "patch_size": 16, "tokens": 197}
TEXT = {"width": 768, "hidden": 3072, "depth": 12, "positions": 512}
HEAD = (1024, 128, 64, 16, 1)
WORDS = 30524
"""Of ImageReward's vocabulary, which the pack ships."""
POOLED_WIDTH, TOKENS = 1280, 77
PROMPT = "a red cube on a table"


def random_objects(
    *, unet: Mapping = UNET, decoder_channels: int = 128, vision: Mapping = VISION, text: Mapping = TEXT
) -> tuple:
    """Return MODEL, None, VAE, LIDAR_REWARD_MODEL, as `World` takes them; the sizes are those of the networks' own arguments."""
    with torch.inference_mode(False):  # else they could never be part of a gradient
        load_device, offload_device = management.get_torch_device(), management.unet_offload_device()
        model, reward = new_sdxl(unet, offload_device), new_image_reward(vision, text)
        _randomise(model)
        _randomise(reward)
        patcher = comfy.model_patcher.CoreModelPatcher(model, load_device=load_device, offload_device=offload_device)
        return (
            patcher,
            None,
            random_vae(decoder_channels),
            room("nodes.host.hosted_reward_model").HostedRewardModel(reward),
        )


def new_sdxl(unet: Mapping = UNET, device: torch.device | None = None) -> comfy.model_base.SDXL:
    """Return the host's SDXL model object, its weights not yet set, in the precision that the host chooses for full size."""
    load_device, config = management.get_torch_device(), comfy.supported_models.SDXL(dict(unet))
    dtype = management.unet_dtype(load_device, PARAMETERS, supported_dtypes=config.supported_inference_dtypes)
    config.set_inference_dtype(dtype, management.unet_manual_cast(dtype, load_device))
    return config.get_model({}, device=device)


def random_vae(decoder_channels: int = 128) -> comfy.sd.VAE:
    """Return a VAE of the host's, whose architecture it tells from three tensors; the encoder is always of full size."""
    hints = {
        "decoder.conv_in.weight": (4 * decoder_channels, 4, 3, 3),
        "encoder.down.2.downsample.conv.weight": (512, 512, 3, 3),
        "post_quant_conv.weight": (4, 4, 1, 1),
    }
    logging.disable(logging.WARNING)  # it names every weight that is missing
    try:
        vae = comfy.sd.VAE(sd={name: torch.zeros(shape) for name, shape in hints.items()})
    finally:
        logging.disable(logging.NOTSET)
    _randomise(vae.first_stage_model)
    return vae


def new_image_reward(vision: Mapping = VISION, text: Mapping = TEXT) -> nn.Module:
    """Return an ImageReward of this pack, its weights not yet set."""
    parts, tokens = room("reward_models.image_reward.model"), room("reward_models.image_reward.tokens")
    image_size = vision["patch_size"] * round((vision["tokens"] - 1) ** 0.5)
    vocabulary = tokens.read_vocabulary(Path(parts.__file__).parent, WORDS)
    text_tower = parts.TextTower(**text, image_width=vision["width"], vocabulary=WORDS)
    trunk, head = parts._Blip(parts.VisionTower(**vision), text_tower), parts._Head((text["width"], *HEAD))
    return parts.ImageReward(trunk, head, image_size, tokens.PromptTokens(vocabulary)).requires_grad_(False)


def random_task(size: int, context_width: int = UNET["context_dim"], seed: int = 7) -> Task:
    """Return a task for pictures of size x size pixels, its conditioning random and of the shape of SDXL's text encoders."""
    generator = torch.Generator().manual_seed(seed)

    def conditioning() -> list:
        tokens = torch.randn(1, TOKENS, context_width, generator=generator)
        return [[tokens, {"pooled_output": torch.randn(1, POOLED_WIDTH, generator=generator)}]]

    return Task(PROMPT, "", seed, conditioning(), conditioning(), shape=(4, size // 8, size // 8))


@torch.no_grad()
def _randomise(network: nn.Module, seed: int = 11) -> None:
    """Fill matrices so that they keep the scale of what they are given, norms with 1 and biases with 0."""
    generator = torch.Generator().manual_seed(seed)
    for name, parameter in network.named_parameters():
        if parameter.ndim > 1:
            bound = (3 / parameter[0].numel()) ** 0.5
            parameter.uniform_(-bound, bound, generator=generator)
        else:
            parameter.fill_(1.0 if name.endswith("weight") else 0.0)
