"""Odd values through a link: where the meaning is plain the result is that of the plain value, else one line says so."""

from __future__ import annotations

import copy
import io
from pathlib import Path

import pytest
import safetensors.torch
from PIL import Image

SHOWN = ("save", "table", "show")
SAME_AS_2 = ("2.0", "the text 2", "numpy's 2", "numpy's 2.0", "an array of 2", "a tensor of 2")
NUMBERS = (
    ("LiDARKSampler", ("seed", "steps", "cfg", "prompt", "picks")),
    ("LiDARLookaheadConfig", ("count", "steps", "guidance_scale", "effective_dimension", "batch_size")),
    ("LiDARSampleLookaheads", ("seed", "count", "cfg")),
    ("LiDARPickLookaheads", ("picks", "weight")),
    ("LiDARApplyGuidance", ("guidance_scale", "effective_dimension")),
    ("LiDARRewardsFromValues", ("name",)),
)
NOT_CONNECTED = (
    ("LiDARKSampler", "lookahead_model"),
    ("LiDARKSampler", "lookahead_config"),
    ("LiDARKSampler", "picks"),
    ("LiDARLookaheadConfig", "effective_dimension"),
    ("LiDARApplyGuidance", "effective_dimension"),
    ("LiDARRewardModelLoader", "file"),
    ("LiDARRewardModelLoader", "clip_file"),
    ("LiDARRewardModelLoader", "negative_prompt"),
    ("LiDARRewardModelLoader", "reference"),
    ("LiDARCombineRewards", "rewards.reward_2"),
    ("LiDARScoreImages", "latents"),
    ("LiDARScoreImages", "masks"),
    ("LiDARScoreImages", "baseline_images"),
    ("LiDARScoreImages", "held_out.held_out_1"),
)
ROWS = ("in a tuple", "in a tensor", "in an array", "of numpy's", "of floats", "of texts", "in a range")
NO_ROWS = ("too few", "below 0", "of halves", "of no kind", "of None", "in columns", "of NaN")


@pytest.fixture
def fed(bases):
    """fed(class type, input, value) -> that node's prompt with AnyValue at the input; None: with nothing there."""

    def make(class_type: str, name: str, value: str | None) -> dict:
        node_id, prompt = bases[class_type]
        prompt = copy.deepcopy(prompt)
        inputs = prompt[node_id]["inputs"]
        inputs.pop(name, None)
        if value is not None:
            inputs[name] = ["any", 0]
            prompt["any"] = {"class_type": "AnyValue", "inputs": {"what": value}}
        return prompt

    return make


@pytest.fixture
def results(server):
    """results(prompt) -> what the prompt's own nodes showed and saved in a run that succeeds, without the names of files."""

    def run(prompt: dict):
        result = server.queue(prompt, timeout=60)
        assert result.status == "success", result.message
        return {key: seen(output, server) for key, output in result.outputs.items() if key in SHOWN}

    return run


def seen(output: dict, server) -> dict:
    numbers = {name: value for name, value in output.items() if name in ("text", "rewards")}
    for saved in output.get("latents", ()):
        path = Path(server.base_directory, "output", saved["subfolder"], saved["filename"])
        numbers["latent"] = safetensors.torch.load_file(path)["latent_tensor"].tolist()
    for saved in output.get("images", ()):
        numbers.setdefault("images", []).append(Image.open(io.BytesIO(server.view(saved))).tobytes())
    return numbers


@pytest.mark.parametrize(("class_type", "name"), [(node, name) for node, names in NUMBERS for name in names])
def test_whatever_is_plainly_two_is_two(class_type, name, fed, results):
    expected = results(fed(class_type, name, "2"))
    assert expected
    for value in SAME_AS_2:
        assert results(fed(class_type, name, value)) == expected, value


@pytest.mark.parametrize(("class_type", "name"), NOT_CONNECTED)
def test_none_at_an_optional_input_is_nothing_connected(class_type, name, fed, results):
    assert results(fed(class_type, name, "None")) == results(fed(class_type, name, None))


def test_none_at_lookahead_model_is_nothing_connected_where_it_draws_differently(fed, results):
    def with_model(value):
        prompt = fed("LiDARKSampler", "lookahead_model", value)
        prompt["other"] = {
            "class_type": "ModelSamplingDiscrete",
            "inputs": {"model": ["demo", 0], "sampling": "x0", "zsnr": False},
        }
        return prompt

    other = with_model("None")
    other["lidar"]["inputs"]["lookahead_model"] = ["other", 0]
    expected = results(with_model(None))
    assert results(with_model("None")) == expected != results(other)


def test_a_switch_is_on_whatever_kind_of_true_comes(fed, results):
    expected = results(fed("LiDARScoreLookaheads", "steady_scores", "1"))
    assert results(fed("LiDARScoreLookaheads", "steady_scores", "numpy's True")) == expected


@pytest.mark.parametrize(
    ("class_type", "name"), [("LiDARKSampler", "latent_image"), ("LiDARSampleLookaheads", "latent_image")]
)
@pytest.mark.parametrize("value", ROWS)
def test_rows_of_noise_may_come_as_any_numbers(class_type, name, fed, results, value):
    def own_noise(rows):
        prompt = fed(class_type, name, f"rows {rows}")
        if class_type == "LiDARKSampler":
            prompt["config"]["inputs"]["start_from"] = "own noise"
        return prompt

    expected = results(own_noise("in a list"))
    assert results(own_noise(value)) == expected
    assert class_type != "LiDARKSampler" or results(own_noise("in another order")) != expected


@pytest.mark.parametrize("value", NO_ROWS)
def test_rows_that_are_none_are_refused_before_anything_is_drawn(fed, server, value):
    result = server.queue(fed("LiDARKSampler", "latent_image", f"rows {value}"), timeout=60)
    assert result.status == "error"
    assert result.message.startswith("LiDAR KSampler: latent_image is a LATENT ") and "batch_index" in result.message
    assert result.errors[0]["exception_type"] == "ValueError" and "VAEDecode" not in result.executed_classes


@pytest.mark.parametrize(
    ("class_type", "name", "value"),
    [
        ("LiDARLookaheadConfig", "count", "10.5"), ("LiDARKSampler", "seed", "10.5"), ("LiDARKSampler", "steps", "two numbers"),
        ("LiDARKSampler", "cfg", "two numbers"), ("LiDARSampleLookaheads", "count", "None"),
    ],
)  # fmt: skip
def test_what_is_not_plain_is_refused_in_one_line_before_anything_is_drawn(fed, server, bases, class_type, name, value):
    result = server.queue(fed(class_type, name, value), timeout=60)
    assert result.status == "error"
    assert f": {name} " in result.message and len(result.message.strip().splitlines()) == 1, result.message
    assert result.errors[0]["exception_type"] == "ValueError"
    assert class_type == "LiDARApplyGuidance" or "VAEDecode" not in result.executed_classes


@pytest.mark.parametrize(
    ("class_type", "name", "told"),
    [
        ("LiDARCombineRewards", "reward_1", "LiDAR Combine Rewards: reward_1 is no input of this node: write one of rewards.reward_1, "),
        ("LiDARMergeLookaheads", "set_1", "LiDAR Merge Lookaheads: set_1 is no input of this node: write one of sets.set_1, "),
        ("LiDARKSampler", "lookahed_config", "LiDAR KSampler: lookahed_config is no input of this node: write one of model, "),
    ],
)  # fmt: skip
def test_a_link_under_a_wrong_name_is_refused_with_the_right_names(fed, server, class_type, name, told):
    result = server.queue(fed(class_type, name, "2"), timeout=60)
    assert result.status == "error"
    assert result.message.startswith(told) and len(result.message.strip().splitlines()) == 1
    assert "VAEDecode" not in result.executed_classes
