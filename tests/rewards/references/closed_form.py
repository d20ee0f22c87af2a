"""Weights and pictures by formula, so that a reference needs neither a file of weights nor a random generator."""

import math
import re
import zlib
from collections.abc import Mapping, Sequence

import torch

_EMBEDDING = re.compile(r"(pos_embed|cls_token|patch_embed\.proj\.\w+|_embeddings\.weight)$")


def closed_form_weights(shapes: Mapping[str, Sequence[int]]) -> dict[str, torch.Tensor]:
    """Return float32 tensors of these shapes: spread like trained weights, of full rank, another for each name."""
    return {name: _weight(name, tuple(shape)) for name, shape in shapes.items()}


def quiet_embeddings(weights: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Make what enters the towers of an ImageReward a thousandth as large: only then does the epsilon of a norm show."""
    return {name: value * 0.001 if _EMBEDDING.search(name) else value for name, value in weights.items()}


def closed_form_picture(height: int, width: int, number: int) -> torch.Tensor:
    """Return an 8-bit picture (height, width, 3) uint8 with soft gradients, an edge and fine detail."""
    y, x = torch.meshgrid(torch.linspace(0, 1, height), torch.linspace(0, 1, width), indexing="ij")
    waves = [torch.sin((3 + number % 5 + c) * math.pi * (x + (0.3 + 0.2 * c) * y) + number * 0.7 + c) for c in range(3)]
    picture = torch.stack(waves, dim=-1) * 0.35 + 0.5
    picture[(x - 0.6) ** 2 + (y - 0.4) ** 2 < 0.04 + 0.01 * (number % 3)] = torch.tensor(
        [0.9, 0.15 * (number % 7), 0.2]
    )
    picture += 0.1 * torch.sin(torch.arange(height * width * 3, dtype=torch.float64) ** 2 * 0.618).view(
        height, width, 3
    )
    return (picture.clamp(0, 1) * 255).round().to(torch.uint8)


def _weight(name: str, shape: tuple[int, ...]) -> torch.Tensor:
    count, phase = math.prod(shape), zlib.crc32(name.encode()) % 10007
    values = math.sqrt(2) * torch.sin(torch.arange(1, count + 1, dtype=torch.float64) ** 2 * 0.6180339887 + phase)
    if len(shape) > 1:
        values = values * (1.2 / math.sqrt(math.prod(shape[1:])) if "embed" not in name else 0.7)
    elif name.endswith("weight"):
        values = 1 + 0.2 * values
    else:
        values = 0.1 * values
    return values.view(shape).float()
