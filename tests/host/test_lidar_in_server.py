"""The nodes in the real server, with the demo model: what runs again, what is equal, and what is said when input is bad."""

from __future__ import annotations

import io
import json
import shutil
import zlib
from pathlib import Path

import pytest
import safetensors.torch
import torch
from PIL import Image

PROMPT = "three red circles"
DEMO_CLIP = Path(__file__).resolve().parents[2] / "demo_model" / "weights" / "demo_clip"


def graph(*changes: dict[str, dict]) -> dict:
    """A prompt with LiDAR KSampler on the demo model; changes: node id -> inputs to replace."""
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
                "preset": "custom", "count": 4, "steps": 2, "cfg": 3.0, "sampler_name": "dpmpp_2m", "scheduler": "karras",
                "batch_size": 3, "guidance_scale": 2.0, "reward_strength": 1000.0, "reward_scale": "standardised",
                "start_percent": 0.0, "end_percent": 0.9,
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


def latent_of(server, result) -> torch.Tensor:
    saved = result.outputs["save"]["latents"][0]
    path = Path(server.base_directory, "output", saved["subfolder"], saved["filename"])
    return safetensors.torch.load_file(path)["latent_tensor"]


@pytest.fixture
def seed(request):
    """A seed that no other test uses, so that nothing of this one is in the server's cache."""
    return {"lidar": {"seed": zlib.crc32(request.node.name.encode())}}


@pytest.fixture
def first_run(server, seed):
    """The result of graph(seed), from nothing: what later runs may keep."""
    result = server.queue(graph(seed))
    assert result.status == "success", result.message
    return result


def test_one_node_runs_both_phases(server, first_run):
    order = (
        "LiDARKSampler",
        "LiDARSampleLookaheads",
        "VAEDecode",
        "LiDARScoreLookaheads",
        "LiDARApplyGuidance",
        "KSampler",
    )
    assert tuple(name for name in first_run.executed_classes if name in order) == order
    assert latent_of(server, first_run).shape == (2, 4, 8, 8)


def test_ranking_settings_and_progress_of_both_phases_are_shown(server, first_run):
    shown = {node: text for node, text in first_run.texts}
    assert "4 lookaheads: 2 steps" in shown["config"]
    assert "best" in shown["lidar"] and "of 4 lookaheads" in shown["lidar"]
    classes = {first_run.class_of(step.node) for step in first_run.progress}
    assert {"LiDARSampleLookaheads", "KSampler"} <= classes
    ends = [step for step in first_run.progress if first_run.class_of(step.node) == "LiDARSampleLookaheads"]
    assert {step.maximum for step in ends} == {4.0}, "two chunks of two steps are one bar"
    ranked = next(
        output["images"] for node, output in first_run.outputs.items() if node.endswith("LiDARScoreLookaheads")
    )
    assert len(ranked) == 4
    assert Image.open(io.BytesIO(server.view(ranked[0]))).width == 192


def test_changing_only_the_reward_model_keeps_the_lookaheads(server, seed, first_run, record_figure):
    result = server.queue(graph(seed, {"lidar": {"reward_model": ["brightness", 0]}}))
    assert result.status == "success", result.message
    record_figure("executed after a change of the reward model", ", ".join(result.executed_classes))
    assert {"LiDARScoreLookaheads", "LiDARApplyGuidance", "KSampler"} <= set(result.executed_classes)
    assert not {"LiDARSampleLookaheads", "VAEDecode"} & set(result.executed_classes)


@pytest.mark.parametrize("change", [{"guidance_scale": 1.0}, {"reward_strength": 2.0}])
def test_changing_only_strength_keeps_lookaheads_and_scores(server, seed, first_run, record_figure, change):
    result = server.queue(graph(seed, {"config": change}))
    assert result.status == "success", result.message
    record_figure(f"executed after a change of {next(iter(change))}", ", ".join(result.executed_classes))
    assert {"LiDARApplyGuidance", "KSampler"} <= set(result.executed_classes)
    assert not {"LiDARSampleLookaheads", "VAEDecode", "LiDARScoreLookaheads"} & set(result.executed_classes)


def test_changing_the_final_sampler_keeps_everything_before_it(server, seed, first_run):
    result = server.queue(graph(seed, {"lidar": {"steps": 4}}))
    assert result.status == "success", result.message
    assert result.executed_classes == ("LiDARKSampler", "KSampler", "SaveLatent")


def test_guidance_scale_0_is_the_hosts_ksampler_bit_for_bit(server, seed, first_run):
    off = server.queue(graph(seed, {"config": {"guidance_scale": 0.0}}))
    prompt = graph(seed)
    settings = {name: prompt["lidar"]["inputs"][name] for name in (
        "model", "positive", "negative", "latent_image", "seed", "steps", "cfg", "sampler_name", "scheduler", "denoise",
    )}  # fmt: skip
    prompt["lidar"] = {"class_type": "KSampler", "inputs": settings}
    host = server.queue(prompt)
    assert off.status == host.status == "success", off.message + host.message
    assert torch.equal(latent_of(server, off), latent_of(server, host))
    assert not torch.equal(latent_of(server, first_run), latent_of(server, host))


# As the preset recommended has it, with fewer pictures and steps.
FROM_BEST = {
    "start_from": "best lookaheads", "guidance_form": "blend", "guidance_scale": 0.5, "reward_strength": 30.0,
    "effective_dimension": 256.0, "steady_scores": True,
}  # fmt: skip


def run_from_best(server, seed, *changes):
    result = server.queue(graph(seed, {"config": FROM_BEST}, *changes))
    assert result.status == "success", result.message
    return result


def best_numbers(result) -> list[int]:
    """The numbers, from 1, that LiDAR Start From Best says it took."""
    (told,) = [text for node, text in result.texts if node == "lidar" and "starts from no. " in text]
    line = next(line for line in told.splitlines() if "starts from no. " in line)
    return [int(number) for number in line.split("starts from no. ")[1].split(", ")]


def test_from_the_best_lookaheads_with_guidance_scale_0_is_ksampler_at_their_batch_rows(server, seed):
    """The rows by the host's own nodes: an empty batch of 4, cut apart, joined in the order of the ranking."""
    off = run_from_best(server, seed, {"config": {"guidance_scale": 0.0}})
    best = best_numbers(off)
    assert len(set(best)) == 2 and all(1 <= number <= 4 for number in best)
    prompt = graph(seed)
    settings = {name: prompt["lidar"]["inputs"][name] for name in (
        "model", "positive", "negative", "seed", "steps", "cfg", "sampler_name", "scheduler", "denoise",
    )}  # fmt: skip
    prompt["latent"]["inputs"]["batch_size"] = 4
    for place, number in enumerate(best):
        inputs = {"samples": ["latent", 0], "batch_index": number - 1, "length": 1}
        prompt[f"row {place}"] = {"class_type": "LatentFromBatch", "inputs": inputs}
    prompt["rows"] = {"class_type": "LatentBatch", "inputs": {"samples1": ["row 0", 0], "samples2": ["row 1", 0]}}
    prompt["lidar"] = {"class_type": "KSampler", "inputs": settings | {"latent_image": ["rows", 0]}}
    host = server.queue(prompt)
    assert host.status == "success", host.message
    assert torch.equal(latent_of(server, off), latent_of(server, host))
    guided = run_from_best(server, seed)
    assert best_numbers(guided) == best
    assert not torch.equal(latent_of(server, guided), latent_of(server, host))


def test_changing_only_the_reward_chooses_the_start_anew_and_keeps_the_lookaheads(server, seed, record_figure):
    first = run_from_best(server, seed)
    assert {"LiDARSampleLookaheads", "LiDARStartFromBest"} <= set(first.executed_classes)
    result = run_from_best(server, seed, {"lidar": {"reward_model": ["brightness", 0]}})
    record_figure("executed after a change of the reward, from the best lookaheads", ", ".join(result.executed_classes))
    again = {"LiDARScoreLookaheads", "LiDARStartFromBest", "LiDARApplyGuidance", "KSampler"}
    assert again <= set(result.executed_classes)
    assert not {"LiDARSampleLookaheads", "VAEDecode"} & set(result.executed_classes)


@pytest.mark.parametrize("change", [{"guidance_scale": 0.3}, {"reward_strength": 2.0}, {"effective_dimension": 64.0}])
def test_changing_only_strength_keeps_the_start_from_the_best(server, seed, change, record_figure):
    run_from_best(server, seed)
    result = run_from_best(server, seed, {"config": change})
    record_figure(f"executed after a change of {next(iter(change))}, from the best", ", ".join(result.executed_classes))
    assert {name for name in result.executed_classes if name not in ("LiDARKSampler", "LiDARLookaheadConfig")} == {
        "LiDARApplyGuidance", "KSampler", "SaveLatent",
    }  # fmt: skip


def test_other_picks_start_from_other_lookaheads(server, seed):
    first = best_numbers(run_from_best(server, seed))
    worst = next(number for number in range(1, 5) if number not in first)
    result = run_from_best(server, seed, {"lidar": {"picks": f"{worst}=9"}})
    assert best_numbers(result) == [worst, first[0]]
    assert not {"LiDARSampleLookaheads", "LiDARScoreLookaheads"} & set(result.executed_classes)


def test_the_preset_recommended_is_what_runs_without_a_config(server, seed):
    """A config node with the node's own cfg and scheduler draws, scores, starts and guides the very same."""
    prompt = graph(seed)
    del prompt["lidar"]["inputs"]["lookahead_config"], prompt["config"]
    without = server.queue(prompt)
    widgets = {"preset": "recommended", "count": 16, "steps": 6, "cfg": 3.0, "scheduler": "normal", "batch_size": 16}
    config = server.queue(graph(seed, {"config": widgets}))
    assert without.status == config.status == "success", without.message + config.message
    assert "LiDARStartFromBest" in without.executed_classes
    assert not {"LiDARSampleLookaheads", "LiDARScoreLookaheads", "KSampler"} & set(config.executed_classes)
    shown = {node: text for node, text in config.texts}
    assert "recommended" in shown["config"] or "blend" in shown["config"]


def test_a_batch_larger_than_the_lookaheads_is_one_line_that_names_the_fix(server, seed):
    prompt = graph(seed, {"config": FROM_BEST}, {"latent": {"batch_size": 5}})
    message = one_line(server.queue(prompt))
    assert "LiDAR Start From Best: 5 final images" in message and "there are 4; raise count" in message


def test_one_lookahead_runs_and_says_that_it_cannot_steer(server):
    result = server.queue(graph({"config": {"count": 1}}))
    assert result.status == "success", result.message
    assert any(node == "lidar" and "one lookahead cannot steer" in text for node, text in result.texts)


def test_cancel_ends_the_lookahead_phase(server):
    def cancel_at_first_step(kind, data):
        if kind == "progress" and "LiDARSampleLookaheads" in data["node"]:
            server.interrupt()

    result = server.queue(graph({"config": {"count": 400, "batch_size": 1}}), timeout=60, on_event=cancel_at_first_step)
    assert result.status == "interrupted"
    assert result.executed_classes[-1] == "LiDARSampleLookaheads"


def modular(**lookahead_settings) -> dict:
    """The same by hand, without LiDAR KSampler."""
    prompt = graph()
    given = prompt.pop("lidar")["inputs"]
    del prompt["config"]
    task = {name: given[name] for name in ("positive", "negative", "latent_image")}
    sampler = {name: given[name] for name in ("steps", "cfg", "sampler_name", "scheduler", "denoise")}
    return prompt | {
        "draw": {
            "class_type": "LiDARSampleLookaheads",
            "inputs": {"model": ["demo", 0], "seed": 77, "count": 4, "batch_size": 4} | task | sampler | lookahead_settings,
        },
        "decode": {"class_type": "VAEDecode", "inputs": {"samples": ["draw", 0], "vae": ["demo", 2]}},
        "score": {
            "class_type": "LiDARScoreLookaheads",
            "inputs": {
                "lookaheads": ["draw", 0], "images": ["decode", 0], "reward_model": ["demo", 3], "prompt": PROMPT,
                "batch_size": 4,
            },
        },
        "guide": {
            "class_type": "LiDARApplyGuidance",
            "inputs": {
                "model": ["demo", 0], "lookaheads": ["score", 0], "guidance_scale": 2.0, "reward_strength": 1000.0,
                "reward_scale": "standardised", "start_percent": 0.0, "end_percent": 0.9,
            },
        },
        "lidar": {"class_type": "KSampler", "inputs": {"model": ["guide", 0], "seed": 5} | task | sampler},
    }  # fmt: skip


def test_modular_nodes_run_to_the_end(server):
    result = server.queue(modular())
    assert result.status == "success", result.message
    assert latent_of(server, result).shape == (2, 4, 8, 8)


def one_line(result) -> str:
    assert result.status in ("error", "rejected"), f"status {result.status}"
    lines = [line for line in result.message.splitlines() if not line.startswith("Prompt outputs failed validation")]
    assert len(lines) == 1, lines
    return lines[0]


def test_no_lookaheads_are_rejected_with_node_and_input(server):
    message = one_line(server.queue(graph({"config": {"count": 0}})))
    assert "LiDARLookaheadConfig" in message and "count" in message and "min of 1" in message


def test_an_empty_window_is_refused_before_any_lookahead_is_drawn(server):
    result = server.queue(graph({"config": {"start_percent": 0.7, "end_percent": 0.2}}), timeout=60)
    assert result.status == "error"
    assert "start_percent 0.7 is above end_percent 0.2" in result.message
    assert "LiDARSampleLookaheads" not in result.executed_classes


def test_empty_prompt_for_a_text_reward_names_node_and_input(server):
    message = one_line(server.queue(graph({"lidar": {"prompt": " "}})))
    assert "LiDAR Score Lookaheads" in message and "'prompt' is empty" in message and "write" in message


def test_latent_of_another_channel_count_names_node_and_fix(server):
    folder = Path(server.base_directory, "input")
    folder.mkdir(exist_ok=True)
    wrong = {"latent_tensor": torch.ones(1, 16, 8, 8), "latent_format_version_0": torch.tensor([])}
    safetensors.torch.save_file(wrong, folder / "sixteen_channels.latent")
    prompt = graph()
    prompt["latent"] = {"class_type": "LoadLatent", "inputs": {"latent": "sixteen_channels.latent"}}
    message = one_line(server.queue(prompt))
    assert "LiDAR Sample Lookaheads: latent_image has 16 channels, the model wants 4; encode" in message


def test_model_that_adds_no_noise_is_refused_before_sampling(server):
    prompt = graph({"lidar": {"model": ["flow", 0]}})
    sampling = {"model": ["demo", 0], "sampling": "img_to_img_flow", "zsnr": False}
    prompt["flow"] = {"class_type": "ModelSamplingDiscrete", "inputs": sampling}
    message = one_line(server.queue(prompt))
    assert "LiDAR cannot steer this model: its sampling (IMG_TO_IMG_FLOW)" in message and "connect a" in message


def test_lookaheads_of_another_size_stop_the_guided_sampler(server):
    prompt = modular()
    prompt["small"] = {"class_type": "EmptyLatentImage", "inputs": {"width": 64, "height": 32, "batch_size": 1}}
    prompt["draw"]["inputs"]["latent_image"] = ["small", 0]
    message = one_line(server.queue(prompt))
    assert "the lookaheads are 4 x 4 x 8 latents but the latent being sampled is 4 x 8 x 8; give LiDAR" in message


def test_reward_that_is_no_number_names_node_and_reward(server):
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
    message = one_line(server.queue(prompt))
    assert "LiDAR Score Lookaheads" in message and "gave nan for image 1 of 4" in message
