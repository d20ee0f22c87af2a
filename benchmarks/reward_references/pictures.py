"""The pictures on which reward models are compared with other packages: several aspect ratios, odd sizes, grey ones and RGBA."""

import torch
from closed_form import closed_form_picture
from image_layout import channels_first
from PIL import Image

from reward_models.image_batch import ImageBatch

FIRST = 12
"""So many have all sorts in them already; on more of them the largest models would take too long."""

# height, width, number of the formula, channels
_PICTURES = (
    (224, 224, 0, 3),
    (512, 512, 1, 3),
    (300, 225, 2, 3),
    (333, 517, 3, 3),
    (64, 64, 4, 3),
    (1024, 576, 5, 3),
    (97, 411, 6, 3),
    (225, 224, 7, 3),
    (1216, 832, 8, 3),
    (17, 23, 9, 3),
    (513, 384, 20, 4),
    (200, 333, 21, 1),
    (768, 1344, 22, 3),
    (1344, 768, 23, 3),
    (640, 1536, 24, 3),
    (99, 101, 25, 3),
    (223, 225, 26, 3),
    (448, 447, 27, 3),
    (257, 31, 28, 3),
    (721, 1279, 29, 3),
    (301, 777, 30, 4),
    (91, 45, 31, 4),
    (1023, 511, 32, 1),
    (224, 449, 33, 1),
)
_SORTS = {1: "grey", 3: "", 4: "RGBA"}


def given_images(count: int = len(_PICTURES)) -> list[tuple[str, Image.Image, torch.Tensor]]:
    """The first `count`: (name, as the others read it, as the host's IMAGE (1, H, W, C) with C of 1, 3 or 4)."""
    given = []
    for height, width, number, channels in _PICTURES[:count]:
        picture = closed_form_picture(height, width, number)
        if channels == 4:  # an alpha channel that is neither empty nor even
            picture = torch.cat((picture, picture[..., :1].flip(0)), dim=-1)
        picture = picture[..., :channels].contiguous()
        name = f"{height}x{width} {_SORTS[channels]}".strip()
        given.append((name, Image.fromarray(picture.squeeze(-1).numpy()), picture[None].float() / 255))
    return given


def image_batch(image: torch.Tensor) -> ImageBatch:
    """The host's IMAGE as reward models see it, through the pack's own adapter."""
    return ImageBatch(channels_first(image))
