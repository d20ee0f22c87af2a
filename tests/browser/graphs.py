"""Workflows that the tests open on the page, as API JSON."""

from __future__ import annotations

COUNT = 5


def ksampler_graph(seed, *, count=COUNT, batch=1):
    """A small LiDAR KSampler on the demo model, with two judges."""
    return {
        "1": {"class_type": "LiDARLoadDemoModel", "inputs": {}},
        "2": {"class_type": "CLIPTextEncode", "inputs": {"clip": ["1", 1], "text": "three red circles"}},
        "3": {"class_type": "EmptyLatentImage", "inputs": {"width": 64, "height": 64, "batch_size": batch}},
        "4": {
            "class_type": "LiDARLookaheadConfig",
            "inputs": {
                "count": count, "steps": 1, "cfg": 3.0, "start_from": "best lookaheads", "finish": 1, "guidance_scale": 0.5,
                "end_percent": 0.3,
            },
        },
        "8": {"class_type": "LiDARRewardModelLoader", "inputs": {"kind": "brightness"}},
        "9": {"class_type": "LiDARCombineRewards", "inputs": {"rewards.reward_1": ["1", 3], "rewards.reward_2": ["8", 0]}},
        "5": {
            "class_type": "LiDARKSampler",
            "inputs": {
                "model": ["1", 0], "positive": ["2", 0], "negative": ["2", 0], "latent_image": ["3", 0], "vae": ["1", 2],
                "reward_model": ["9", 0], "prompt": "three red circles", "lookahead_config": ["4", 0],
                "seed": seed, "control_after_generate": "fixed",
                "steps": 4, "cfg": 3.0, "sampler_name": "euler", "scheduler": "normal", "denoise": 1.0,
            },
        },
        "6": {"class_type": "VAEDecode", "inputs": {"samples": ["5", 0], "vae": ["1", 2]}},
        "7": {"class_type": "PreviewImage", "inputs": {"images": ["6", 0]}},
    }  # fmt: skip
