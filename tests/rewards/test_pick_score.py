"""PickScore against transformers' CLIPModel, image processor and tokenizer (frozen), and by its definition."""

import math
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from reward_models import load_reward_model
from reward_models.clip_architecture import FOLDER_CONFIG
from reward_models.preprocess import OPENAI_STD, Preprocessing, preprocess

sys.path.insert(0, str(Path(__file__).parent / "references"))
from clip_family import FROZEN, PROMPTS, frozen_model, frozen_pictures, frozen_state, reference, scores_and_pixels  # noqa: E402, I001

KIND = "PickScore"


def test_scores_pixels_and_tokens_are_those_of_transformers(tmp_path, record_figure):
    model = frozen_model(KIND, tmp_path)
    scores, pixels = scores_and_pixels(model)
    true_scores, true_pixels = reference(KIND)
    steps = (pixels - true_pixels).abs() * torch.tensor(OPENAI_STD).view(3, 1, 1) * 255
    unresized = (scores[0] - true_scores[0]).abs().max().item() / true_scores.abs().max().item()
    record_figure("tiny PickScore against transformers, same pixels: largest relative difference", unresized)
    record_figure("tiny PickScore against transformers: largest pixel difference, in 8-bit steps", steps.max().item())
    assert true_scores.std() > 1
    assert steps.max() < 1.1 and (steps > 0.1).float().mean() < 0.01
    assert unresized < 1e-5
    assert (scores - true_scores).abs().max() < 2e-3 * true_scores.abs().max()
    for ours, theirs in zip(model.trunk.tokenizer(list(PROMPTS)).tolist(), FROZEN[KIND]["ids"], strict=True):
        end = theirs.index(49407)
        assert ours[: end + 1] == theirs[: end + 1]


def test_half_a_pixel_is_cropped_down_as_by_transformers():
    picture = torch.linspace(0, 1, 11).expand(1, 3, 4, 11)
    for crop_down, begin in ((True, 3), (False, 4)):
        wanted = Preprocessing((4, 4), (0.0,) * 3, (1.0,) * 3, crop_down=crop_down)
        assert torch.equal(preprocess(picture, wanted), picture[..., begin : begin + 4])


def test_the_scale_multiplies_the_clip_score_of_the_same_file(tmp_path):
    pick = frozen_model(KIND, tmp_path)
    clip = load_reward_model("CLIP score", str(tmp_path / "model.safetensors"), FOLDER_CONFIG)
    square = frozen_pictures()[0].repeat(2, 1, 1, 1)
    scale = np.exp(np.float64(FROZEN["logit_scale"]))
    truth = clip.score(square, PROMPTS[:2]).double() * scale
    torch.testing.assert_close(pick.score(square, PROMPTS[:2]).double(), truth, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("form", [torch.tensor(1.5), torch.tensor([1.5]), torch.tensor(1.5, dtype=torch.float16)])
def test_the_scale_may_be_a_number_a_vector_of_one_or_half(tmp_path, form):
    frozen_model(KIND, tmp_path)
    save_file(frozen_state(KIND) | {"logit_scale": form}, tmp_path / "other.safetensors")
    picture = frozen_pictures()[0]
    unit = load_reward_model("CLIP score", str(tmp_path / "other.safetensors"), FOLDER_CONFIG)
    other = load_reward_model(KIND, str(tmp_path / "other.safetensors"), FOLDER_CONFIG)
    ratio = other.score(picture, PROMPTS[:1]) / unit.score(picture, PROMPTS[:1])
    assert ratio.item() == pytest.approx(math.exp(1.5), rel=1e-5)


def test_half_precision_trunks_keep_the_scale_and_the_order(tmp_path, record_figure):
    model = frozen_model(KIND, tmp_path)
    full, _ = scores_and_pixels(model)
    model.trunk.half()
    half, _ = scores_and_pixels(model)
    difference = ((half - full).abs().max() / full.abs().max()).item()
    record_figure("tiny PickScore in fp16: largest difference, by the largest score", difference)
    assert half.dtype == torch.float32
    assert 0 < difference < 0.01
