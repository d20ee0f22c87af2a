"""How close the colours of an image are to those of a reference picture, wherever in the picture they are."""

import math
from collections.abc import Sequence

import torch
import torch.nn.functional as F

from .base import RewardModel
from .image_batch import ImageBatch

DIRECTIONS, QUANTILES = 32, 128
# Longer sides are averaged down to this many pixels: a palette does not need more
LONGEST_SIDE = 256

# IEC 61966-2-1 (sRGB) to CIE XYZ, and the white point D65
_TO_XYZ = ((0.4124564, 0.3575761, 0.1804375), (0.2126729, 0.7151522, 0.0721750), (0.0193339, 0.1191920, 0.9503041))
_WHITE = (0.95047, 1.0, 1.08883)


class PaletteMatch(RewardModel):
    """Minus the sliced Wasserstein distance, of order 1, between the colours of image and reference in CIELAB.

    0: the same colours in the same amounts. Shifting all colours by a difference (delta E 1976) of 2, which one can just
    see, costs 1, for a projection shows half of a shift on average; pure blue against pure green, the farthest pair
    of sRGB, costs about 130. reference: (r, 3, H, W) in [0, 1], the pixels of all r pictures together; their sizes need not
    be those of the images. Sides longer than 256 pixels are averaged down to 256 first.

    N. Bonneel et al., "Sliced and Radon Wasserstein barycenters of measures", JMIV 51, 2015; 32 directions evenly spread
    over the half sphere, 128 quantiles each, nothing random.
    """

    name = "palette match"
    reads_prompt = False

    def __init__(self, reference: torch.Tensor):
        super().__init__()
        self.register_buffer("directions", _directions())
        colours = srgb_to_lab(_small(reference.float())).movedim(1, 0).flatten(1)[None]
        self.register_buffer("reference", _quantiles(colours, self.directions))

    def score_batch(self, batch: ImageBatch, prompts: Sequence[str]) -> torch.Tensor:
        """Minus the mean distance of each image in units of CIELAB: (b,) float32, at most 0."""
        quantiles = _quantiles(srgb_to_lab(_small(batch.images)).flatten(2), self.directions)
        return -(quantiles - self.reference).abs().mean(dim=(1, 2))


def srgb_to_lab(images: torch.Tensor) -> torch.Tensor:
    """sRGB (b, 3, H, W) in [0, 1] -> CIELAB for D65, (b, 3, H, W): L in [0, 100], a and b about -100 to 100. CIE 15:2004."""
    linear = torch.where(images <= 0.04045, images / 12.92, ((images.clamp_min(0) + 0.055) / 1.055) ** 2.4)
    xyz = torch.einsum("xc,bchw->bxhw", images.new_tensor(_TO_XYZ), linear)
    ratio = xyz / images.new_tensor(_WHITE).view(3, 1, 1)
    edge = 6 / 29
    curve = torch.where(ratio > edge**3, ratio.clamp_min(1e-6) ** (1 / 3), ratio / (3 * edge**2) + 4 / 29)
    x, y, z = curve.unbind(1)
    return torch.stack((116 * y - 16, 500 * (x - y), 200 * (y - z)), dim=1)


def _small(images: torch.Tensor) -> torch.Tensor:
    height, width = images.shape[-2:]
    size = (min(height, LONGEST_SIDE), min(width, LONGEST_SIDE))
    return images if size == (height, width) else F.interpolate(images, size=size, mode="area")


def _directions() -> torch.Tensor:
    """(DIRECTIONS, 3) unit vectors on the upper half sphere, a Fibonacci lattice (R. Swinbank, J. Purser, 2006)."""
    index = torch.arange(DIRECTIONS, dtype=torch.float32)
    height = (index + 0.5) / DIRECTIONS
    angle, radius = index * math.pi * (3 - math.sqrt(5)), (1 - height**2).sqrt()
    return torch.stack((radius * angle.cos(), radius * angle.sin(), height), dim=1)


def _quantiles(colours: torch.Tensor, directions: torch.Tensor) -> torch.Tensor:
    """Colours (b, 3, pixels) -> (b, DIRECTIONS, QUANTILES): the quantiles of the projections at the middle of equal parts."""
    count = colours.shape[-1]
    places = ((2 * torch.arange(QUANTILES, device=colours.device) + 1) * count).div(
        2 * QUANTILES, rounding_mode="floor"
    )
    # One direction at a time: all of them at once would need 32 times the memory
    return torch.stack([(each @ colours).sort(dim=-1).values[:, places] for each in directions], dim=1)
