"""Lists into LiDAR KSampler: it makes one result, and says so before anything is drawn; the parts take lists."""

from __future__ import annotations

import pytest
import torch


def twice(prompt: dict, node: str, name: str, value=None, other=None) -> dict:
    """The prompt with a list of two at an input: what stands there, or value, and the same again, or other."""
    first = prompt[node]["inputs"].get(name) if value is None else value
    prompt["twice"] = {"class_type": "Twice", "inputs": {"value": first, "other": first if other is None else other}}
    prompt[node]["inputs"][name] = ["twice", 0]
    return prompt


@pytest.mark.parametrize(
    "name",
    [
        "model",
        "positive",
        "negative",
        "latent_image",
        "vae",
        "reward_model",
        "prompt",
        "cfg",
        "steps",
        "denoise",
        "lookahead_model",
        "sampler_name",
        "scheduler",
        "picks",
    ],
)
def test_a_list_is_refused_by_name_before_anything_is_drawn(graph, server, name):
    prompt = twice(graph({"lidar": {"lookahead_model": ["demo", 0], "picks": "1"}}), "lidar", name)
    result = server.queue(prompt, timeout=60)
    assert result.status == "error"
    assert result.message.startswith(f"LiDAR KSampler: {name} is a list of 2, wanted one: connect one, or build it of")
    assert "VAEDecode" not in result.executed_classes


def test_a_list_of_prompts_is_told_before_the_empty_prompt_that_comes_of_it(graph, refusal):
    """The words of a list are not found behind positive, and the reward model, which is there first, wants some."""
    prompt = graph({"positive": {"text": ["list", 0]}, "lidar": {"prompt": ""}})
    prompt["list"] = {
        "class_type": "CreateList",
        "inputs": {"inputs.input0": "a red circle", "inputs.input1": "a cube"},
    }
    assert refusal(prompt).startswith("LiDAR KSampler: positive is a list of 2, wanted one: connect one")


@pytest.mark.parametrize("name", ["count", "guidance_scale", "scheduler"])
def test_so_is_a_list_at_a_setting_of_the_config(graph, server, name):
    result = server.queue(twice(graph(), "config", name), timeout=60)
    assert result.message.startswith(f"LiDAR Lookahead Config: {name} is a list of 2, wanted one: connect one")
    assert "VAEDecode" not in result.executed_classes


def test_two_seeds_give_as_many_results_as_the_hosts_ksampler_each_equal_to_its_single_run(graph, run, latent_of):
    seeds = [5, 6]
    single = [latent_of(run(graph({"lidar": {"seed": seed}}))) for seed in seeds]
    result = run(twice(graph(), "lidar", "seed", *seeds))
    saved = [latent_of(result, place) for place in range(len(result.outputs["save"]["latents"]))]
    host = twice(graph(), "lidar", "seed", *seeds)
    names = (
        "model", "positive", "negative", "latent_image", "seed", "steps", "cfg", "sampler_name", "scheduler", "denoise",
    )  # fmt: skip
    host["lidar"] = {"class_type": "KSampler", "inputs": {name: host["lidar"]["inputs"][name] for name in names}}
    assert len(saved) == len(run(host).outputs["save"]["latents"]) == 2
    assert all(torch.equal(one, other) for one, other in zip(single, saved, strict=True))
    assert not torch.equal(*saved)


@pytest.mark.parametrize(
    ("node", "name", "first", "second"),
    [
        ("draw", "seed", 77, 78),
        ("draw", "model", ["demo", 0], ["shifted", 0]),
        ("draw", "positive", ["positive", 0], ["negative", 0]),
        ("score", "reward_model", ["demo", 3], ["brightness", 0]),
        ("score", "prompt", "three red circles", "a blue square"),
        ("guide", "guidance_scale", 1.0, 3.0),
        ("lidar", "cfg", 2.0, 4.0),
    ],
)
def test_the_parts_take_lists_and_give_what_single_runs_give(modular, run, latent_of, node, name, first, second):
    def prompt(value):
        shifted = {"model": ["demo", 0], "multiplier": 0.5}
        made = modular() | {"shifted": {"class_type": "RescaleCFG", "inputs": shifted}}
        made["guide"]["inputs"]["reward_strength"] = 1.0  # so that all rewards count, not the best alone
        made[node]["inputs"][name] = value
        return made

    result = run(twice(prompt(first), node, name, first, second))
    saved = [latent_of(result, place) for place in range(len(result.outputs["save"]["latents"]))]
    assert len(saved) == 2 and not torch.equal(*saved)
    assert all(
        torch.equal(latent_of(run(prompt(value))), one) for value, one in zip((first, second), saved, strict=True)
    )
