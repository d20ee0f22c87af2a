"""The image half of BLIP: a vision transformer whose tokens are all read, not only the first.

A. Dosovitskiy et al., "An image is worth 16x16 words", ICLR 2021; J. Li et al., "BLIP", ICML 2022, section 3.1. Parameters
are named as in BLIP's checkpoints.
"""

import torch
import torch.nn.functional as F
from torch import nn

HEAD_WIDTH = 64
# As BLIP was trained
NORM_EPSILON = 1e-6


class _Attention(nn.Module):
    def __init__(self, width: int):
        super().__init__()
        self.qkv = nn.Linear(width, 3 * width)
        self.proj = nn.Linear(width, width)

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        split = self.qkv(tokens).unflatten(-1, (3, -1, HEAD_WIDTH)).permute(2, 0, 3, 1, 4)  # (3, b, heads, t, 64)
        return self.proj(F.scaled_dot_product_attention(*split).transpose(1, 2).flatten(2))


class _Mlp(nn.Module):
    def __init__(self, width: int, hidden: int):
        super().__init__()
        self.fc1 = nn.Linear(width, hidden)
        self.fc2 = nn.Linear(hidden, width)

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        return self.fc2(F.gelu(self.fc1(tokens)))


class _Block(nn.Module):
    def __init__(self, width: int, hidden: int):
        super().__init__()
        self.norm1 = nn.LayerNorm(width, eps=NORM_EPSILON)
        self.attn = _Attention(width)
        self.norm2 = nn.LayerNorm(width, eps=NORM_EPSILON)
        self.mlp = _Mlp(width, hidden)

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        tokens = tokens + self.attn(self.norm1(tokens))
        return tokens + self.mlp(self.norm2(tokens))


class _PatchEmbedding(nn.Module):
    def __init__(self, width: int, patch_size: int):
        super().__init__()
        self.proj = nn.Conv2d(3, width, patch_size, patch_size)

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        return self.proj(pixels).flatten(2).transpose(1, 2)


class VisionTower(nn.Module):
    """Normalised pixels (b, 3, size, size) -> tokens (b, 1 + patches, width), the first of which stands for the image."""

    def __init__(self, *, width: int, hidden: int, depth: int, patch_size: int, tokens: int):
        super().__init__()
        self.cls_token = nn.Parameter(torch.empty(1, 1, width))
        self.pos_embed = nn.Parameter(torch.empty(1, tokens, width))
        self.patch_embed = _PatchEmbedding(width, patch_size)
        self.blocks = nn.ModuleList(_Block(width, hidden) for _ in range(depth))
        self.norm = nn.LayerNorm(width, eps=NORM_EPSILON)

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        patches = self.patch_embed(pixels.to(self.pos_embed.dtype))
        tokens = torch.cat((self.cls_token.expand(len(pixels), -1, -1), patches), dim=1) + self.pos_embed
        for block in self.blocks:
            tokens = block(tokens)
        return self.norm(tokens)
