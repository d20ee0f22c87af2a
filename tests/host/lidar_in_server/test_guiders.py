"""LiDAR Apply Guidance in the real server with guiders that multiply guidance, and at inputs where it is lost."""

from __future__ import annotations

import pytest


@pytest.fixture
def parts(modular, seed):
    """The modular prompt with lookaheads of its own, for a node in the cache does not run and tells nothing."""
    prompt = modular()
    prompt["draw"]["inputs"]["seed"] = seed["lidar"]["seed"]
    return prompt


@pytest.fixture
def sampled_by(parts, server):
    """sampled_by(class type, **inputs) -> the modular prompt, sampled with that guider by SamplerCustomAdvanced."""

    def make(class_type, **inputs):
        if class_type not in server.object_info():
            pytest.skip(f"this ComfyUI has no {class_type}")
        prompt = dict(parts)
        task = {"noise": ["noise", 0], "guider": ["guider", 0], "sampler": ["sampler", 0], "sigmas": ["sigmas", 0]}
        return prompt | {
            "guider": {"class_type": class_type, "inputs": inputs},
            "noise": {"class_type": "RandomNoise", "inputs": {"noise_seed": 5}},
            "sampler": {"class_type": "KSamplerSelect", "inputs": {"sampler_name": "euler"}},
            "sigmas": {
                "class_type": "BasicScheduler",
                "inputs": {"model": ["demo", 0], "scheduler": "normal", "steps": 4, "denoise": 1.0},
            },
            "lidar": {"class_type": "SamplerCustomAdvanced", "inputs": task | {"latent_image": ["latent", 0]}},
        }

    return make


def told(result) -> list[str]:
    return [text for node, text in result.texts if node == "guide"]


def test_a_guider_that_multiplies_guidance_is_told_of(sampled_by, run):
    prompt = sampled_by(
        "DualCFGGuider", model=["guide", 0], cond1=["positive", 0], cond2=["negative", 0], negative=["negative", 0],
        cfg_conds=2.0, cfg_cond2_negative=3.0, style="nested",
    )  # fmt: skip
    last = told(run(prompt))[-1]
    assert last.startswith("guided ") and ";\nthe guider multiplies guidance_scale by 3: it acts as 6;\nset " in last


def test_guidance_on_the_model_of_the_negative_is_told_before_and_in_the_run(sampled_by, run):
    prompt = sampled_by(
        "DualModelGuider", model=["demo", 0], model_negative=["guide", 0], positive=["positive", 0],
        negative=["negative", 0], cfg=4.0,
    )  # fmt: skip
    first, last = told(run(prompt))
    assert "not guided: model_negative of DualModelGuider is for the negative prompt alone" in first
    assert last.startswith("nothing is guided: this guider runs the model for the negative prompt alone")


def test_guidance_on_the_second_model_of_a_merge_is_told(parts, run):
    prompt = parts
    merge = {"model1": ["demo", 0], "model2": ["guide", 0], "ratio": 0.5}
    prompt["merge"] = {"class_type": "ModelMergeSimple", "inputs": merge}
    prompt["lidar"]["inputs"]["model"] = ["merge", 0]
    (only,) = told(run(prompt))
    assert only.endswith(
        ";\nnot guided: model2 of ModelMergeSimple reads the weights alone; guide the merged model instead"
    )
