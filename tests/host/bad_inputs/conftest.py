"""A sound prompt for every node, small and quick, whose inputs the tests then spoil one by one."""

from __future__ import annotations

import io

import pytest
import torch
from PIL import Image
from safetensors.torch import save_file

from lidar_core import LookaheadSet, to_tensors

PROMPT = "three red circles"
SOUND_FILE = "sound.safetensors"


def node(class_type: str, **inputs) -> dict:
    return {"class_type": class_type, "inputs": inputs}


SAMPLER = {"steps": 2, "cfg": 2.0, "sampler_name": "euler", "scheduler": "normal", "denoise": 1.0}
TASK = {"positive": ["positive", 0], "negative": ["negative", 0]}
MODEL = {
    "demo": node("LiDARLoadDemoModel"),
    "positive": node("CLIPTextEncode", clip=["demo", 1], text=PROMPT),
    "negative": node("CLIPTextEncode", clip=["demo", 1], text=""),
    "latent": node("EmptyLatentImage", width=64, height=64, batch_size=1),
}
GUIDANCE = {
    "guidance_scale": 0.5, "reward_strength": 30.0, "reward_scale": "standardised", "start_percent": 0.0,
    "end_percent": 0.9, "guidance_form": "blend", "effective_dimension": 256.0,
}  # fmt: skip
DRAWING = {
    "count": 2, "steps": 1, "cfg": 2.0, "sampler_name": "euler", "scheduler": "karras", "batch_size": 2,
}  # fmt: skip
WHOLE = MODEL | {
    "config": node(
        "LiDARLookaheadConfig", **DRAWING, **GUIDANCE, start_from="best lookaheads", cut_percent=0.5, finish=1,
        steady_scores=False,
    ),
    "lidar": node(
        "LiDARKSampler", model=["demo", 0], **TASK, latent_image=["latent", 0], vae=["demo", 2],
        reward_model=["demo", 3], prompt=PROMPT, seed=5, **SAMPLER, lookahead_config=["config", 0],
        lookahead_model=["demo", 0], look_first=False, picks="",
    ),
    "save": node("SaveLatent", samples=["lidar", 0], filename_prefix="bad_inputs"),
}  # fmt: skip
PARTS = MODEL | {
    "draw": node(
        "LiDARSampleLookaheads", model=["demo", 0], **TASK, latent_image=["latent", 0], seed=5, **DRAWING, denoise=1.0,
        first_row=3, rows=["two", 0],
    ),
    "two": node("EmptyLatentImage", width=64, height=64, batch_size=2),
    "decode": node("VAEDecode", samples=["draw", 0], vae=["demo", 2]),
    "score": node(
        "LiDARScoreLookaheads", lookaheads=["draw", 0], images=["decode", 0], reward_model=["demo", 3], prompt=PROMPT,
        batch_size=2, steady_scores=False,
    ),
    "pick": node("LiDARPickLookaheads", lookahead_set=["score", 0], picks="1", mode="on top of the rewards", weight=3.0),
    "guide": node("LiDARApplyGuidance", model=["demo", 0], lookaheads=["pick", 0], percent_of="whole process", **GUIDANCE),
    "start": node("LiDARStartFromBest", latent_image=["latent", 0], lookaheads=["pick", 0]),
    "sample": node("KSampler", model=["guide", 0], **TASK, latent_image=["start", 0], seed=5, **SAMPLER),
    "save": node("SaveLatent", samples=["sample", 0], filename_prefix="bad_inputs"),
    "table": node("PreviewAny", source=["score", 2]),
}  # fmt: skip
VALUES = {key: each for key, each in PARTS.items() if key not in ("decode", "score", "pick", "table")} | {
    "values": node("LiDARRewardsFromValues", lookaheads=["draw", 0], values="0.5, 2", name="judge"),
    "guide": node(
        "LiDARApplyGuidance", model=["demo", 0], lookaheads=["values", 0], percent_of="whole process", **GUIDANCE
    ),
    "start": node("LiDARStartFromBest", latent_image=["latent", 0], lookaheads=["values", 0]),
}
CANDIDATES = MODEL | {
    "draw": node(
        "LiDARSampleCandidates", model=["demo", 0], **TASK, latent_image=["latent", 0], seed=5, **SAMPLER, count=2,
        cut_percent=0.5, batch_size=2,
    ),
    "values": node("LiDARRewardsFromValues", lookaheads=["draw", 0], values="0.5, 2", name="judge"),
    "go on": node(
        "LiDARContinueBest", model=["demo", 0], candidates=["draw", 1], lookaheads=["values", 0], latent_image=["latent", 0],
        batch_size=2, lookahead_model_idle=False,
    ),
    "save": node("SaveLatent", samples=["go on", 0], filename_prefix="bad_inputs"),
    "report": node("PreviewAny", source=["go on", 1]),
}  # fmt: skip
SEVERAL = MODEL | {key: VALUES[key] for key in ("draw", "two", "values")} | {
    "longer": node(
        "LiDARFinishSeveral", latent_image=["latent", 0], finish=2, count=2, favourites=0, from_best=True, lookahead_steps=1.0, lookahead_cfg=2.0,
        image_steps=2.0, image_cfg=2.0, share=1.0,
    ),
    "parts": node(
        "LiDARSampleInParts", model=["demo", 0], **TASK, latent_image=["longer", 0], lookaheads=["values", 0], seed=5, **SAMPLER, batch_size=2,
        at_once=["longer", 2],
    ),
    "keep": node(
        "LiDARKeepBest", latent=["parts", 0], wanted=1, vae=["demo", 2], reward_model=["demo", 3], prompt=PROMPT,
        batch_size=2, steady_scores=False, report=["parts", 1],
    ),
    "save": node("SaveLatent", samples=["keep", 0], filename_prefix="bad_inputs"),
    "show": node("PreviewImage", images=["keep", 1]),
}  # fmt: skip
MEASURING = MODEL | {
    "config": WHOLE["config"],
    "measure": node(
        "LiDARMeasureDrafts", model=["demo", 0], **TASK, latent_image=["latent", 0], vae=["demo", 2],
        reward_model=["demo", 3], prompt=PROMPT, seed=5, **SAMPLER, pictures=8, budget=2.0, lookahead_config=["config", 0],
        lookahead_model=["demo", 0],
    ),
    "chart": node("PreviewImage", images=["measure", 0]),
    "report": node("PreviewAny", source=["measure", 1]),
}  # fmt: skip
_ROWS = (
    {"model": ["demo", 0], "latent_image": ["latent", 0], "seed": 5, "batch_size": 2, "first": 0, "count": 3}
    | TASK
    | SAMPLER
)
_JUDGE = {"vae": ["demo", 2], "reward_model": ["demo", 3], "prompt": PROMPT, "batch_size": 2, "steady_scores": False}
ROWS = MODEL | {
    "drafts": node("LiDARSampleRows", **_ROWS | {"steps": 1}, drafts=True),
    "finals": node("LiDARSampleRows", **_ROWS, drafts=False),
    "first": node("LiDARJudgeRows", rows=["drafts", 0], **_JUDGE),
    "second": node("LiDARJudgeRows", rows=["finals", 0], **_JUDGE, before=["first", 0]),
    "report": node(
        "LiDARReportDrafts", judged=["second", 0], reward_model=["demo", 3], latent_image=["latent", 0], budget=2.0,
        **WHOLE["config"]["inputs"],
    ),
    "chart": node("PreviewImage", images=["report", 0]),
    "table": node("PreviewAny", source=["report", 1]),
}  # fmt: skip
IMAGES = {
    "image": node("EmptyImage", width=16, height=16, batch_size=2, color=0x305070),
    "mask": node("SolidMask", value=1.0, width=16, height=16),
    "latents": node("EmptyLatentImage", width=16, height=16, batch_size=2),
    "reward": node(
        "LiDARRewardModelLoader", kind="brightness", file="none", architecture="ViT-B-32", clip_file="none",
        negative_prompt="", reference=["image", 0],
    ),
    "second": node("LiDARRewardModelLoader", kind="contrast", file="none", architecture="ViT-B-32"),
    "both": node("LiDARCombineRewards", weights="", **{"rewards.reward_1": ["reward", 0], "rewards.reward_2": ["second", 0]}),
    "score": node(
        "LiDARScoreImages", images=["image", 0], reward_model=["both", 0], prompt="", prompt_per_line=False, top_k=1,
        use_threshold=True, threshold=0.1, batch_size=2, latents=["latents", 0], masks=["mask", 0],
        baseline_images=["image", 0], steady_scores=False, **{"held_out.held_out_1": ["second", 0]},
    ),
    "show": node("PreviewImage", images=["score", 0]),
    "table": node("PreviewAny", source=["score", 4]),
}  # fmt: skip
CHECKED = MODEL | {
    "checked": node("LiDARCheckedInput", value=4, node="LiDARKSampler", input="steps"),
    "sample": node(
        "KSampler", model=["demo", 0], **TASK, latent_image=["latent", 0], seed=5, **SAMPLER | {"steps": ["checked", 0]}
    ),
    "save": node("SaveLatent", samples=["sample", 0], filename_prefix="bad_inputs"),
}
REPORT = {key: each for key, each in PARTS.items() if key not in ("save", "table")} | {
    "report": node(
        "LiDARRunReport", latent=["sample", 0], model=["guide", 0], lookaheads=["pick", 0], from_best=True, report=""
    ),
    "save": node("SaveLatent", samples=["report", 0], filename_prefix="bad_inputs"),
}
LOOK = {key: each for key, each in VALUES.items() if key in MODEL | {"draw": 0, "two": 0, "values": 0}} | {
    "look": node("LiDARLookFirst", lookaheads=["values", 0], look_first=True, favourites=1),
    "start": node("LiDARStartFromBest", latent_image=["latent", 0], lookaheads=["look", 0]),
    "save": node("SaveLatent", samples=["start", 0], filename_prefix="bad_inputs"),
}  # fmt: skip
KEPT = {key: each for key, each in PARTS.items() if key not in ("pick", "guide", "start", "sample", "save", "table")} | {
    "keep": node(
        "LiDARSaveLookaheads", lookahead_set=["score", 0], filename_prefix="bad_inputs", overwrite=True, images=["decode", 0]
    ),
}  # fmt: skip
LOADED = {
    "load": node("LiDARLoadLookaheads", file=SOUND_FILE),
    "merge": node("LiDARMergeLookaheads", **{"sets.set_1": ["load", 2], "sets.set_2": ["load", 2]}),
    "save": node("SaveLatent", samples=["merge", 0], filename_prefix="bad_inputs"),
    "show": node("PreviewImage", images=["load", 1]),
}
BASES = {
    "LiDARKSampler": ("lidar", WHOLE), "LiDARLookaheadConfig": ("config", WHOLE),
    "LiDARSampleLookaheads": ("draw", PARTS), "LiDARScoreLookaheads": ("score", PARTS),
    "LiDARPickLookaheads": ("pick", PARTS), "LiDARApplyGuidance": ("guide", PARTS), "LiDARStartFromBest": ("start", PARTS),
    "LiDARRewardsFromValues": ("values", VALUES),
    "LiDARRewardModelLoader": ("reward", IMAGES), "LiDARCombineRewards": ("both", IMAGES), "LiDARScoreImages": ("score", IMAGES),
    "LiDARSampleCandidates": ("draw", CANDIDATES), "LiDARContinueBest": ("go on", CANDIDATES),
    "LiDARFinishSeveral": ("longer", SEVERAL), "LiDARSampleInParts": ("parts", SEVERAL), "LiDARKeepBest": ("keep", SEVERAL),
    "LiDARMeasureDrafts": ("measure", MEASURING), "LiDARSampleRows": ("finals", ROWS), "LiDARJudgeRows": ("second", ROWS),
    "LiDARReportDrafts": ("report", ROWS),
    "LiDARSaveLookaheads": ("keep", KEPT), "LiDARLoadLookaheads": ("load", LOADED), "LiDARMergeLookaheads": ("merge", LOADED),
    "LiDARLookFirst": ("look", LOOK), "LiDARCheckedInput": ("checked", CHECKED), "LiDARRunReport": ("report", REPORT),
}  # fmt: skip


@pytest.fixture(scope="session")
def bases(_running_server) -> dict[str, tuple[str, dict]]:
    """Node class -> (its id in the prompt, a prompt that succeeds); with the inputs as they stand in the schemas."""
    jpeg = io.BytesIO()
    Image.new("RGB", (8, 8), (9, 200, 40)).save(jpeg, "JPEG")
    lookaheads = LookaheadSet(torch.zeros(1, 4, 8, 8), torch.tensor([0.5]), "sound", pictures=[jpeg.getvalue()])
    tensors, metadata = to_tensors(lookaheads)
    save_file(tensors, _running_server.base_directory / "input" / SOUND_FILE, metadata)
    return BASES
