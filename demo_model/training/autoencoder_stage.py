"""Stage 1: the autoencoder, on pixels alone."""

from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional as F

from ..autoencoder import LATENT_CHANNELS, PATCH, Autoencoder
from .dataset import Scenes, to_pixels
from .loop import LoopConfig, mixed_precision, train

BATCH = 64
STEPS = 2000
LATENT_NOISE = 0.08
LATENT_PENALTY = 1e-3
SDXL_SCALE_FACTOR = 0.13025


def train_autoencoder(scenes: Scenes, work: Path, device: torch.device, steps: int = STEPS) -> Autoencoder:
    """Mean absolute plus squared error; a little noise on the latents makes nearby latents decode alike."""
    torch.manual_seed(1)
    model = Autoencoder().to(device, memory_format=torch.channels_last)

    def loss_of_step(rng, generator) -> Tensor:
        rows = torch.from_numpy(rng.integers(len(scenes.images), size=BATCH))
        pixels = to_pixels(scenes.images[rows]).to(device)
        with mixed_precision(device):
            latents = model.encoder(pixels)
            noise = torch.randn(latents.shape, generator=generator).to(device)
            decoded = model.decoder(latents + LATENT_NOISE * noise).float()
        return (
            F.l1_loss(decoded, pixels)
            + 4 * F.mse_loss(decoded, pixels)
            + LATENT_PENALTY * latents.float().square().mean()
        )

    train(model, loss_of_step, LoopConfig("autoencoder", steps, 1.5e-3, 0.999, work / "autoencoder.pt"))
    model.eval()
    with torch.inference_mode():
        code = torch.cat([model.encoder(to_pixels(chunk).to(device)) for chunk in scenes.images[:4096].split(256)])
        model.latent_mean.copy_(code.mean(dim=(0, 2, 3))[:, None, None])
        model.latent_std.copy_(code.std(dim=(0, 2, 3))[:, None, None] * SDXL_SCALE_FACTOR)
        few = scenes.images[:512]
        latents = encode_all(model, few).movedim(1, -1).reshape(-1, LATENT_CHANNELS)
        colours = F.avg_pool2d(to_pixels(few), PATCH).movedim(1, -1).reshape(-1, 3)
        design = torch.cat([latents, torch.ones(len(latents), 1)], dim=1)
        model.preview_colours.copy_(torch.linalg.lstsq(design, colours).solution)
    return model


@torch.inference_mode()
def peak_signal_to_noise(model: Autoencoder, images: Tensor) -> float:
    """Decibels of the reconstruction of uint8 images, on pixels clipped to their range."""
    device = model.latent_mean.device
    pixels = to_pixels(images).to(device)
    error = (model.decode(model.encode(pixels)).clamp(-1, 1) - pixels) / 2
    return float(-10 * error.square().mean().log10())


@torch.inference_mode()
def encode_all(model: Autoencoder, images: Tensor) -> Tensor:
    """uint8 images -> latents in the diffusion model's space: (N,4,8,8) of unit scale."""
    device = model.latent_mean.device
    chunks = [model.encode(to_pixels(chunk).to(device)).cpu() for chunk in images.split(256)]
    return torch.cat(chunks) * SDXL_SCALE_FACTOR
