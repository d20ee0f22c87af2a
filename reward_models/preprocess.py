"""From pixels in [0, 1] to what a vision tower reads: resize, crop or pad, normalise; all on tensors.

Follows open_clip's evaluation transform (open_clip/transform.py, `image_transform`, MIT), which works on 8-bit PIL
images; for `overshoot` torchvision's transform of tensors, and for `crop_down` transformers' CLIPImageProcessor. Of an
8-bit picture about 1 in 1000 values differ from those of PIL, which counts in integers, and these by 1 or 2 of 255.
"""

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F

OPENAI_MEAN, OPENAI_STD = (0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)
RESIZE_MODES = ("shortest", "longest", "squash")
INTERPOLATIONS = ("bicubic", "bilinear")


@dataclass(frozen=True)
class Preprocessing:
    """How a vision tower wants its images.

    size: (height, width) in pixels. mean, std: per channel, of pixels in [0, 1].
    resize_mode: "shortest" fits the short side and crops the centre, "longest" fits the long side and pads with
    `fill_color` (0 to 255), "squash" ignores the aspect ratio. overshoot: do not round to 8 bits, and keep what bicubic
    resizing takes beyond [0, 1], as torchvision does for tensors and PIL does not. crop_down: a crop that would begin at half a pixel begins
    before it, as in transformers, and not at the even pixel, as in torchvision.
    """

    size: tuple[int, int]
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    interpolation: str = "bicubic"
    resize_mode: str = "shortest"
    fill_color: int = 0
    overshoot: bool = False
    crop_down: bool = False

    def __post_init__(self) -> None:
        if self.resize_mode not in RESIZE_MODES:
            raise ValueError(f"resize_mode must be one of {RESIZE_MODES}, got {self.resize_mode!r}")
        if self.interpolation not in INTERPOLATIONS:
            raise ValueError(f"interpolation must be one of {INTERPOLATIONS}, got {self.interpolation!r}")


def preprocess(images: torch.Tensor, preprocessing: Preprocessing) -> torch.Tensor:
    """Resize, crop or pad, and normalise: (b, 3, H, W) in [0, 1] -> (b, 3, *size) float32."""
    images = images.float()
    height, width = _resized_size(tuple(images.shape[-2:]), preprocessing)
    # PIL resizes rows, then columns, and goes back to 8 bits after each: one 2-D pass differs by 18 of 255. Pillow 13 begins
    # with the columns of some tall pictures (1023x511: up to 3 of 255); the models were made before
    for size in ((images.shape[-2], width), (height, width)):
        if size != tuple(images.shape[-2:]):
            images = F.interpolate(images, size=size, mode=preprocessing.interpolation, antialias=True)
            images = images if preprocessing.overshoot else _to_eight_bits(images)
    images = _centre_crop_or_pad(images, preprocessing)
    mean = images.new_tensor(preprocessing.mean).view(3, 1, 1)
    std = images.new_tensor(preprocessing.std).view(3, 1, 1)
    return (images - mean) / std


def _to_eight_bits(images: torch.Tensor) -> torch.Tensor:
    """Clip and round to steps of 1 / 255, half a step upwards as PIL does; gradients pass the rounding."""
    images = images.clamp(0.0, 1.0)
    return images + ((images * 255 + 0.5).floor() / 255 - images).detach()


def _resized_size(size: tuple[int, int], preprocessing: Preprocessing) -> tuple[int, int]:
    (height, width), (target_height, target_width) = size, preprocessing.size
    if preprocessing.resize_mode == "squash":
        return preprocessing.size
    if preprocessing.resize_mode == "shortest" and target_height == target_width:
        short = min(height, width)  # torchvision's Resize(int) rounds the long side down
        return int(target_height * height / short), int(target_height * width / short)
    ratios = height / target_height, width / target_width
    ratio = min(ratios) if preprocessing.resize_mode == "shortest" else max(ratios)
    return round(height / ratio), round(width / ratio)


def _centre_crop_or_pad(images: torch.Tensor, preprocessing: Preprocessing) -> torch.Tensor:
    size = preprocessing.size
    lack_h, lack_w = (max(wanted - got, 0) for wanted, got in zip(size, images.shape[-2:], strict=True))
    if lack_h or lack_w:
        padding = (lack_w // 2, (lack_w + 1) // 2, lack_h // 2, (lack_h + 1) // 2)
        images = F.pad(images, padding, value=preprocessing.fill_color / 255)
    begin = math.floor if preprocessing.crop_down else round
    top, left = (begin((got - wanted) / 2) for wanted, got in zip(size, images.shape[-2:], strict=True))
    return images[..., top : top + size[0], left : left + size[1]]
