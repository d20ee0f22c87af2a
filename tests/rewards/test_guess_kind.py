"""Which kind a file is, from files with the tensor names and telling shapes of the published ones."""

import pytest
import torch
from safetensors.torch import save_file

from reward_models import REWARD_KINDS
from reward_models.guess_kind import guess_kind

OPEN_CLIP_LAYER = "visual.transformer.resblocks.{}.ln_1.bias"
TRANSFORMERS_LAYER = "vision_model.encoder.layers.{}.layer_norm1.bias"


def open_clip_state(width, patch, layers, text_width):
    state = {"visual.conv1.weight": torch.zeros(width, 3, patch, patch), "visual.class_embedding": torch.zeros(width)}
    state |= {"token_embedding.weight": torch.zeros(3, text_width), "logit_scale": torch.tensor(4.6)}
    return state | {OPEN_CLIP_LAYER.format(index): torch.zeros(1) for index in range(layers)}


def transformers_state(width, patch, layers, text_width):
    vision, text = "vision_model.embeddings", "text_model.embeddings"
    state = {f"{vision}.patch_embedding.weight": torch.zeros(width, 3, patch, patch)}
    state |= {f"{vision}.class_embedding": torch.zeros(width), f"{vision}.position_ids": torch.arange(3)[None]}
    state |= {f"{text}.token_embedding.weight": torch.zeros(3, text_width), "logit_scale": torch.tensor(4.6)}
    return state | {TRANSFORMERS_LAYER.format(index): torch.zeros(1) for index in range(layers)}


VIT_H, VIT_L, VIT_G = (1280, 14, 32, 1024), (1024, 14, 24, 768), (1664, 14, 48, 1280)
HEAD = {f"layers.{index}.{part}": torch.zeros(1, 1) for index in (0, 2, 4, 6, 7) for part in ("weight", "bias")}
IMAGE_REWARD = {"blip.visual_encoder.cls_token": torch.zeros(1, 1, 4), "mlp.layers.7.weight": torch.zeros(4, 4)}
BY_NAME = "a CLIP ViT-H/14, by its name"
UNCLEAR = "a CLIP ViT-H/14; if it is PickScore or HPS, choose that kind"


def write(folder, name, state):
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file(state, path) if name.endswith(".safetensors") else torch.save(state, path)
    return str(path)


@pytest.mark.parametrize(
    ("name", "state", "kind", "reason"),
    [
        ("PickScore_v1/model.safetensors", transformers_state(*VIT_H), "PickScore", BY_NAME),
        ("pickscore-v1.fp16.safetensors", transformers_state(*VIT_H), "PickScore", BY_NAME),
        ("Pick Score.bin", transformers_state(*VIT_H), "PickScore", BY_NAME),
        ("HPS_v2_compressed.pt", {"state_dict": open_clip_state(*VIT_H)}, "HPS v2", BY_NAME),
        ("HPS_v2.1_compressed.pt", {"state_dict": open_clip_state(*VIT_H)}, "HPS v2.1", BY_NAME),
        ("hps-v2-1.safetensors", open_clip_state(*VIT_H), "HPS v2.1", BY_NAME),
        ("hps2.1.pt", open_clip_state(*VIT_H), "HPS v2.1", BY_NAME),
        ("HPSv2.1/compressed.pt", open_clip_state(*VIT_H), "HPS v2.1", BY_NAME),
        ("HPSv2.1/HPS_v2_compressed.pt", open_clip_state(*VIT_H), "HPS v2", BY_NAME),
        ("models/open_clip_pytorch_model.bin", open_clip_state(*VIT_H), "CLIP score", UNCLEAR),
        ("models/model.safetensors", transformers_state(*VIT_H), "CLIP score", UNCLEAR),
        ("models/clip_l.safetensors", transformers_state(*VIT_L), "CLIP score", "a CLIP, by its tensors"),
        ("models/PickScore_bigG.pt", open_clip_state(*VIT_G), "CLIP score", "a CLIP, by its tensors"),
        ("models/sac+logos+ava1-l14-linearMSE.pth", HEAD, "LAION aesthetic v2", "by its tensors"),
        ("models/HPS.pt", {f"module.{key}": value for key, value in HEAD.items()}, "LAION aesthetic v2", "by its tensors"),
        ("models/PickScore.pt", IMAGE_REWARD, "ImageReward", "by its tensors"),
        ("models/ImageReward.safetensors", IMAGE_REWARD, "ImageReward", "by its tensors"),
    ],
)  # fmt: skip
def test_published_files_are_known(tmp_path, name, state, kind, reason):
    assert guess_kind(write(tmp_path, name, state)) == (kind, reason)
    assert kind in REWARD_KINDS


@pytest.mark.parametrize(
    ("name", "state", "first"),
    [
        ("PickScore.safetensors", {"model.diffusion_model.out.0.bias": torch.zeros(1)}, "diffusion_model.out.0.bias"),
        ("clip_l.safetensors", {"text_model.embeddings.token_embedding.weight": torch.zeros(3, 4)}, "text_model"),
        ("cycle.pt", {"blip.a": torch.zeros(1), "mlp.layers.8.weight": torch.zeros(1)}, "blip.a, mlp.layers.8.weight"),
        ("lora.pt", {"b.lora_A.weight": torch.zeros(1), "a.lora_A.weight": torch.zeros(1)}, "a.lora_A.weight, b.lora_A"),
        ("v2_5.pth", {"layers.0.weight": torch.zeros(1, 1), "scoring_head.0.weight": torch.zeros(1, 1)}, "layers.0.weight"),
    ],
)  # fmt: skip
def test_a_file_of_no_kind_is_named_with_its_tensors(tmp_path, name, state, first):
    with pytest.raises(
        ValueError, match=rf"^{name} is no reward model that is known here \(its first tensors: {first}"
    ) as raised:
        guess_kind(write(tmp_path, name, state))
    assert "\n" not in str(raised.value)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"nowhere\.pt$"):
        guess_kind(str(tmp_path / "nowhere.pt"))
