"""What two prompts must agree in, bit for bit."""

from __future__ import annotations

import pytest
import torch

PROMPT = "three red circles"


def test_guidance_scale_0_is_the_hosts_ksampler_bit_for_bit(graph, run, first_run, latent_of):
    off = run(graph({"config": {"guidance_scale": 0.0}}))
    prompt = graph()
    settings = {name: prompt["lidar"]["inputs"][name] for name in (
        "model", "positive", "negative", "latent_image", "seed", "steps", "cfg", "sampler_name", "scheduler", "denoise",
    )}  # fmt: skip
    prompt["lidar"] = {"class_type": "KSampler", "inputs": settings}
    host = run(prompt)
    assert torch.equal(latent_of(off), latent_of(host))
    assert not torch.equal(latent_of(first_run), latent_of(host))


def test_from_the_best_lookaheads_with_guidance_scale_0_is_ksampler_at_their_batch_rows(
    graph, run, run_from_best, best_numbers, latent_of
):
    """The rows by the host's own nodes: an empty batch of 4, cut apart, joined in the order of the ranking."""
    off = run_from_best({"config": {"guidance_scale": 0.0}})
    best = best_numbers(off)
    assert len(set(best)) == 2 and all(1 <= number <= 4 for number in best)
    prompt = graph()
    settings = {name: prompt["lidar"]["inputs"][name] for name in (
        "model", "positive", "negative", "seed", "steps", "cfg", "sampler_name", "scheduler", "denoise",
    )}  # fmt: skip
    prompt["latent"]["inputs"]["batch_size"] = 4
    for place, number in enumerate(best):
        inputs = {"samples": ["latent", 0], "batch_index": number - 1, "length": 1}
        prompt[f"row {place}"] = {"class_type": "LatentFromBatch", "inputs": inputs}
    prompt["rows"] = {"class_type": "LatentBatch", "inputs": {"samples1": ["row 0", 0], "samples2": ["row 1", 0]}}
    prompt["lidar"] = {"class_type": "KSampler", "inputs": settings | {"latent_image": ["rows", 0]}}
    host = run(prompt)
    assert torch.equal(latent_of(off), latent_of(host))
    guided = run_from_best()
    assert best_numbers(guided) == best
    assert not torch.equal(latent_of(guided), latent_of(host))


def test_the_defaults_of_the_config_are_what_runs_without_one(graph, run, server):
    """A config node as it is dropped into the graph begins, scores and finishes the very same."""
    prompt = graph()
    del prompt["lidar"]["inputs"]["lookahead_config"], prompt["config"]
    without = run(prompt)
    described = server.object_info("LiDARLookaheadConfig")["LiDARLookaheadConfig"]["input"]["optional"]
    widgets = {name: options["default"] for name, (_, options) in described.items()}
    config = run(graph({"config": widgets}))
    assert "LiDARContinueBest" in without.executed_classes
    assert not {"LiDARSampleCandidates", "LiDARScoreLookaheads", "LiDARContinueBest"} & set(config.executed_classes)
    assert "continue the best" in dict(config.texts)["config"]


@pytest.mark.parametrize("text", ["by value", "by link"])
def test_without_a_prompt_the_words_of_positive_are_judged(graph, run, latent_of, text):
    """As if the plain words had been written into prompt; nothing is drawn again."""
    weighted = {"positive": {"text": "three (red circles:1.0)"}}
    written = run(graph(weighted))
    prompt = graph(weighted, {"lidar": {"prompt": ""}})
    if text == "by link":
        words = {"class_type": "PrimitiveString", "inputs": {"value": weighted["positive"]["text"]}}
        prompt = graph(weighted, {"lidar": {"prompt": ""}, "positive": {"text": ["words", 0]}}) | {"words": words}
    found = run(prompt)
    assert torch.equal(latent_of(found), latent_of(written))
    if text == "by value":
        assert ("lidar", f"prompt of positive: {PROMPT}") in found.texts
        assert "LiDARSampleLookaheads" not in found.executed_classes
