"""CLIP negative prompt: the CLIP score of its own text, negated, whatever the prompt."""

import pytest
import torch

from reward_models import load_reward_model
from reward_models.clip_architecture import FOLDER_CONFIG

KIND = "CLIP negative prompt"
TEXT = "blurry, low quality, watermark"


@pytest.fixture
def clip_file(tiny_folder):
    return str(tiny_folder / "open_clip_model.safetensors")


def load(clip_file, text=TEXT):
    return load_reward_model(KIND, clip_file, FOLDER_CONFIG, text=text)


@pytest.mark.parametrize("text", [TEXT, "Caf\u00e9 \u6771\u4eac \U0001f600", "a very long text, " * 40, "  fog\n"])
def test_it_is_the_negated_clip_score_of_the_text(clip_file, pictures, text):
    clip_score = load_reward_model("CLIP score", clip_file, FOLDER_CONFIG).score(pictures, [text] * 3)
    scores = load(clip_file, text).score(pictures, ["a", "b", "c"])
    assert clip_score.std() > 1e-3
    torch.testing.assert_close(scores, -clip_score, rtol=0, atol=1e-6)


def test_other_texts_give_other_scores_and_prompts_do_not(clip_file, pictures):
    model = load(clip_file)
    assert not model.reads_prompt and model.name == "CLIP negative prompt (tiny)"
    assert torch.equal(model.score(pictures, [TEXT] * 3), model.score(pictures, [""] * 3))
    assert (model.score(pictures, [""] * 3) - load(clip_file, "fog").score(pictures, [""] * 3)).abs().min() > 1e-4


def test_the_text_is_embedded_as_one_row_however_many_images(clip_file, pictures):
    model, rows = load(clip_file), []
    model.trunk.clip.token_embedding.register_forward_hook(lambda module, given, output: rows.append(len(output)))
    model.score(pictures.repeat(3, 1, 1, 1), [""] * 9)
    assert rows == [1]


def test_half_precision_trunks_keep_the_score(clip_file, pictures):
    model = load(clip_file)
    full = model.score(pictures, [""] * 3)
    model.trunk.half()
    half = model.score(pictures, [""] * 3)
    assert half.dtype == torch.float32 and 0 < (half - full).abs().max() < 3e-3


@pytest.mark.parametrize("text", ["", "  \n\t"])
def test_an_empty_text_names_the_input(clip_file, text):
    with pytest.raises(ValueError, match="^CLIP negative prompt needs the text .* write it into 'text'$"):
        load(clip_file, text)
