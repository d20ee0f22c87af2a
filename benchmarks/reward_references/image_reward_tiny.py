"""What the authors' ImageReward gives, frozen in tests/rewards/references/image_reward.json for the tests."""

import hashlib
import json
from importlib import import_module
from pathlib import Path

import torch
from closed_form import closed_form_picture, closed_form_weights, quiet_embeddings
from image_reward_package import MED, their_class, their_ids, their_scores
from torch import nn

WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "red", "cube", "##s", "fog", ".", "on", "table", "##d"]
PROMPTS = ("a red cube", "Fogs.", "a REDS cubed on a table " * 9)
SIZES = {
    "hidden_size": 64, "intermediate_size": 96, "num_attention_heads": 1, "num_hidden_layers": 2,
    "max_position_embeddings": 40, "vocab_size": len(WORDS) + 2, "encoder_width": 128,
}  # fmt: skip
TRICKY = (
    "", " ", "A", "unaffable", "don't stop!", "x" * 150, "\u0130stanbul stra\u00dfe", "tab\tnew\nline", "[MASK] me", "1,234.56",
    "\u6771\u4eac tower", "emoji \U0001f600\U0001f680", "a_b-c/d", "supercalifragilisticexpialidocious", "e\u0301 vs \u00e9",
    "[ENC] cat [DEC]", "half \ud83d a pair", "apple \uf8ff logo", "zero\u200bwidth \u00ad\x00\ufffd", "\uac00\ub098 \u03a3\u03c2",
    "(red:1.2), <lora:x:0.8> [[dim]]", "word " * 40,
)  # fmt: skip


def frozen(work: Path, full_model: nn.Module) -> dict:
    """All that the tests compare with. full_model: the authors' model at its true size; work: a folder to write to."""
    state = full_model.state_dict()
    lines = sorted(f"{name} {tuple(value.shape)}" for name, value in state.items())
    full_size = {
        "tensors": len(state),
        "parameters": sum(each.numel() for each in full_model.parameters()),
        "sha256": hashlib.sha256("\n".join(lines).encode()).hexdigest(),
    }
    tricky = dict(zip(TRICKY, their_ids(full_model, TRICKY), strict=True))
    return _tiny(work) | {"tricky": tricky, "full_size": full_size}


def _tiny(work: Path) -> dict:
    words, config = work / "tiny_vocab.txt", work / "tiny_config.json"
    words.write_text("\n".join(WORDS) + "\n")
    config.write_text(json.dumps(MED | SIZES))
    their_model = their_class(words)
    from ImageReward.models.BLIP import blip_pretrain
    from ImageReward.models.BLIP.vit import VisionTransformer

    blip_pretrain.create_vit = lambda *args, **kwargs: (
        VisionTransformer(img_size=32, patch_size=8, embed_dim=128, depth=2, num_heads=2), 128
    )  # fmt: skip
    model = their_model(str(config), device="cpu").eval()
    model.mlp = import_module("ImageReward.ImageReward").MLP(SIZES["hidden_size"]).eval()
    shapes = {name: list(value.shape) for name, value in model.state_dict().items() if value.is_floating_point()}
    weights = closed_form_weights(shapes)
    model.load_state_dict(weights, strict=False)
    pixels = torch.stack([closed_form_picture(32, 32, number) for number in range(len(PROMPTS))])
    pixels = (pixels.permute(0, 3, 1, 2).float() / 255 - 0.45) / 0.27
    scores, features = their_scores(model, pixels, PROMPTS)
    model.load_state_dict(quiet_embeddings(weights), strict=False)
    quiet_scores = their_scores(model, pixels, PROMPTS)[0]
    return {"shapes": shapes, "words": WORDS, "prompts": PROMPTS, "ids": their_ids(model, PROMPTS),
            "scores": scores.tolist(), "quiet_scores": quiet_scores.tolist(), "features": features[:, :8].tolist()}  # fmt: skip
