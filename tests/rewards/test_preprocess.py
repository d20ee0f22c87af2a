import numpy as np
import pytest
import torch
from open_clip.transform import image_transform
from PIL import Image

from reward_models.preprocess import Preprocessing, preprocess

MEAN, STD = (0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)
EIGHT_BIT = 1 / 255


def wave_image(height, width):
    """An 8-bit picture with smooth parts, hard edges and fine stripes, as (H, W, 3) uint8."""
    rows, columns = np.mgrid[0:height, 0:width]
    image = np.stack((127 + 120 * np.sin(rows / 9), 255 * (columns > width / 3), 255 * ((rows + columns) % 2)), axis=-1)
    image[height // 4 : height // 2, width // 8 : width // 5] = (250, 10, 90)
    return image.round().astype(np.uint8)


@pytest.mark.parametrize("resize_mode", ["shortest", "longest", "squash"])
@pytest.mark.parametrize("interpolation", ["bicubic", "bilinear"])
@pytest.mark.parametrize("size", [(301, 203), (90, 147), (64, 64), (40, 33)])
def test_pixels_match_open_clips_own_transform(size, interpolation, resize_mode, record_figure):
    image = wave_image(*size)
    options = {"interpolation": interpolation, "resize_mode": resize_mode, "fill_color": 37}
    transform = image_transform(64, is_train=False, mean=MEAN, std=STD, **options)
    theirs = transform(Image.fromarray(image))
    tensor = torch.from_numpy(image).permute(2, 0, 1)[None].float() / 255
    ours = preprocess(tensor, Preprocessing((64, 64), MEAN, STD, **options))[0]
    assert ours.shape == theirs.shape
    difference = (ours - theirs).abs() * torch.tensor(STD).view(3, 1, 1)  # back to pixels in [0, 1]
    if size == (301, 203):
        name = f"preprocess, {resize_mode} {interpolation}: largest pixel difference to PIL, in 8-bit steps"
        record_figure(name, difference.max().item() / EIGHT_BIT)
    # PIL counts in integers, so what lies between two steps may fall to either side; unrounded the mean would be 0.25
    assert difference.max() <= 1.1 * EIGHT_BIT
    assert difference.mean() <= 0.03 * EIGHT_BIT


def test_an_image_of_the_right_size_is_only_normalised():
    image = torch.rand(2, 3, 32, 48)
    out = preprocess(image, Preprocessing((32, 48), (0.1, 0.2, 0.3), (0.5, 0.25, 2.0), resize_mode="squash"))
    mean, std = np.array([0.1, 0.2, 0.3])[:, None, None], np.array([0.5, 0.25, 2.0])[:, None, None]
    np.testing.assert_allclose(out.numpy(), (image.double().numpy() - mean) / std, atol=1e-6)


def test_the_crop_keeps_the_centre():
    image = torch.zeros(1, 3, 10, 30)
    image[..., 10:20] = 1
    out = preprocess(image, Preprocessing((10, 10), (0.0,) * 3, (1.0,) * 3))
    assert torch.equal(out, torch.ones(1, 3, 10, 10))


def test_unknown_modes_are_refused():
    with pytest.raises(ValueError, match="resize_mode.*'stretch'"):
        Preprocessing((8, 8), MEAN, STD, resize_mode="stretch")
    with pytest.raises(ValueError, match="interpolation.*'nearest'"):
        Preprocessing((8, 8), MEAN, STD, interpolation="nearest")
