"""What an open_clip_config.json may say: every entry that reaches open_clip is named here, with its type and range.

All of open_clip's own configurations with a text tower of their own keep to it. Nothing here is a name that is looked up
as code, except that of a timm model, which must be one of timm's list.
"""

import math
import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from .preprocess import INTERPOLATIONS, RESIZE_MODES
from .printable import printable

# Four times the largest picture and a good deal beyond the longest text and the widest tower of open_clip's own
_LARGEST_IMAGE, _MOST_PATCHES, _LONGEST_TEXT, _WIDEST, _DEEPEST = 2048, 4096, 1024, 16384, 128


class _Rule(NamedTuple):
    wanted: str
    fits: Callable[[Any], bool]


def _whole(low: int, high: int) -> _Rule:
    return _Rule(f"a whole number from {low} to {high}", lambda value: type(value) is int and low <= value <= high)


def _number(low: float, high: float) -> _Rule:
    return _Rule(
        f"a number from {low:g} to {high:g}",
        lambda value: type(value) in (int, float) and math.isfinite(value) and low <= value <= high,
    )


def _one_of(*choices: str) -> _Rule:
    return _Rule(f"one of {', '.join(map(repr, choices))}", lambda value: isinstance(value, str) and value in choices)


def _several(rule: _Rule, *counts: int) -> _Rule:
    return _Rule(
        f"a list of {' or '.join(map(str, counts))}, each {rule.wanted}",
        lambda value: isinstance(value, list) and len(value) in counts and all(map(rule.fits, value)),
    )


def _either(first: _Rule, second: _Rule) -> _Rule:
    return _Rule(f"{first.wanted}, or {second.wanted}", lambda value: first.fits(value) or second.fits(value))


def _or_null(rule: _Rule) -> _Rule:
    return _Rule(f"{rule.wanted}, or null", lambda value: value is None or rule.fits(value))


_YES_NO = _Rule("true or false", lambda value: isinstance(value, bool))
_TEXT = _Rule("a text of at most 200 characters", lambda value: isinstance(value, str) and len(value) <= 200)
_TABLE = _Rule("an object", lambda value: isinstance(value, dict))
_TIMM_NAME = _Rule(
    "the plain name of a timm model",
    lambda value: isinstance(value, str) and bool(re.fullmatch(r"[A-Za-z0-9_.]{1,80}", value)),
)
_SIDE, _LAYERS, _WIDTH, _HEADS = _whole(1, _LARGEST_IMAGE), _whole(1, _DEEPEST), _whole(1, _WIDEST), _whole(1, 512)
_RATIO, _SHARE, _THREE = _number(0.01, 64), _number(0, 0.99), _several(_number(-100, 100), 3)
_IMAGE_SIZE = _either(_SIDE, _several(_SIDE, 2))

_BLOCK = {
    "mlp_ratio": _RATIO,
    "ls_init_value": _or_null(_number(-100, 100)),
    "act_kwargs": _or_null(_TABLE),
    "norm_kwargs": _or_null(_TABLE),
    "block_type": _or_null(_one_of("default", "custom")),
    **dict.fromkeys(
        ("qk_norm", "scaled_cosine_attn", "scale_heads", "scale_attn_inner", "scale_attn", "scale_fc"), _YES_NO
    ),
}
_VISION = _BLOCK | {
    "layers": _either(_LAYERS, _several(_LAYERS, 4)),
    "width": _WIDTH,
    "head_width": _WIDTH,
    "patch_size": _or_null(_SIDE),
    "image_size": _IMAGE_SIZE,
    "patch_dropout": _SHARE,
    "attentional_pool": _YES_NO,
    "attn_pooler_queries": _whole(1, _MOST_PATCHES),
    "attn_pooler_heads": _HEADS,
    "no_ln_pre": _YES_NO,
    "pos_embed_type": _one_of("learnable", "sin_cos_2d"),
    "final_ln_after_pool": _YES_NO,
    "pool_type": _one_of("tok", "avg", "none"),
    "output_tokens": _YES_NO,
    "timm_model_name": _or_null(_TIMM_NAME),
    "timm_model_pretrained": _YES_NO,
    "timm_pool": _one_of("", "avg", "avgmax", "max", "token", "map", "abs_attn", "rot_attn"),
    "timm_proj": _or_null(_one_of("", "linear", "mlp", "none")),
    "timm_proj_bias": _YES_NO,
    "timm_drop": _SHARE,
    "timm_drop_path": _or_null(_SHARE),
}
_TOWER = _BLOCK | {
    "context_length": _whole(1, _LONGEST_TEXT),
    "vocab_size": _whole(1, 4_000_000),
    "width": _WIDTH,
    "heads": _HEADS,
    "layers": _LAYERS,
    "embed_cls": _YES_NO,
    "pad_id": _whole(0, 4_000_000),
    "eos_id": _whole(0, 4_000_000),
    "no_causal_mask": _YES_NO,
    "final_ln_after_pool": _YES_NO,
    "pool_type": _one_of("argmax", "first", "last", "eos", "none"),
    "proj_bias": _YES_NO,
    "proj_type": _one_of("linear", "none"),
    "output_tokens": _YES_NO,
}
_TEXT_TOWER = _TOWER | {
    "hf_tokenizer_name": _or_null(_TEXT),
    "tokenizer_mode": _or_null(_one_of("clips")),
    "tokenizer_kwargs": _or_null(_TABLE),
}
_DECODER = _TOWER | {"dim_head": _WIDTH, "n_queries": _whole(1, _MOST_PATCHES), "attn_pooler_heads": _HEADS}
_MODEL = {
    "embed_dim": _WIDTH,
    "vision_cfg": _TABLE,
    "text_cfg": _TABLE,
    "multimodal_cfg": _TABLE,
    "custom_text": _YES_NO,
    "quick_gelu": _YES_NO,
    "init_logit_scale": _number(-100, 100),
    "init_logit_bias": _or_null(_number(-100, 100)),
    "nonscalar_logit_scale": _YES_NO,
}
_PREPROCESSING = {
    "size": _IMAGE_SIZE,
    "mode": _one_of("RGB"),
    "mean": _THREE,
    "std": _several(_number(1e-4, 100), 3),
    "interpolation": _one_of(*INTERPOLATIONS),
    "resize_mode": _one_of(*RESIZE_MODES),
    "fill_color": _whole(0, 255),
}
_WITHIN = {
    "act_kwargs": {"approximate": _one_of("none", "tanh")},
    "norm_kwargs": {"eps": _number(1e-12, 0.1)},
    "tokenizer_kwargs": {
        "bpe_path": _TEXT,
        "clean": _one_of("canonicalize", "lower", "whitespace"),
        "strip_sep_token": _YES_NO,
    },
}


def check_model_config(model_cfg: Mapping[str, Any]) -> None:
    """Raise ValueError, one line without the file's name, unless open_clip may be given this configuration."""
    _check(model_cfg, _MODEL, "model_cfg")
    vision = model_cfg["vision_cfg"]
    _check(vision, _VISION, "vision_cfg")
    _check(model_cfg["text_cfg"], _TEXT_TOWER, "text_cfg")
    if "multimodal_cfg" in model_cfg:
        _check(model_cfg["multimodal_cfg"], _DECODER, "multimodal_cfg")
    size = vision.get("image_size", 224)
    height, width = size if isinstance(size, list) else (size, size)
    patch = vision.get("patch_size") or 16
    if isinstance(vision.get("layers", 12), int) and not vision.get("timm_model_name"):
        if (height // patch) * (width // patch) > _MOST_PATCHES:
            raise ValueError(
                f"vision_cfg.image_size makes more than {_MOST_PATCHES} patches: set it, or patch_size, right"
            )


def check_preprocessing(preprocess_cfg: Mapping[str, Any]) -> None:
    """Raise ValueError, one line without the file's name, for what is no preprocessing; null stands for the default."""
    _check({key: value for key, value in preprocess_cfg.items() if value is not None}, _PREPROCESSING, "preprocess_cfg")


def _check(table: Mapping[str, Any], rules: Mapping[str, _Rule], place: str) -> None:
    for key, value in table.items():
        name, rule = f"{place}.{printable(key, 60)}", rules.get(key)
        if rule is None:
            raise ValueError(f"{name} is not known here: take it out")
        if not rule.fits(value):
            raise ValueError(f"{name} must be {rule.wanted}, got {_shown(value)}: change it there")
        if isinstance(value, dict) and key in _WITHIN:
            _check(value, _WITHIN[key], name)


def _shown(value: object) -> str:
    if isinstance(value, dict | list):
        return "an object" if isinstance(value, dict) else f"a list of {len(value)}"
    return printable(repr(value), 60)
