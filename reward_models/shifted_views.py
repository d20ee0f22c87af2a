"""The same picture seen five times, a little moved: the mean of its scores is steadier than one score."""

from collections.abc import Iterator

from torch import Tensor
from torch.nn.functional import pad


def shifted_views(images: Tensor) -> Iterator[Tensor]:
    """Yield the images (b, 3, H, W) as they are and moved right, left, down and up by 1/32 of their size.

    At least one pixel each; the edge that a move uncovers repeats the outermost row or column. Five tensors of the same
    shape. Source: averaging over augmented copies of one input, as in AlexNet (Krizhevsky et al. 2012, section 4.1).
    """
    height, width = images.shape[-2:]
    down, right = max(1, round(height / 32)), max(1, round(width / 32))
    padded = pad(images, (right, right, down, down), mode="replicate")
    for y, x in ((down, right), (down, 0), (down, 2 * right), (0, right), (2 * down, right)):
        yield padded[..., y : y + height, x : x + width]
