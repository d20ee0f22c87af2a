"""Five views of a picture: each is the picture moved by whole pixels, and the edge that is uncovered repeats."""

import numpy as np
import pytest
import torch

from reward_models.shifted_views import shifted_views


def ramp(height, width):
    """(2, 3, H, W) in which every pixel of every channel and image is another number, and no row is like a column."""
    return torch.arange(2 * 3 * height * width, dtype=torch.float32).view(2, 3, height, width).square()


@pytest.mark.parametrize(
    ("height", "width", "down", "right"), [(64, 96, 2, 3), (100, 60, 3, 2), (8, 5, 1, 1), (513, 300, 16, 9)]
)
def test_views_are_the_picture_and_its_moves_by_a_32nd(height, width, down, right):
    images = ramp(height, width)
    original, *moved = shifted_views(images)
    assert torch.equal(original, images)
    rows, columns = np.arange(height), np.arange(width)
    expected = []
    for y, x in ((0, right), (0, -right), (down, 0), (-down, 0)):
        # Moved down by y and right by x, (i, j) shows what was at (i - y, j - x).
        taken = images.numpy()[:, :, np.clip(rows - y, 0, height - 1)][..., np.clip(columns - x, 0, width - 1)]
        expected.append(torch.from_numpy(taken))
    assert len(moved) == 4
    for view, truth in zip(moved, expected, strict=True):
        assert torch.equal(view, truth), "right, left, down, up"


def test_uncovered_edges_repeat_the_outermost_row_or_column():
    images = ramp(64, 96)
    _, right, left, down, up = shifted_views(images)
    assert torch.equal(right[..., :4], images[..., :1].expand(-1, -1, -1, 4))
    assert torch.equal(left[..., -4:], images[..., -1:].expand(-1, -1, -1, 4))
    assert torch.equal(up[..., -3:, :], images[..., -1:, :].expand(-1, -1, 3, -1))
    assert torch.equal(down[..., :3, :], images[..., :1, :].expand(-1, -1, 3, -1))


def test_the_pictures_themselves_are_left_as_they_were():
    images = ramp(8, 5)
    kept = images.clone()
    for view in shifted_views(images):
        assert view.shape == images.shape and view.dtype == images.dtype
    assert torch.equal(images, kept)
