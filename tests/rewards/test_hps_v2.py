"""HPS v2 and v2.1 against the code of hpsv2 1.2.0 (frozen)."""

import sys
from pathlib import Path

import pytest
import torch

from reward_models import load_reward_model
from reward_models.clip_architecture import FOLDER_CONFIG
from reward_models.image_batch import ImageBatch

sys.path.insert(0, str(Path(__file__).parent / "references"))
from clip_family import FROZEN, PROMPTS, frozen_model, frozen_pictures, frozen_state, reference, scores_and_pixels  # noqa: E402, I001

KIND = "HPS v2.1"


def test_scores_pixels_and_tokens_are_those_of_hpsv2(tmp_path, record_figure):
    model = frozen_model(KIND, tmp_path)
    scores, pixels = scores_and_pixels(model)
    true_scores, true_pixels = reference(KIND)
    difference = ((scores - true_scores).abs().max() / true_scores.abs().max()).item()
    record_figure("tiny HPS against hpsv2, resizing included: largest difference, by the largest score", difference)
    assert true_scores.std() > 0.05
    assert (pixels - true_pixels).abs().max() < 2e-5, "tensors are resized on both sides, so nothing is rounded"
    assert difference < 1e-5
    assert model.trunk.tokenizer(list(PROMPTS)).tolist() == FROZEN[KIND]["ids"]


@pytest.mark.parametrize("kind", ["HPS v2", "HPS v2.1"])
def test_half_precision_files_load_into_float32(tmp_path, kind):
    frozen_model(KIND, tmp_path)
    half = {key: value.half() for key, value in frozen_state(KIND).items()}
    torch.save({"state_dict": half}, tmp_path / "half.pt")
    model = load_reward_model(kind, str(tmp_path / "half.pt"), FOLDER_CONFIG)
    assert {parameter.dtype for parameter in model.parameters()} == {torch.float32}
    scores, _ = scores_and_pixels(model)
    true_scores, _ = reference(KIND)
    assert 0 < (scores - true_scores).abs().max() < 0.01 * true_scores.abs().max()


def test_the_edges_that_others_crop_away_are_seen(tmp_path):
    hps = frozen_model(KIND, tmp_path)
    clip = load_reward_model("CLIP score", str(tmp_path / "HPS.pt"), FOLDER_CONFIG)
    wide = torch.full((1, 3, 32, 96), 0.5)
    edged = wide.clone()
    edged[..., :24], edged[..., -24:] = 0.0, 1.0
    both, prompts = torch.cat((wide, edged)), PROMPTS[:1] * 2
    assert clip.score(both, prompts).diff().abs() < 1e-6
    assert hps.score(both, prompts).diff().abs() > 1e-3


@pytest.mark.parametrize(
    ("size", "picture"),
    [
        ((96, 32), (slice(None), slice(10, 21))),
        ((32, 96), (slice(10, 21), slice(None))),
        ((32, 31), (slice(None), slice(0, 31))),
        ((64, 64), (slice(None), slice(None))),
    ],
)
def test_the_rest_of_the_square_is_black(tmp_path, size, picture):
    preprocessing = frozen_model(KIND, tmp_path).preprocessing
    seen = ImageBatch(torch.full((1, 3, *size), 0.7)).preprocessed(preprocessing)[0]
    mean, std = (torch.tensor(each).view(3, 1, 1) for each in (preprocessing.mean, preprocessing.std))
    truth = torch.zeros(3, 32, 32)
    truth[(slice(None), *picture)] = 0.7
    torch.testing.assert_close(seen * std + mean, truth, rtol=0, atol=1e-5)


def test_a_score_never_depends_on_the_other_pictures(tmp_path):
    model = frozen_model(KIND, tmp_path)
    pictures = frozen_pictures()[0].repeat(3, 1, 1, 1)
    pictures[1] = pictures[1].flip(-1)
    pictures[2] *= 0.3
    together = model.score(pictures, PROMPTS[:3])
    alone = torch.cat([model.score(pictures[i : i + 1], [PROMPTS[i]]) for i in range(3)])
    assert together.std() > 0.01
    torch.testing.assert_close(together, alone, rtol=0, atol=1e-6)
