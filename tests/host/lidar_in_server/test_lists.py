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
    ],
)
def test_a_list_is_refused_by_name_before_anything_is_drawn(graph, server, name):
    prompt = twice(graph({"lidar": {"lookahead_model": ["demo", 0]}}), "lidar", name)
    result = server.queue(prompt, timeout=60)
    assert result.status == "error"
    assert result.message.startswith(f"LiDAR KSampler: {name} is a list of 2, wanted one: connect one, or build it of")
    assert "VAEDecode" not in result.executed_classes


@pytest.mark.parametrize("name", ["count", "guidance_scale", "scheduler"])
def test_so_is_a_list_at_a_setting_of_the_config(graph, server, name):
    result = server.queue(twice(graph(), "config", name), timeout=60)
    assert result.message.startswith(f"LiDAR Lookahead Config: {name} is a list of 2, wanted one: connect one")
    assert "VAEDecode" not in result.executed_classes


def test_two_seeds_give_two_results_each_equal_to_its_single_run(graph, run, latent_of):
    seeds = [5, 6]
    single = [latent_of(run(graph({"lidar": {"seed": seed}}))) for seed in seeds]
    result = run(twice(graph(), "lidar", "seed", *seeds))
    saved = [latent_of(result, place) for place in range(2)]
    assert all(torch.equal(one, other) for one, other in zip(single, saved, strict=True))


def test_the_parts_take_lists(modular, run, latent_of):
    prompt = twice(modular(), "guide", "guidance_scale", 1.0, 3.0)
    result = run(prompt)
    both = [latent_of(result, place) for place in range(2)]
    for scale, one in zip((1.0, 3.0), both, strict=True):
        alone = modular()
        alone["guide"]["inputs"]["guidance_scale"] = scale
        assert torch.equal(latent_of(run(alone)), one)
