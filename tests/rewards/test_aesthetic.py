"""LAION aesthetic v2 against transformers' CLIPModel with a chain of layers in numpy (frozen), and as one affine map."""

import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from reward_models import load_reward_model
from reward_models.aesthetic import LAYERS, load_aesthetic_head

sys.path.insert(0, str(Path(__file__).parent / "references"))
from clip_family import frozen_head, frozen_model, frozen_pictures, reference, scores_and_pixels  # noqa: E402, I001

KIND = "LAION aesthetic v2"


def test_scores_and_pixels_are_those_of_the_authors_steps(tmp_path, record_figure):
    scores, pixels = scores_and_pixels(frozen_model(KIND, tmp_path))
    true_scores, true_pixels = reference(KIND)
    difference = (scores - true_scores).abs() / true_scores.abs().max()
    record_figure("tiny aesthetic against transformers and numpy, same pixels: relative", difference[0].max().item())
    assert true_scores[:, 0].std() > 0.05
    assert (pixels[0] - true_pixels[0]).abs().max() < 1e-5
    assert ((pixels - true_pixels).abs() > 1e-3).float().mean() < 0.01
    assert difference[0].max() < 1e-5
    assert difference.max() < 2e-3


@pytest.mark.parametrize("form", ["pth", "half", "safetensors", "wrapped"])
def test_the_chain_is_one_affine_map_in_every_form_of_the_file(tmp_path, form):
    state = frozen_head()
    matrix, offset = np.eye(24), np.zeros(24)
    for index in LAYERS:
        weight = state[f"layers.{index}.weight"].double().numpy()
        matrix, offset = weight @ matrix, weight @ offset + state[f"layers.{index}.bias"].double().numpy()
    match form:
        case "safetensors":
            save_file(state, tmp_path / "head")
        case "wrapped":
            torch.save({"state_dict": {f"module.{key}": value for key, value in state.items()}}, tmp_path / "head")
        case "half":
            torch.save({key: value.half() for key, value in state.items()}, tmp_path / "head")
        case "pth":
            torch.save(state, tmp_path / "head")
    head = load_aesthetic_head(str(tmp_path / "head"))
    features = torch.randn(5, 24, generator=torch.Generator().manual_seed(1))
    truth = features.double().numpy() @ matrix.T + offset
    tolerance = 5e-3 if form == "half" else 1e-5
    np.testing.assert_allclose(head(features).detach().numpy(), truth, rtol=0, atol=tolerance)
    assert {parameter.dtype for parameter in head.parameters()} == {torch.float32}


def relu_state():
    """The authors' other predictors have a ReLU and a dropout after each layer, which moves the numbers."""
    sizes = dict(zip((0, 3, 6, 9, 11), ((10, 24), (8, 10), (6, 8), (4, 6), (1, 4)), strict=True))
    state = {f"layers.{index}.weight": torch.ones(shape) for index, shape in sizes.items()}
    return state | {f"layers.{index}.bias": torch.ones(shape[0]) for index, shape in sizes.items()}


@pytest.mark.parametrize(
    ("state", "first"),
    [
        (relu_state(), "layers.0.bias, layers.0.weight, layers.11.bias"),
        ({"linear.weight": torch.ones(1, 768)}, "linear.weight"),
        ({key: value for key, value in frozen_head().items() if key != "layers.7.bias"}, "layers.0.bias"),
    ],
)
def test_other_predictors_are_refused_in_one_line(tmp_path, state, first):
    torch.save(state, tmp_path / "ava_logos_l14_reluMSE.pth")
    with pytest.raises(
        ValueError, match=rf"^ava_logos_l14_reluMSE\.pth is no LAION .*{first}.*'clip_checkpoint'$"
    ) as raised:
        load_aesthetic_head(str(tmp_path / "ava_logos_l14_reluMSE.pth"))
    assert "\n" not in str(raised.value)


def test_a_half_precision_trunk_feeds_a_float32_head(tmp_path):
    model = frozen_model(KIND, tmp_path)
    full, _ = scores_and_pixels(model)
    model.trunk.half()
    half, _ = scores_and_pixels(model)
    assert {parameter.dtype for parameter in model.head.parameters()} == {torch.float32}
    assert half.dtype == torch.float32 and 0 < (half - full).abs().max() < 0.02


def test_the_prompt_and_the_length_of_the_embedding_play_no_part(tmp_path):
    model = frozen_model(KIND, tmp_path)
    picture = frozen_pictures()[0]
    assert model.score(picture, ["fog"]) == model.score(picture, [""])
    normal = model.score(picture, [""])
    with torch.no_grad():
        model.trunk.clip.visual.proj.mul_(7.5)
    torch.testing.assert_close(model.score(picture, [""]), normal, rtol=1e-5, atol=1e-6)


def test_a_head_without_its_clip_names_the_input(tmp_path):
    torch.save(frozen_head(), tmp_path / "head.pth")
    with pytest.raises(ValueError, match="^LAION aesthetic v2 reads the embeddings of a CLIP: .*'clip_checkpoint'$"):
        load_reward_model(KIND, str(tmp_path / "head.pth"))
