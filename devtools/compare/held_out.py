"""Reads --held-out: a kind of reward model, and what else LiDAR's loader should be told, against what the server offers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..cache import SetupError
from .node_schema import choices, default_inputs

LOADER = "LiDARRewardModelLoader"
_OTHERS = ("file", "architecture", "clip_file", "negative_prompt")


def held_out_reward(text: str, object_info: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """(name, inputs of the loader) of "PickScore,file=pick.safetensors". SetupError for what the server does not offer."""
    kind, *rest = (part.strip() for part in text.split(","))
    given = {"kind": kind}
    for part in rest:
        name, found, value = (each.strip() for each in part.partition("="))
        if not found or name not in _OTHERS:
            raise SetupError(f"--held-out {text}: got {part!r}, wanted NAME=VALUE with a NAME of {', '.join(_OTHERS)}.")
        given[name] = value
    for name, value in given.items():
        offered = choices(object_info[LOADER], name)
        if offered is not None and value not in offered:
            raise SetupError(f"--held-out {text}: this server has no {name} {value!r}; it has {', '.join(offered)}.")
    return text.strip(), default_inputs(object_info[LOADER]) | given
