"""CLIP checkpoints of the `transformers` library, renamed into open_clip's names.

The two libraries hold the same numbers: transformers keeps query, key and value apart where open_clip has one
`in_proj`, and stores the two projections transposed. Activations are not in the file: OpenAI's weights want a
"-quickgelu" architecture, LAION's do not.
"""

import re

import torch

_NAMES = {
    "logit_scale": "logit_scale",
    "vision_model.embeddings.class_embedding": "visual.class_embedding",
    "vision_model.embeddings.patch_embedding.weight": "visual.conv1.weight",
    "vision_model.embeddings.position_embedding.weight": "visual.positional_embedding",
    "vision_model.pre_layrnorm.weight": "visual.ln_pre.weight",
    "vision_model.pre_layrnorm.bias": "visual.ln_pre.bias",
    "vision_model.post_layernorm.weight": "visual.ln_post.weight",
    "vision_model.post_layernorm.bias": "visual.ln_post.bias",
    "text_model.embeddings.token_embedding.weight": "token_embedding.weight",
    "text_model.embeddings.position_embedding.weight": "positional_embedding",
    "text_model.final_layer_norm.weight": "ln_final.weight",
    "text_model.final_layer_norm.bias": "ln_final.bias",
}
_TRANSPOSED = {"visual_projection.weight": "visual.proj", "text_projection.weight": "text_projection"}
_TOWERS = {"vision_model": "visual.transformer", "text_model": "transformer"}
_LAYER_PARTS = {
    "self_attn.out_proj": "attn.out_proj",
    "layer_norm1": "ln_1",
    "layer_norm2": "ln_2",
    "mlp.fc1": "mlp.c_fc",
    "mlp.fc2": "mlp.c_proj",
}
_LAYER = re.compile(r"(vision_model|text_model)\.encoder\.layers\.(\d+)\.(.+)\.(weight|bias)")


def is_transformers_clip(state: dict[str, torch.Tensor]) -> bool:
    """True if the tensor names are those of transformers' CLIPModel or of one of its towers."""
    return any(key.startswith(("vision_model.", "text_model.")) for key in state)


def to_open_clip(state: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Rename and reshape transformers' CLIPModel tensors into those of `open_clip.CLIP`; the numbers stay exact.

    Names that are not known are passed on, and what cannot be put together is left out, so that strict loading reports
    both. Works on the meta device too.
    """
    renamed = {}
    for key, tensor in state.items():
        layer = _LAYER.fullmatch(key)
        if key.endswith(".position_ids"):
            continue
        if key in _TRANSPOSED:
            renamed[_TRANSPOSED[key]] = tensor.T.contiguous() if tensor.ndim == 2 else tensor
        elif layer is None:
            renamed[_NAMES.get(key, key)] = tensor
        else:
            tower, index, part, kind = layer.groups()
            block = f"{_TOWERS[tower]}.resblocks.{index}"
            if part == "self_attn.q_proj":
                stem = f"{tower}.encoder.layers.{index}.self_attn"
                parts = [state.get(f"{stem}.{name}_proj.{kind}") for name in "qkv"]
                if all(_alike(piece, parts[0]) for piece in parts):
                    renamed[f"{block}.attn.in_proj_{kind}"] = torch.cat(parts)
            elif part not in ("self_attn.k_proj", "self_attn.v_proj"):
                renamed[f"{block}.{_LAYER_PARTS.get(part, part)}.{kind}"] = tensor
    return renamed


def _alike(piece: torch.Tensor | None, first: torch.Tensor | None) -> bool:
    if piece is None or first is None:
        return False
    return piece.ndim > 0 and piece.shape == first.shape and piece.dtype == first.dtype
