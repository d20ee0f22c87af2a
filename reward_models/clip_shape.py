"""The sizes of a CLIP, told from a configuration or from a checkpoint, and how to say that the two differ."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch

from .checkpoint_file import first_names
from .clip_architecture import architecture_configs
from .printable import printable

_CLIP_TEXT = ("token_embedding.weight", "text_projection")


@dataclass(frozen=True)
class ClipShape:
    """The sizes of a CLIP with a ViT image tower (pixels, patches, widths, depths); None where a tower is missing."""

    image_width: int | None
    patch_size: int | None
    image_layers: int
    image_size: int | None
    text_width: int | None
    text_layers: int
    vocabulary: int | None
    embedding: int | None

    def __str__(self) -> str:
        vit = f"a ViT of width {self.image_width}, patch {self.patch_size}, {self.image_layers} layers"
        image = f"{vit}, {self.image_size} px" if self.image_width else "no image tower"
        text = f"a text tower of width {self.text_width}, {self.text_layers} layers, {self.vocabulary} tokens"
        return f"{image} and {text if self.text_width else 'no text tower'}"


def shape_of_state(state: Mapping[str, torch.Tensor]) -> ClipShape | None:
    """Read the shape off a checkpoint in open_clip's names; None without towers or if the image tower is no ViT."""
    text = "text." if "text.token_embedding.weight" in state else ""
    patches = _of_rank(state, "visual.conv1.weight", 4) if "visual.class_embedding" in state else None
    places = _of_rank(state, "visual.positional_embedding", 2)
    has_size = patches is not None and places is not None and len(places) > 0
    tokens = _of_rank(state, f"{text}token_embedding.weight", 2)
    projection = _of_rank(state, "visual.proj" if "visual.proj" in state else f"{text}text_projection", 2)
    if patches is None and (tokens is None or any(key.startswith("visual.") for key in state)):
        return None
    return ClipShape(
        image_width=None if patches is None else patches.shape[0],
        patch_size=None if patches is None else patches.shape[-1],
        image_layers=_depth(state, "visual.transformer.resblocks."),
        image_size=patches.shape[-1] * round((places.shape[0] - 1) ** 0.5) if has_size else None,
        text_width=None if tokens is None else tokens.shape[1],
        text_layers=_depth(state, f"{text}transformer.resblocks."),
        vocabulary=None if tokens is None else tokens.shape[0],
        embedding=None if projection is None else projection.shape[-1],
    )


def shape_of_config(model_cfg: Mapping[str, Any]) -> ClipShape | None:
    """Read the shape off an open_clip model configuration; None for other model classes and image towers."""
    vision, text = model_cfg["vision_cfg"], model_cfg["text_cfg"]
    own_vit = isinstance(vision.get("layers", 12), int) and not vision.get("timm_model_name")
    if not own_vit or "multimodal_cfg" in model_cfg or text.get("hf_model_name"):
        return None
    return ClipShape(
        image_width=vision.get("width", 768),
        patch_size=vision.get("patch_size", 16),
        image_layers=vision.get("layers", 12),
        image_size=vision.get("image_size", 224),
        text_width=text.get("width", 512),
        text_layers=text.get("layers", 12),
        vocabulary=text.get("vocab_size", 49408),
        embedding=model_cfg["embed_dim"],
    )


def mismatch(
    state: Mapping[str, torch.Tensor], wanted: Mapping[str, torch.Tensor], *, file: str, asked: str
) -> str | None:
    """Say in one line why the tensors `state` of `file` do not fill the model `wanted`; None if they do.

    Both map open_clip's tensor names to tensors; asked: the architecture that people chose.
    """
    missing, extra = wanted.keys() - state.keys(), state.keys() - wanted.keys()
    differing = [key for key in wanted.keys() & state.keys() if wanted[key].shape != state[key].shape]
    if not (missing or extra or differing):
        return None
    if not any(key.startswith(("visual.", "text.")) or key in _CLIP_TEXT for key in state):
        return (
            f"{file} holds no CLIP (its first tensors: {first_names(state)}): choose a CLIP checkpoint in 'checkpoint'"
        )
    found, model = shape_of_state(state), shape_of_state(wanted)
    if found is None or found == model:
        counts = f"{len(missing)} tensors missing, {len(extra)} unknown, {len(differing)} of another size"
        example = printable(min([*missing, *extra, *differing]), 80)
        return f"{file} does not fit {asked} ({counts}; for example {example}): change 'architecture' or 'checkpoint'"
    if not found.image_width or not found.text_width:
        return f"{file} holds {found}, but both are needed: choose a whole CLIP checkpoint in 'checkpoint'"
    fitting = [name for name, config in architecture_configs().items() if shape_of_config(config) == found]
    advice = f"choose {' or '.join(fitting)} in 'architecture'" if fitting else "choose another file in 'checkpoint'"
    return f"{file} holds {found}, but {asked} {f'has {model}' if model else 'is built otherwise'}: {advice}"


def _of_rank(state: Mapping[str, torch.Tensor], key: str, rank: int) -> torch.Tensor | None:
    found = state.get(key)
    return found if found is not None and found.ndim == rank else None


def _depth(state: Mapping[str, torch.Tensor], prefix: str) -> int:
    return len({key.removeprefix(prefix).split(".")[0] for key in state if key.startswith(prefix)})
