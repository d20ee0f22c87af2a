import numpy as np
import pytest
import torch
from scipy import ndimage, stats

from reward_models import load_reward_model
from reward_models.palette_match import srgb_to_lab

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
    truth = (pictures.double().numpy() * np.array([0.2126, 0.7152, 0.0722])[None, :, None, None]).sum(1).mean((1, 2))
    np.testing.assert_allclose(scores.numpy(), truth, rtol=1e-5)


@pytest.mark.parametrize(("kind", "grey", "white"), [("brightness", 0.5, 1.0), ("colourfulness", 0.0, 0.0)])
def test_pixel_rewards_of_plain_images(kind, grey, white):
    images = torch.ones(2, 3, 8, 8)
    images[0] *= 0.5
    torch.testing.assert_close(load_reward_model(kind).score(images, ["", ""]), torch.tensor([grey, white]))


def test_pixel_rewards_take_half_precision_images(pictures):
    for kind in PLAIN_KINDS:
        scores = load_reward_model(kind).score(pictures.half(), [""] * 3)
        assert scores.dtype == torch.float32
        torch.testing.assert_close(scores, load_reward_model(kind).score(pictures, [""] * 3), rtol=2e-3, atol=1e-3)


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


def test_sharpness_is_the_deviation_of_scipys_laplacian(pictures):
    truth = [ndimage.laplace(each, mode="nearest").std() for each in luma(pictures)]
    np.testing.assert_allclose(score("sharpness", pictures).numpy(), truth, rtol=1e-4)
    board = (torch.arange(10)[:, None] + torch.arange(12)) % 2
    sharp = board.float().expand(1, 3, 10, 12)
    assert score("sharpness", sharp) > score("sharpness", blurred(sharp)) > 0


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


def test_lab_has_the_values_of_the_standard():
    """D65 values of sRGB's corners, as in B. Lindbloom's and the CSS Color 4 tables."""
    colours = torch.tensor([[0, 0, 0], [1, 1, 1], [1, 0, 0], [0, 1, 0], [0, 0, 1], [0.5, 0.5, 0.5]]).float()
    lab = srgb_to_lab(colours.T[None, :, None])[0, :, 0].T
    truth = [
        [0, 0, 0], [100, 0, 0], [53.24, 80.09, 67.20], [87.73, -86.18, 83.18], [32.30, 79.19, -107.86], [53.39, 0, 0],
    ]  # fmt: skip
    torch.testing.assert_close(lab, torch.tensor(truth).float(), atol=0.03, rtol=0)


def test_palette_match_is_the_sliced_wasserstein_distance(pictures):
    """Against scipy's exact distance along each direction; quantiles at the middle of equal parts stand for all pixels."""
    model = load_reward_model("palette match", reference=pictures[2:])
    scores = model.score(pictures, [""] * 3)
    lab = srgb_to_lab(pictures).flatten(2).double().numpy()
    for image, given in zip(lab, scores, strict=True):
        distances = [
            stats.wasserstein_distance(direction @ image, direction @ lab[2])
            for direction in model.directions.double().numpy()
        ]
        assert given.item() == pytest.approx(-np.mean(distances), rel=0.02, abs=0.02)
    assert scores[2] == 0 and scores[0] < -1 and scores[1] < -1


def test_palette_match_does_not_see_the_layout_or_the_size(pictures):
    reference = pictures[:1]
    shuffled = reference.flatten(2)[..., torch.randperm(reference.shape[-1] * reference.shape[-2])].view_as(reference)
    assert score("palette match", shuffled, reference=reference).item() == 0
    doubled = reference.repeat_interleave(2, dim=2).repeat_interleave(2, dim=3)
    assert score("palette match", doubled, reference=reference).item() == pytest.approx(0, abs=0.05)
    large = reference.repeat_interleave(13, dim=2).repeat_interleave(13, dim=3)
    assert score("palette match", large, reference=reference).item() > -1.5, "averaged down to 256 pixels a side"


def test_palette_match_of_a_shift_is_half_the_colour_difference():
    grey = torch.full((1, 3, 8, 8), 0.5)
    lighter = torch.full((1, 3, 8, 8), 0.6)
    difference = (srgb_to_lab(lighter) - srgb_to_lab(grey)).square().sum(1).sqrt().mean()
    assert score("palette match", lighter, reference=grey).item() == pytest.approx(-difference.item() / 2, rel=0.02)


def test_several_references_are_one_palette():
    black, white = torch.zeros(1, 3, 8, 8), torch.ones(1, 3, 8, 8)
    both = torch.cat((black, white))
    half = torch.cat((black, white), dim=3)
    assert score("palette match", half, reference=both).item() == 0
    assert score("palette match", black, reference=both).item() < -10


def test_palette_match_without_a_reference_names_the_input():
    with pytest.raises(ValueError, match="palette match compares with a picture: connect one to 'reference'"):
        load_reward_model("palette match")
