"""Tiny PickScore, HPS and LAION aesthetic whose weights are formulas, and what other people's code made of them (clip_family.json)."""

import json
from pathlib import Path

import torch
from closed_form import closed_form_picture, closed_form_weights
from safetensors.torch import save_file

from reward_models import RewardModel, load_reward_model
from reward_models.clip_architecture import FOLDER_CONFIG
from reward_models.image_batch import ImageBatch

FROZEN = json.loads((Path(__file__).parent / "clip_family.json").read_text())
PROMPTS = FROZEN["prompts"]


def frozen_state(kind: str) -> dict[str, torch.Tensor]:
    """The tensors of this kind's CLIP, in the names of its authors' file."""
    return closed_form_weights(FROZEN[kind]["shapes"]) | {"logit_scale": torch.tensor(FROZEN["logit_scale"])}


def frozen_head() -> dict[str, torch.Tensor]:
    """The tensors of LAION aesthetic's own file."""
    return closed_form_weights(FROZEN["head"])


def frozen_model(kind: str, folder: Path) -> RewardModel:
    """Write the files of this kind as its authors publish them, and load them."""
    quick = {"quick_gelu": True} if kind == "LAION aesthetic v2" else {}
    (folder / FOLDER_CONFIG).write_text(json.dumps({"model_cfg": FROZEN["config"] | quick}))
    state = frozen_state(kind)
    if kind == "LAION aesthetic v2":
        save_file(state, folder / "clip.safetensors")
        torch.save(frozen_head(), folder / "head.pth")
        clip_file = str(folder / "clip.safetensors")
        return load_reward_model(kind, str(folder / "head.pth"), FOLDER_CONFIG, clip_checkpoint=clip_file)
    if kind == "PickScore":
        save_file(state, folder / "model.safetensors")
        return load_reward_model(kind, str(folder / "model.safetensors"), FOLDER_CONFIG)
    torch.save({"state_dict": state}, folder / "HPS.pt")
    return load_reward_model(kind, str(folder / "HPS.pt"), FOLDER_CONFIG)


def frozen_pictures() -> list[torch.Tensor]:
    """The pictures, each (1, 3, H, W) in [0, 1] and of a size of its own."""
    pictures = [closed_form_picture(*size, number) for number, size in enumerate(FROZEN["sizes"])]
    return [picture.permute(2, 0, 1)[None].float() / 255 for picture in pictures]


@torch.no_grad()
def scores_and_pixels(model: RewardModel) -> tuple[torch.Tensor, torch.Tensor]:
    """Our scores, (pictures, prompts), and those of our pixels that the reference keeps, (pictures, 3, rows, columns)."""
    preprocessing = getattr(model, "preprocessing", model.trunk.preprocessing)
    batches = [ImageBatch(picture) for picture in frozen_pictures()]
    scores = [torch.cat([model.score_batch(batch, [prompt]) for prompt in PROMPTS]) for batch in batches]
    pixels = torch.cat([batch.preprocessed(preprocessing) for batch in batches])
    return torch.stack(scores), pixels[:, :, 1::6, 2::7]


def reference(kind: str) -> tuple[torch.Tensor, torch.Tensor]:
    """Their scores and pixels, as `scores_and_pixels`."""
    return torch.tensor(FROZEN[kind]["scores"]), torch.tensor(FROZEN[kind]["pixels"])
