"""Reads a node's entry in the server's object_info: the defaults of its widgets and what its combos offer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

NodeInfo = Mapping[str, Any]


def default_inputs(node: NodeInfo) -> dict[str, Any]:
    """Widget name -> default, of the required widgets; of a combo without one its first choice."""
    values = {}
    for name, kind, options in _inputs(node, "required"):
        offered = _offered(kind, options)
        if "default" in options:
            values[name] = options["default"]
        elif offered:
            values[name] = offered[0]
    return values


def choices(node: NodeInfo, name: str) -> list[str] | None:
    """What a combo offers; None for an input that is no combo."""
    for each, kind, options in _inputs(node, "required", "optional"):
        if each == name:
            return _offered(kind, options)
    return None


def _inputs(node: NodeInfo, *groups: str) -> Iterator[tuple[str, Any, Mapping[str, Any]]]:
    for group in groups:
        for name, spec in node["input"].get(group, {}).items():
            yield name, spec[0], spec[1] if len(spec) > 1 else {}


def _offered(kind: Any, options: Mapping[str, Any]) -> list[str] | None:
    """A combo lists its choices in place of its kind, or as an option."""
    return kind if isinstance(kind, list) else options.get("options") if kind == "COMBO" else None
