"""LiDAR KSampler on the demo model as a prompt for the real server, and what its tests ask of a run."""

from __future__ import annotations

import re
import zlib
from pathlib import Path

import pytest
import safetensors.torch

PROMPT = "three red circles"

# The guidance of the preset recommended, but to 0.9 of the process, for the final images have only three steps.
FROM_BEST = {
    "start_from": "best lookaheads", "guidance_form": "blend", "guidance_scale": 0.5, "reward_strength": 30.0,
    "effective_dimension": 256.0, "steady_scores": False,
}  # fmt: skip


@pytest.fixture
def seed(request):
    """A seed that no other test uses, so that nothing of this one is in the server's cache."""
    return {"lidar": {"seed": zlib.crc32(request.node.name.encode())}}


@pytest.fixture
def graph(seed):
    """graph(*changes) -> a prompt with LiDAR KSampler; changes: node id -> inputs to replace."""
    return lambda *changes: _graph(seed, *changes)


@pytest.fixture
def modular(graph):
    """modular() -> the same by hand, without LiDAR KSampler."""
    return lambda: _modular(graph())


@pytest.fixture
def run(server):
    """run(prompt) -> the result of a run that succeeds."""

    def queue(prompt):
        result = server.queue(prompt)
        assert result.status == "success", result.message
        return result

    return queue


@pytest.fixture
def first_run(run, graph):
    """The result of graph(), from nothing: what later runs may keep."""
    return run(graph())


@pytest.fixture
def graph_from_best(graph):
    """graph_from_best(*changes) -> the same prompt, starting from the best lookaheads."""
    return lambda *changes: graph({"config": FROM_BEST}, *changes)


@pytest.fixture
def run_from_best(run, graph_from_best):
    """run_from_best(*changes) -> the result of graph_from_best(*changes), which succeeds."""
    return lambda *changes: run(graph_from_best(*changes))


@pytest.fixture
def refusal(server):
    """refusal(prompt) -> the one line that a prompt which cannot run is answered with."""

    def queue(prompt):
        result = server.queue(prompt, timeout=60)
        assert result.status in ("error", "rejected"), f"status {result.status}"
        told = [line for line in result.message.splitlines() if not line.startswith("Prompt outputs failed validation")]
        assert len(told) == 1, told
        return told[0]

    return queue


@pytest.fixture
def latent_of(server):
    """latent_of(result, place) -> the latent that its node "save" wrote, of several the one at this place."""

    def load(result, place=0, server=server):
        saved = result.outputs["save"]["latents"][place]
        path = Path(server.base_directory, "output", saved["subfolder"], saved["filename"])
        return safetensors.torch.load_file(path)["latent_tensor"]

    return load


@pytest.fixture
def best_numbers():
    """best_numbers(result) -> the numbers, from 1, that LiDAR Start From Best or LiDAR Continue Best says it took."""

    def read(result) -> list[int]:
        texts = [text for node, text in result.texts if node == "lidar"]
        found = re.search(r"starts from no\. ([\d, ]+)|no\. ([\d, ]+) of \d+ go(?:es)? on", "\n".join(texts))
        return [int(number) for number in (found[1] or found[2]).split(", ")]

    return read


def _graph(*changes: dict[str, dict]) -> dict:
    prompt = {
        "demo": {"class_type": "LiDARLoadDemoModel", "inputs": {}},
        "positive": {"class_type": "CLIPTextEncode", "inputs": {"clip": ["demo", 1], "text": PROMPT}},
        "negative": {"class_type": "CLIPTextEncode", "inputs": {"clip": ["demo", 1], "text": ""}},
        "latent": {"class_type": "EmptyLatentImage", "inputs": {"width": 64, "height": 64, "batch_size": 2}},
        "brightness": {
            "class_type": "LiDARRewardModelLoader",
            "inputs": {"kind": "brightness", "file": "none", "architecture": "ViT-B-32"},
        },
        "config": {
            "class_type": "LiDARLookaheadConfig",
            "inputs": {
                "count": 4, "steps": 2, "cfg": 3.0, "sampler_name": "dpmpp_2m", "scheduler": "karras",
                "batch_size": 3, "guidance_scale": 2.0, "reward_strength": 1000.0, "reward_scale": "standardised",
                "start_percent": 0.0, "end_percent": 0.9, "guidance_form": "difference", "effective_dimension": 0.0,
                "start_from": "own noise", "cut_percent": 0.45, "finish": 1, "steady_scores": False,
            },
        },
        "lidar": {
            "class_type": "LiDARKSampler",
            "inputs": {
                "model": ["demo", 0], "positive": ["positive", 0], "negative": ["negative", 0],
                "latent_image": ["latent", 0], "vae": ["demo", 2], "reward_model": ["demo", 3], "prompt": PROMPT,
                "seed": 5, "steps": 3, "cfg": 3.0, "sampler_name": "euler", "scheduler": "normal", "denoise": 1.0,
                "lookahead_config": ["config", 0],
            },
        },
        "save": {"class_type": "SaveLatent", "inputs": {"samples": ["lidar", 0], "filename_prefix": "lidar"}},
    }  # fmt: skip
    for change in changes:
        for node_id, inputs in change.items():
            prompt[node_id]["inputs"] |= inputs
    return prompt


def _modular(prompt: dict) -> dict:
    given = prompt.pop("lidar")["inputs"]
    del prompt["config"]
    task = {name: given[name] for name in ("positive", "negative", "latent_image")}
    sampler = {name: given[name] for name in ("steps", "cfg", "sampler_name", "scheduler", "denoise")}
    return prompt | {
        "draw": {
            "class_type": "LiDARSampleLookaheads",
            "inputs": {"model": ["demo", 0], "seed": 77, "count": 4, "batch_size": 4} | task | sampler,
        },
        "decode": {"class_type": "VAEDecode", "inputs": {"samples": ["draw", 0], "vae": ["demo", 2]}},
        "score": {
            "class_type": "LiDARScoreLookaheads",
            "inputs": {
                "lookaheads": ["draw", 0], "images": ["decode", 0], "reward_model": ["demo", 3], "prompt": PROMPT,
                "batch_size": 4, "steady_scores": False,
            },
        },
        "guide": {
            "class_type": "LiDARApplyGuidance",
            "inputs": {
                "model": ["demo", 0], "lookaheads": ["score", 0], "guidance_scale": 2.0, "reward_strength": 1000.0,
                "reward_scale": "standardised", "start_percent": 0.0, "end_percent": 0.9,
                "guidance_form": "difference", "effective_dimension": 0.0, "percent_of": "whole process",
            },
        },
        "lidar": {"class_type": "KSampler", "inputs": {"model": ["guide", 0], "seed": 5} | task | sampler},
    }  # fmt: skip
