"""Small JPEG pictures of images, and images of such pictures: what a lookahead file shows of each lookahead."""

import io
import warnings
from collections.abc import Sequence

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from .picture import picture_of

LONGEST_SIDE = 512
_MOST_PIXELS = 4 * LONGEST_SIDE**2


def thumbnails_of(images: Tensor) -> tuple[bytes, ...]:
    """Return a JPEG file of each image (n, H, W, C) in [0, 1], of at most 512 pixels a side."""
    files = []
    for image in images:
        picture, file = picture_of(image), io.BytesIO()
        picture.thumbnail((LONGEST_SIDE, LONGEST_SIDE), reducing_gap=2.0)
        picture.save(file, "JPEG", quality=85)
        files.append(file.getvalue())
    return tuple(files)


def images_of(thumbnails: Sequence[bytes]) -> Tensor:
    """Return the pictures as images (n, H, W, 3) in [0, 1]. ValueError, one line, unless all are small JPEGs of one size."""
    images = []
    for number, thumbnail in enumerate(thumbnails, start=1):
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error")  # of sizes that may be meant to fill the memory
                picture = Image.open(io.BytesIO(thumbnail), formats=["JPEG"])
                if picture.width * picture.height > _MOST_PIXELS:
                    raise ValueError("it is too large")
                images.append(np.asarray(picture.convert("RGB")))
        except Exception as error:  # Pillow's decoders raise many kinds
            raise ValueError(
                f"the picture of lookahead no. {number} cannot be read, wanted a JPEG of at most {LONGEST_SIDE} pixels a side: "
                "save the lookaheads again"
            ) from error
    if len({image.shape for image in images}) > 1:
        raise ValueError("the pictures of the lookaheads are of several sizes, wanted one: save the lookaheads again")
    return torch.from_numpy(np.stack(images)).float() / 255
