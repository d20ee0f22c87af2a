"""One image of the host as a picture that a file or a canvas can hold."""

from PIL import Image
from torch import Tensor


def picture_of(image: Tensor) -> Image.Image:
    """Return an image (H, W, C) in [0, 1], C = 1, 3 or 4, as an RGB picture of the same size; alpha is left out."""
    colour = image.expand(-1, -1, 3) if image.shape[-1] == 1 else image[..., :3]
    return Image.fromarray((colour.detach().cpu().clamp(0, 1) * 255).round().byte().numpy())
