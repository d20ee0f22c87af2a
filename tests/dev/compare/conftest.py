"""A small server's object_info, a workflow in API format for it, and rows as a comparison writes them."""

import pytest

LOADER = {
    "display_name": "Load LiDAR Reward Model",
    "input": {
        "required": {
            "kind": [["auto", "PickScore", "contrast"], {"default": "auto"}],
            "file": ["COMBO", {"options": ["none", "pick.safetensors"], "default": "none"}],
            "architecture": [["ViT-L-14", "ViT-H-14"]],
            "model": ["MODEL", {}],
        },
        "optional": {"clip_file": [["none", "b.pt"]], "negative_prompt": ["STRING", {"default": ""}]},
    },
    "output": ["LIDAR_REWARD_MODEL"],
}


@pytest.fixture
def object_info():
    def gives(*kinds):
        return {"display_name": "Any Node", "input": {}, "output": list(kinds)}

    return {
        "LiDARRewardModelLoader": LOADER,
        "CheckpointLoaderSimple": gives("MODEL", "CLIP", "VAE"),
        "CLIPTextEncode": gives("CONDITIONING"),
        "FluxGuidance": gives("CONDITIONING"),
        "ControlNetApplyAdvanced": gives("CONDITIONING", "CONDITIONING"),
        "EmptyLatentImage": gives("LATENT"),
    }


@pytest.fixture
def graph():
    """LiDAR KSampler behind a ControlNet and a Flux Guidance; a preview behind it, and a node that nothing asks for."""

    def node(class_type, **inputs):
        return {"class_type": class_type, "inputs": inputs}

    return {
        "1": node("CheckpointLoaderSimple", ckpt_name="a.safetensors"),
        "2": node("CLIPTextEncode", clip=["1", 1], text="a cat"),
        "3": node("CLIPTextEncode", clip=["1", 1], text="blurry"),
        "4": node("FluxGuidance", conditioning=["2", 0], guidance=3.5),
        "5": node("ControlNetApplyAdvanced", positive=["4", 0], negative=["3", 0], strength=0.5),
        "6": node("EmptyLatentImage", width=64, height=48, batch_size=2),
        "7": node("LiDARRewardModelLoader", kind="PickScore", file="pick.safetensors"),
        "8": node("LiDARLookaheadConfig", start_from="best lookaheads", count=5),
        "9": node(
            "LiDARKSampler", model=["1", 0], positive=["5", 0], negative=["5", 1], latent_image=["6", 0], vae=["1", 2],
            reward_model=["7", 0], lookahead_config=["8", 0], prompt="a cat", seed=7, steps=11, cfg=3.5,
            sampler_name="euler", scheduler="simple", denoise=0.9,
        ),
        "10": node("PreviewImage", images=["9", 2]),
        "11": node("EmptyLatentImage", width=8, height=8, batch_size=1),
    }  # fmt: skip


@pytest.fixture
def rows():
    """Two prompts with two seeds, one picture each; best of N drew three, LiDAR four lookaheads."""

    def cell(prompt, seed, vanilla, candidates, guided, lookaheads, held_out):
        rewards = {"one picture": [vanilla], "best of N": [max(candidates)], "LiDAR": [guided]}
        seconds = {"one picture": 1.0, "best of N": 3.2, "LiDAR": 3.0}
        for method, number in zip(rewards, held_out, strict=True):
            yield {
                "prompt": prompt,
                "seed": seed,
                "method": method,
                "seconds": seconds[method],
                "rewards": {"PickScore": rewards[method], "contrast": [number]},
                "pictures": [f"pictures/{method}_{seed}.png"],
                "candidates": candidates,
                "lookaheads": lookaheads,
            }

    return [
        *cell("a cat", 10, 0.1, [0.1, 0.7, 0.4], 0.9, [0.3, 0.5, 0.35, 0.0], (3.0, 2.0, 1.0)),
        *cell("a dog", 20, 0.5, [0.5, 0.2, 0.3], 0.4, [0.1, 0.2, 0.6, 0.7], (3.0, 3.0, 2.5)),
        *cell("a cat", 11, 0.3, [0.3, 0.2, 0.8], 0.9, [0.0, 0.1, 0.9, 0.2], (5.0, 5.0, 5.0)),
        *cell("a dog", 21, 0.6, [0.6, 0.1, 0.0], 0.7, [0.9, 0.3, 0.2, 0.1], (4.0, 4.0, 4.5)),
    ]
