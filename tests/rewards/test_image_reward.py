"""ImageReward against the authors' own package, whose outputs benchmarks/reward_references/image_reward.py froze."""

import json
import re
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from reward_models import load_reward_model
from reward_models.guess_kind import guess_kind
from reward_models.image_batch import ImageBatch
from reward_models.image_reward import load_image_reward

REFERENCES = Path(__file__).parent / "references"
sys.path.insert(0, str(REFERENCES))
from closed_form import closed_form_picture, closed_form_weights, quiet_embeddings  # noqa: E402

FROZEN = json.loads((REFERENCES / "image_reward.json").read_text())


@pytest.fixture(scope="module")
def state():
    return closed_form_weights(FROZEN["shapes"])


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "vocab.txt").write_text("\n".join(FROZEN["words"]) + "\n")
    return tmp_path


@pytest.fixture
def file(folder, state):
    """The tiny ImageReward in the form of the authors' file, position_ids included."""
    positions = {"blip.text_encoder.embeddings.position_ids": torch.arange(40)[None]}
    torch.save(state | positions, folder / "ImageReward.pt")
    return folder / "ImageReward.pt"


def ready_batch(model):
    """The pixels that the reference was made with, past resizing: at this size they are not resized at all."""
    pictures = [closed_form_picture(32, 32, number) for number in range(len(FROZEN["prompts"]))]
    pixels = torch.stack(pictures).permute(0, 3, 1, 2).float() / 255
    batch = ImageBatch(pixels)
    batch.once(model.preprocessing, lambda: (pixels - 0.45) / 0.27)
    return batch


@torch.no_grad()
def test_scores_equal_those_of_the_authors_package(file, record_figure):
    model = load_image_reward(str(file))
    scores = model.score_batch(ready_batch(model), FROZEN["prompts"])
    truth = torch.tensor(FROZEN["scores"])
    difference = ((scores - truth) / truth).abs().max().item()
    record_figure("tiny ImageReward against image-reward 1.5: largest relative difference", difference)
    assert truth.std() > 0.05
    assert scores.dtype == torch.float32
    assert difference < 1e-5


@torch.no_grad()
def test_scores_of_small_embeddings_equal_those_of_the_authors_package(folder, state):
    torch.save(quiet_embeddings(state), folder / "quiet.pt")
    model = load_image_reward(str(folder / "quiet.pt"))
    scores = model.score_batch(ready_batch(model), FROZEN["prompts"])
    truth = torch.tensor(FROZEN["quiet_scores"])
    assert (truth - torch.tensor(FROZEN["scores"])).abs().min() > 0.01
    torch.testing.assert_close(scores, truth, atol=0, rtol=1e-5)


@torch.no_grad()
def test_features_equal_those_of_the_authors_package(file):
    model = load_image_reward(str(file))
    ids, mask = model.tokens(FROZEN["prompts"])
    assert ids.tolist() == FROZEN["ids"]
    image_tokens = model.trunk.visual_encoder(ready_batch(model).preprocessed(model.preprocessing))
    features = model.trunk.text_encoder(ids, mask, image_tokens)
    torch.testing.assert_close(features[:, :8], torch.tensor(FROZEN["features"]), atol=1e-5, rtol=0)


@torch.no_grad()
def test_both_file_forms_and_half_precision_files_load_alike(file, folder, state):
    truth = load_image_reward(str(file))
    truth = truth.score_batch(ready_batch(truth), FROZEN["prompts"])
    save_file(state, folder / "form.safetensors")
    torch.save({key: value.half() for key, value in state.items()}, folder / "half.pt")
    for name, tolerance in (("form.safetensors", 0), ("half.pt", 0.02)):
        assert guess_kind(str(folder / name)).kind == "ImageReward"
        model = load_reward_model("ImageReward", str(folder / name))
        assert {parameter.dtype for parameter in model.parameters()} == {torch.float32}
        scores = model.score_batch(ready_batch(model), FROZEN["prompts"])
        torch.testing.assert_close(scores, truth, atol=tolerance, rtol=0)


@torch.no_grad()
def test_half_precision_trunk_keeps_the_score_and_a_float32_head(file):
    model = load_image_reward(str(file))
    truth = model.score_batch(ready_batch(model), FROZEN["prompts"])
    for dtype, tolerance in ((torch.float16, 0.01), (torch.bfloat16, 0.1)):
        model.trunk.to(dtype)
        scores = model.score_batch(ready_batch(model), FROZEN["prompts"])
        assert scores.dtype == torch.float32
        assert 0 < (scores - truth).abs().max() < tolerance


@torch.no_grad()
def test_each_image_is_scored_against_its_own_prompt(file):
    model = load_image_reward(str(file))
    images = torch.stack([closed_form_picture(40, 60, number) for number in range(3)]).permute(0, 3, 1, 2).float() / 255
    together = model.score(images, FROZEN["prompts"])
    for i, prompt in enumerate(FROZEN["prompts"]):
        alone = model.score(images[i : i + 1], [prompt])
        torch.testing.assert_close(together[i : i + 1], alone, atol=1e-5, rtol=0)


@torch.no_grad()
def test_the_images_of_a_batch_are_embedded_once(file):
    model = load_image_reward(str(file))
    seen = []
    model.trunk.visual_encoder.register_forward_hook(lambda module, given, got: seen.append(len(got)))
    batch, other = ready_batch(model), ready_batch(model)
    first = model.score_batch(batch, FROZEN["prompts"])
    turned = model.score_batch(batch, FROZEN["prompts"][::-1])
    assert seen == [3]
    assert torch.equal(model.score_batch(other, FROZEN["prompts"]), first)
    assert not torch.equal(turned[[0, 2]], first[[0, 2]])
    assert torch.equal(turned[1], first[1])


def without(state, pattern):
    return {key: value for key, value in state.items() if not re.search(pattern, key)}


def as_cycle_reward(state):
    """CycleReward: the same towers, but activations between the last layers, so that the very last has number 8."""
    return {key.replace("mlp.layers.7.", "mlp.layers.8."): value for key, value in state.items()}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda state: {"visual.proj": torch.ones(2, 2)}, r"is not ImageReward v1 \(its first tensors: visual.proj\)"),
        (lambda state: without(state, "crossattention"), "is not ImageReward v1"),
        (as_cycle_reward, "is not ImageReward v1"),
        (
            lambda state: without(state, "layer.1.output.dense.bias"),
            r"no whole ImageReward v1 \(1 tensors missing, 0 unk",
        ),
        (lambda state: state | {"blip.extra": torch.ones(1)}, r"0 tensors missing, 1 unknown.*for example extra"),
        (
            lambda state: state | {"mlp.layers.0.bias": torch.ones(5)},
            r"1 of another size; for example mlp.layers.0.bias",
        ),
    ],
)
def test_another_model_is_told_in_one_line(folder, state, change, message):
    torch.save(change(dict(state)), folder / "wrong.pt")
    with pytest.raises(ValueError, match=f"^wrong.pt .*{message}") as raised:
        load_image_reward(str(folder / "wrong.pt"))
    assert "\n" not in str(raised.value)


def test_a_vocabulary_that_does_not_fit_names_the_file_to_put_there(file, folder):
    (folder / "vocab.txt").write_text("[PAD]\n[UNK]\n")
    with pytest.raises(
        ValueError,
        match=r"vocab.txt has 2 words, but the model was trained with 14: put its vocab.txt into .*, or none",
    ):
        load_image_reward(str(file))
    (folder / "vocab.txt").unlink()
    with pytest.raises(ValueError, match="bert-base-uncased has 30522 words, but the model was trained with 14"):
        load_image_reward(str(file))
    (folder / "vocab.txt").write_text("\n".join(f"word{i}" for i in range(14)))
    with pytest.raises(ValueError, match=r"lacks \[PAD\], \[UNK\], \[CLS\], \[SEP\]: put BERT's vocab.txt"):
        load_image_reward(str(file))
