import math

import numpy as np
import pytest
import torch
from scipy import ndimage

from reward_models import load_reward_model

PLAIN_KINDS = ("brightness", "colourfulness", "contrast", "sharpness", "symmetry")
LUMA = np.array([0.2126, 0.7152, 0.0722])


def score(kind, images, **others):
    return load_reward_model(kind, **others).score(images, [""] * len(images))


def luma(images):
    return np.tensordot(images.double().numpy(), LUMA, axes=(1, 0))


def colourfulness_by_numpy(image):
    """Hasler and Suesstrunk's metric in float64, channel by channel, from an (H, W, 3) image in [0, 1]."""
    red, green, blue = (np.asarray(image, dtype=np.float64)[..., channel] * 255 for channel in range(3))
    rg, yb = red - green, 0.5 * (red + green) - blue
    return np.hypot(np.std(rg), np.std(yb)) + 0.3 * np.hypot(np.mean(rg), np.mean(yb))


def test_colourfulness_follows_the_papers_formula(pictures):
    scores = load_reward_model("colourfulness").score(pictures, ["", "", ""])
    truth = [colourfulness_by_numpy(image.permute(1, 2, 0).numpy()) for image in pictures]
    assert scores.dtype == torch.float32
    np.testing.assert_allclose(scores.numpy(), truth, rtol=1e-5)
    assert len({round(value) for value in truth}) == 3


def test_brightness_is_the_mean_luma(pictures):
    scores = load_reward_model("brightness").score(pictures, ["", "", ""])
    np.testing.assert_allclose(scores.numpy(), luma(pictures).mean((1, 2)), rtol=1e-5)


@pytest.mark.parametrize(("kind", "grey", "white"), [("brightness", 0.5, 1.0), ("colourfulness", 0.0, 0.0)])
def test_pixel_rewards_of_plain_images(kind, grey, white):
    images = torch.ones(2, 3, 8, 8)
    images[0] *= 0.5
    torch.testing.assert_close(load_reward_model(kind).score(images, ["", ""]), torch.tensor([grey, white]))


def test_pixel_rewards_take_half_precision_images(pictures):
    for kind in (*PLAIN_KINDS, "palette match"):
        scores = score(kind, pictures.half(), reference=pictures[1:2].half())
        assert scores.dtype == torch.float32
        torch.testing.assert_close(scores, score(kind, pictures, reference=pictures[1:2]), rtol=2e-3, atol=2e-2)


def test_wrong_shapes_are_refused(pictures):
    model = load_reward_model("brightness")
    with pytest.raises(ValueError, match=r"\(b, 3, H, W\).*\(3, 40, 56, 3\)"):
        model.score(pictures.permute(0, 2, 3, 1), [""] * 3)
    with pytest.raises(ValueError, match="got 2 prompts for 3 images"):
        model.score(pictures, ["a", "b"])
    with pytest.raises(ValueError, match="got one string for 3 images"):
        model.score(pictures, "abc")
    with pytest.raises(ValueError, match="uint8"):
        model.score((pictures * 255).byte(), [""] * 3)


def test_contrast_is_the_deviation_of_luma(pictures):
    np.testing.assert_allclose(score("contrast", pictures).numpy(), luma(pictures).std(axis=(1, 2)), rtol=1e-5)
    halves = torch.zeros(1, 3, 6, 8)
    halves[..., :4] = 1
    assert score("contrast", halves).item() == pytest.approx(0.5)
    ramp = (torch.arange(10) / 9).expand(1, 3, 4, 10)
    assert score("contrast", ramp).item() == pytest.approx(math.sqrt((10**2 - 1) / 12) / 9)


def test_sharpness_is_the_deviation_of_scipys_laplacian(pictures):
    truth = [ndimage.laplace(each, mode="nearest").std() for each in luma(pictures)]
    np.testing.assert_allclose(score("sharpness", pictures).numpy(), truth, rtol=1e-4)


def test_sharpness_of_a_chessboard_of_pixels_nears_four():
    """Each pixel differs by 1 from its 4 neighbours, or 3 at an edge and 2 in a corner; the mean is 0."""
    board = ((torch.arange(10)[:, None] + torch.arange(12)) % 2).float().expand(1, 3, 10, 12)
    truth = math.sqrt((8 * 10 * 4**2 + 2 * (8 + 10) * 3**2 + 4 * 2**2) / (10 * 12))
    assert score("sharpness", board).item() == pytest.approx(truth)
    assert score("sharpness", board / 4).item() == pytest.approx(truth / 4), "in proportion to contrast"
    assert truth > score("sharpness", blurred(board)) > 0


def blurred(images):
    return torch.from_numpy(ndimage.gaussian_filter(images.numpy(), (0, 0, 0.7, 0.7)))


def test_symmetry_is_the_correlation_with_the_mirror_image(pictures):
    truth = []
    for image in pictures.double().numpy():
        centred = image - image.mean(axis=(1, 2), keepdims=True)
        truth.append((centred * centred[..., ::-1]).sum() / (centred**2).sum())
    scores = score("symmetry", pictures)
    np.testing.assert_allclose(scores.numpy(), truth, rtol=1e-4, atol=1e-6)
    torch.testing.assert_close(score("symmetry", pictures.flip(3)), scores)
    mirrored = torch.cat((pictures, pictures.flip(3)), dim=3)
    torch.testing.assert_close(score("symmetry", mirrored), torch.ones(3))
    ramp = torch.linspace(0, 1, 9).expand(1, 3, 5, 9)
    torch.testing.assert_close(score("symmetry", ramp), -torch.ones(1))


def test_symmetry_sees_colours_of_equal_luma():
    green = LUMA[0] / LUMA[1]
    image = torch.zeros(1, 3, 4, 6)
    image[:, 0, :, :3], image[:, 1, :, 3:] = 1, green
    assert score("contrast", image).item() == pytest.approx(0, abs=1e-6)
    assert score("symmetry", image).item() == pytest.approx(-1)


@pytest.mark.parametrize("kind", [*PLAIN_KINDS, "palette match"])
@pytest.mark.parametrize("shape", [(1, 7), (7, 1), (1, 1), (5, 6)])
def test_even_images_of_any_shape_have_a_finite_score(kind, shape):
    images = torch.stack([torch.full((3, *shape), level) for level in (0.0, 0.37, 1.0)])
    scores = score(kind, images, reference=images[:1])
    assert scores.isfinite().all()
    if kind in ("contrast", "sharpness", "colourfulness"):
        torch.testing.assert_close(scores, torch.zeros(3), atol=1e-5, rtol=0)
    if kind == "symmetry":
        assert scores.tolist() == [1, 1, 1]


@pytest.mark.parametrize("kind", [*PLAIN_KINDS, "palette match"])
def test_an_image_is_scored_alike_in_any_batch(kind, pictures):
    together = score(kind, pictures, reference=pictures[1:2])
    for i in range(3):
        torch.testing.assert_close(score(kind, pictures[i : i + 1], reference=pictures[1:2])[0], together[i])
