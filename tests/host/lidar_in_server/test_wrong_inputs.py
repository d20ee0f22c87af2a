"""What is said when an input is bad: one line with the node and what to do."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import safetensors.torch
import torch

DEMO_CLIP = Path(__file__).resolve().parents[3] / "demo_model" / "weights" / "demo_clip"


def test_no_lookaheads_are_rejected_with_node_and_input(graph, refusal):
    message = refusal(graph({"config": {"count": 0}}))
    assert "LiDARLookaheadConfig" in message and "count" in message and "min of 1" in message


def test_an_empty_window_is_refused_before_any_lookahead_is_drawn(graph, server):
    result = server.queue(graph({"config": {"start_percent": 0.7, "end_percent": 0.2}}), timeout=60)
    assert result.status == "error"
    assert "start_percent 0.7 is above end_percent 0.2" in result.message
    assert "LiDARSampleLookaheads" not in result.executed_classes


def test_empty_prompt_for_a_text_reward_names_node_and_input(graph, refusal):
    message = refusal(graph({"lidar": {"prompt": " "}, "positive": {"text": " "}}))
    assert message.startswith("LiDAR KSampler: ") and "'prompt' is empty" in message and "write" in message


def test_latent_of_another_channel_count_names_node_and_fix(graph, refusal, server):
    folder = Path(server.base_directory, "input")
    folder.mkdir(exist_ok=True)
    wrong = {"latent_tensor": torch.ones(1, 16, 8, 8), "latent_format_version_0": torch.tensor([])}
    safetensors.torch.save_file(wrong, folder / "sixteen_channels.latent")
    prompt = graph()
    prompt["latent"] = {"class_type": "LoadLatent", "inputs": {"latent": "sixteen_channels.latent"}}
    message = refusal(prompt)
    assert "LiDAR Sample Lookaheads: latent_image has 16 channels, the model wants 4; encode" in message


def test_model_that_adds_no_noise_is_refused_before_sampling(graph, refusal):
    prompt = graph({"lidar": {"model": ["flow", 0]}})
    sampling = {"model": ["demo", 0], "sampling": "img_to_img_flow", "zsnr": False}
    prompt["flow"] = {"class_type": "ModelSamplingDiscrete", "inputs": sampling}
    message = refusal(prompt)
    assert "LiDAR Sample Lookaheads: this model cannot be steered: its sampling (IMG_TO_IMG_FLOW)" in message
    assert "connect a" in message


def test_lookaheads_of_another_size_stop_the_guided_sampler(modular, refusal):
    prompt = modular()
    prompt["small"] = {"class_type": "EmptyLatentImage", "inputs": {"width": 64, "height": 32, "batch_size": 1}}
    prompt["draw"]["inputs"]["latent_image"] = ["small", 0]
    message = refusal(prompt)
    assert "the lookaheads are 4 x 4 x 8 latents but the latent being sampled is 4 x 8 x 8; give LiDAR" in message


def test_weights_that_are_no_numbers_name_node_and_file(graph, refusal, server):
    folder = Path(server.base_directory, "models", "reward_models", "damaged")
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copytree(DEMO_CLIP, folder, dirs_exist_ok=True)
    weights = safetensors.torch.load_file(folder / "open_clip_model.safetensors")
    name = next(name for name in weights if name.startswith("visual") and weights[name].is_floating_point())
    weights[name] = torch.full_like(weights[name], torch.nan)
    safetensors.torch.save_file(weights, folder / "open_clip_model.safetensors")
    prompt = graph({"lidar": {"reward_model": ["damaged", 0]}})
    file = str(Path("damaged", "open_clip_model.safetensors"))
    offered = json.dumps(server.object_info("LiDARRewardModelLoader"))
    assert "damaged" in offered
    prompt["damaged"] = {
        "class_type": "LiDARRewardModelLoader",
        "inputs": {"kind": "CLIP score", "file": file, "architecture": "open_clip_config.json"},
    }
    message = refusal(prompt)
    assert (
        "Load LiDAR Reward Model: open_clip_model.safetensors holds numbers that are not finite in visual." in message
    )
