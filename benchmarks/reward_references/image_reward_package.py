"""The authors' own ImageReward, of the package image-reward 1.5, with weights and a vocabulary from this machine."""

from collections.abc import Sequence
from importlib import import_module
from pathlib import Path

import torch
from torch import nn

MED = {
    "attention_probs_dropout_prob": 0.1, "hidden_act": "gelu", "hidden_dropout_prob": 0.1, "initializer_range": 0.02,
    "layer_norm_eps": 1e-12, "max_position_embeddings": 512, "model_type": "bert", "pad_token_id": 0, "type_vocab_size": 2,
    "add_cross_attention": True, "encoder_width": 768, "hidden_size": 768, "intermediate_size": 3072,
    "num_attention_heads": 12, "num_hidden_layers": 12, "vocab_size": 30524,
}  # fmt: skip
"""med_config.json, as it lies beside ImageReward.pt."""


def their_class(vocabulary: Path) -> type[nn.Module]:
    """The class, its tokenizer reading this file where it would download one."""
    from transformers import BertTokenizer

    BertTokenizer.from_pretrained = classmethod(lambda cls, *args, **kwargs: cls(str(vocabulary)))
    return import_module("ImageReward.ImageReward").ImageReward


def their_ids(model: nn.Module, prompts: Sequence[str]) -> list[list[int]]:
    """The token ids that the authors' tokenizer makes of prompts, 35 each."""
    return model.blip.tokenizer(list(prompts), padding="max_length", truncation=True, max_length=35).input_ids


def their_scores(model: nn.Module, pixels: torch.Tensor, prompts: Sequence[str]) -> tuple[torch.Tensor, torch.Tensor]:
    """Scores (b,) by the authors' modules, and the features (b, width) behind them.

    pixels: ready for the vision tower, (b, 3, H, W), or (1, 3, H, W) for one picture with b prompts.
    """
    text = model.blip.tokenizer(
        list(prompts), padding="max_length", truncation=True, max_length=35, return_tensors="pt"
    )
    image_tokens = model.blip.visual_encoder(pixels).expand(len(prompts), -1, -1)
    features = model.blip.text_encoder(
        text.input_ids,
        attention_mask=text.attention_mask,
        encoder_hidden_states=image_tokens,
        encoder_attention_mask=torch.ones(image_tokens.shape[:-1], dtype=torch.long),
        return_dict=True,
    ).last_hidden_state[:, 0]
    return ((model.mlp(features) - model.mean) / model.std).squeeze(-1), features


def spread(model: nn.Module) -> None:
    """Fill in random weights under which no part is idle: scores vary by about 1 over pictures and over prompts.

    With equal scales everywhere the prompt would move the score by 0.007 only: text attends sharply and keeps more of
    itself, and the picture comes in with less weight.
    """
    generator = torch.Generator().manual_seed(20230501)
    for name, parameter in model.named_parameters():
        noise = torch.randn(parameter.shape, generator=generator)
        if parameter.ndim > 1:
            scale = 0.5 if "embed" in name and "proj" not in name else 1.0 / parameter[0].numel() ** 0.5
            parameter.data = noise * scale * _gain(name)
        else:
            parameter.data = (1.0 if name.endswith("weight") else 0.0) + 0.1 * noise


def _gain(name: str) -> float:
    sharp = name.endswith(("self.query.weight", "self.key.weight"))
    if ".crossattention." in name:
        return 3.0 if sharp else 0.25 if "output.dense" in name else 1.0
    if ".attention." in name:
        return 2.0 if sharp or "output.dense" in name else 1.0
    return 6.0 if name == "mlp.layers.7.weight" else 1.0
