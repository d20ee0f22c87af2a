import numpy as np
import pytest
import torch
from scipy import stats

from reward_models import load_reward_model
from reward_models.palette_match import PaletteMatch, srgb_to_lab


def score(images, reference):
    return PaletteMatch(reference).score(images, [""] * len(images))


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
    model = PaletteMatch(pictures[2:])
    scores = model.score(pictures, [""] * 3)
    lab = srgb_to_lab(pictures).flatten(2).double().numpy()
    for image, given in zip(lab, scores, strict=True):
        distances = [
            stats.wasserstein_distance(direction @ image, direction @ lab[2])
            for direction in model.directions.double().numpy()
        ]
        assert given.item() == pytest.approx(-np.mean(distances), rel=0.02, abs=0.02)
    assert scores[2].item() == pytest.approx(0, abs=1e-3)
    assert scores[0] < -1 and scores[1] < -1


def test_palette_match_does_not_see_the_layout_or_the_size(pictures):
    reference = pictures[:1]
    shuffled = reference.flatten(2)[..., torch.randperm(reference.shape[-1] * reference.shape[-2])].view_as(reference)
    assert score(shuffled, reference).item() == pytest.approx(0, abs=1e-3)
    doubled = reference.repeat_interleave(2, dim=2).repeat_interleave(2, dim=3)
    assert score(doubled, reference).item() == pytest.approx(0, abs=0.05)
    large = reference.repeat_interleave(13, dim=2).repeat_interleave(13, dim=3)
    assert score(large, reference).item() > -1.5, "averaged down to 256 pixels a side"


def test_palette_match_averages_what_is_finer_than_256_pixels_a_side():
    fine = (torch.arange(512) % 2).float().expand(1, 3, 8, 512)
    grey = torch.full((1, 3, 5, 9), 0.5)
    assert score(fine, grey).item() == pytest.approx(0, abs=1e-3)
    assert score(fine[..., :256], grey).item() < -10


def test_palette_match_keeps_quantiles_not_the_picture(pictures):
    kept = PaletteMatch(pictures.half()).state_dict()
    assert {name: tuple(value.shape) for name, value in kept.items()} == {
        "directions": (32, 3),
        "reference": (1, 32, 128),
    }
    assert all(value.dtype == torch.float32 for value in kept.values())


@pytest.mark.parametrize("other", [(0.6, 0.6, 0.6), (0.7, 0.45, 0.4), (0.2, 0.4, 0.9), (0.1, 0.6, 0.2)])
def test_palette_match_of_a_shift_is_half_the_colour_difference(other):
    """The mean of |cos| over the sphere is 1/2; 32 even directions come within 4 percent of it."""
    grey = torch.full((1, 3, 8, 8), 0.5)
    shifted = torch.tensor(other).view(1, 3, 1, 1).expand(1, 3, 5, 7)
    difference = torch.linalg.vector_norm(srgb_to_lab(shifted)[0, :, 0, 0] - srgb_to_lab(grey)[0, :, 0, 0])
    assert score(shifted, grey).item() == pytest.approx(-difference.item() / 2, rel=0.04)


def test_several_references_are_one_palette():
    black, white = torch.zeros(1, 3, 8, 8), torch.ones(1, 3, 8, 8)
    both = torch.cat((black, white))
    half = torch.cat((black, white), dim=3)
    assert score(half, both).item() == pytest.approx(0, abs=1e-3)
    assert score(black, both).item() < -10


def test_palette_match_without_a_reference_names_the_input():
    with pytest.raises(ValueError, match="palette match compares with a picture: connect one to 'reference'"):
        load_reward_model("palette match")
