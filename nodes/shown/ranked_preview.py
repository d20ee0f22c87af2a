"""The lookaheads for people: best first, each with its rank, number and score on a strip below the picture."""

from collections.abc import Mapping

import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from ..values.picture import picture_of

_SMALLEST_SIDE, _LONGEST_SIDE = 192, 512
_BACKGROUND, _INK = (24, 24, 27), (244, 244, 245)


def ranked_preview(
    images: Tensor, rewards: Tensor, order: Tensor, columns: Mapping[str, Tensor] | None = None
) -> Tensor:
    """Return the images (n, H', W', 3) in `order`, (k,) indices best first, with labels "#1  score 0.312   no. 7" burnt in.

    images: (n, H, W, C) in [0, 1], C = 1, 3 or 4; rewards: (n,); columns: further scores by name, (n,) each, a line for each below the label.
    Numbers count from 1, in the order of the batch.
    Small pictures are enlarged to 192 pixels on the shorter side so that the label can be read, large ones reduced to
    512 on the longer side; all keep one common size.
    """
    height, width = images.shape[1:3]
    zoom = min(max(1.0, _SMALLEST_SIDE / min(height, width)), _LONGEST_SIDE / max(height, width))
    size = (max(1, round(width * zoom)), max(1, round(height * zoom)))
    labels = [
        [
            (f"#{rank}  score {rewards[i]:.4g}", f"no. {i + 1}"),
            *((name, f"{scores[i]:.4g}") for name, scores in (columns or {}).items()),
        ]
        for rank, i in enumerate(order.tolist(), start=1)
    ]
    font = _fitting_font([line for lines in labels for line in lines], size[0])
    pictures = [_labelled(images[i], lines, size, font) for i, lines in zip(order.tolist(), labels, strict=True)]
    return torch.from_numpy(np.stack(pictures)).float() / 255


def _labelled(
    image: Tensor, lines: list[tuple[str, str]], size: tuple[int, int], font: ImageFont.FreeTypeFont
) -> np.ndarray:
    picture = picture_of(image).resize(size, Image.Resampling.BICUBIC)
    strip = round(font.size * 1.6)
    canvas = Image.new("RGB", (size[0], size[1] + strip * len(lines)), _BACKGROUND)
    canvas.paste(picture, (0, 0))
    draw, margin = ImageDraw.Draw(canvas), font.size // 2
    for number, (left, right) in enumerate(lines):
        middle = size[1] + strip * number + strip // 2
        draw.text((margin, middle), left, font=font, fill=_INK, anchor="lm")
        draw.text((size[0] - margin, middle), right, font=font, fill=_INK, anchor="rm")
    return np.asarray(canvas)


def _fitting_font(labels: list[tuple[str, str]], width: int) -> ImageFont.FreeTypeFont:
    largest = max(16, width // 16)
    for size in range(largest, 8, -1):
        font = ImageFont.load_default(size)
        if all(font.getlength(left) + font.getlength(right) + 2 * size <= width for left, right in labels):
            return font
    return font
