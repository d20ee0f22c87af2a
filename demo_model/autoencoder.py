"""The demo model's autoencoder: 8x8 pixel patches folded into channels, residual blocks on the 8x8 grid, four latent channels."""

import torch
from torch import Tensor, nn

PATCH = 8
LATENT_CHANNELS = 4


class ResidualBlock(nn.Module):
    def __init__(self, channels: int):
        super().__init__()
        self.body = nn.Sequential(
            nn.GroupNorm(8, channels),
            nn.SiLU(),
            nn.Conv2d(channels, channels, 3, padding=1),
            nn.GroupNorm(8, channels),
            nn.SiLU(),
            nn.Conv2d(channels, channels, 3, padding=1),
        )

    def forward(self, x: Tensor) -> Tensor:
        return x + self.body(x)


class Autoencoder(nn.Module):
    """Pixels (B,3,H,W) in [-1,1] <-> latents (B,4,H/8,W/8) of the scale that ComfyUI's SDXL latent format expects.

    `latent_mean` and `latent_std` (4,1,1) hold the statistics of the raw code times that scale, `preview_colours` (5,3) the affine map
    from a latent of unit scale to RGB in [-1,1] for step previews; all three are set once, after training.
    """

    def __init__(self, channels: int = 128, encoder_blocks: int = 3, decoder_blocks: int = 4):
        super().__init__()
        self.encoder = nn.Sequential(
            nn.PixelUnshuffle(PATCH),
            nn.Conv2d(3 * PATCH**2, channels, 3, padding=1),
            *(ResidualBlock(channels) for _ in range(encoder_blocks)),
            nn.Conv2d(channels, LATENT_CHANNELS, 1),
        )
        self.decoder = nn.Sequential(
            nn.Conv2d(LATENT_CHANNELS, channels, 3, padding=1),
            *(ResidualBlock(channels) for _ in range(decoder_blocks)),
            nn.GroupNorm(8, channels),
            nn.SiLU(),
            nn.Conv2d(channels, 3 * PATCH**2, 3, padding=1),
            nn.PixelShuffle(PATCH),
        )
        self.register_buffer("latent_mean", torch.zeros(LATENT_CHANNELS, 1, 1))
        self.register_buffer("latent_std", torch.ones(LATENT_CHANNELS, 1, 1))
        self.register_buffer("preview_colours", torch.zeros(LATENT_CHANNELS + 1, 3))

    def encode(self, pixels: Tensor) -> Tensor:
        return (self.encoder(pixels) - self.latent_mean) / self.latent_std

    def decode(self, latents: Tensor) -> Tensor:
        return self.decoder(latents * self.latent_std + self.latent_mean)
