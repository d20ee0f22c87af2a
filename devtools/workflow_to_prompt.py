"""Turns a workflow as the page saves it (UI format) into the API prompt that the server runs.

Covers what the shipped workflows use: nodes, links, growing inputs, dynamic combos, muted and bypassed nodes, reroutes,
notes. Subgraphs and frontend primitives are refused by name, for they would need the frontend itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Workflow = Mapping[str, Any]
ObjectInfo = Mapping[str, Mapping[str, Any]]

_DRAWN_ONLY = {"Note", "MarkdownNote"}
_MUTED, _BYPASSED = 2, 4
_WIDGET_TYPES = {"INT", "FLOAT", "STRING", "BOOLEAN", "COMBO"}
_NOT_SAVED = object()


@dataclass(frozen=True)
class _Link:
    source: str
    slot: int
    type: str


def workflow_to_prompt(workflow: Workflow, object_info: ObjectInfo) -> dict[str, dict[str, Any]]:
    """The API prompt of a UI-format workflow; `object_info` is the server's answer. ValueError names what is unknown."""
    nodes = {str(node["id"]): node for node in workflow["nodes"]}
    links = {}
    for link in workflow["links"]:
        if isinstance(link, Mapping):
            link = [
                link["id"],
                link["origin_id"],
                link["origin_slot"],
                link["target_id"],
                link["target_slot"],
                link["type"],
            ]
        links[link[0]] = _Link(str(link[1]), link[2], str(link[5]))
    prompt = {}
    for node_id, node in nodes.items():
        if node["type"] in _DRAWN_ONLY or node["type"] == "Reroute" or node.get("mode", 0) in (_MUTED, _BYPASSED):
            continue
        described = object_info.get(node["type"])
        if described is None:
            raise ValueError(
                f"Node {node_id} is a {node['type']}, which this server does not have (subgraphs and frontend "
                "primitives cannot be converted)."
            )
        inputs = _widget_values(node, described)
        for socket in node.get("inputs", ()):
            if socket.get("link") is not None:
                source = _real_source(links[socket["link"]], nodes, links)
                inputs.pop(socket["name"], None)
                if source is not None:
                    inputs[socket["name"]] = source
        title = node.get("title") or described["display_name"]
        prompt[node_id] = {"class_type": node["type"], "inputs": inputs, "_meta": {"title": title}}
    return prompt


def _widget_values(node: Mapping[str, Any], described: Mapping[str, Any]) -> dict[str, Any]:
    """Input name -> value, by walking the node's widgets in the order in which the page saved their values."""
    saved = node.get("widgets_values") or []
    if isinstance(saved, Mapping):
        raise ValueError(f"Node {node['id']} ({node['type']}) saves its widgets by name, which is not supported.")
    values: dict[str, Any] = {}
    _read_widgets(described["input"], described["input_order"], iter(saved), values)
    return values


def _read_widgets(
    groups: Mapping[str, Any], order: Mapping[str, Any], saved: Iterator[Any], values: dict[str, Any], prefix: str = ""
) -> None:
    """Takes the next value of `saved` for each widget. A dynamic combo's own inputs follow it and bear its name.

    Growing inputs (COMFY_AUTOGROW) are sockets alone, also where they grow FLOAT or STRING, and save no value.
    """
    for group in ("required", "optional"):
        specs = groups.get(group, {})
        for short_name in order.get(group, specs):
            name = prefix + short_name
            kind, options = _spec(specs[short_name])
            inputs_of = None
            if kind == "COMFY_DYNAMICCOMBO_V3":
                inputs_of = {option["key"]: option["inputs"] for option in options["options"]}
                options = {"default": next(iter(inputs_of)), **options}
            elif kind not in _WIDGET_TYPES or options.get("forceInput"):
                continue
            value = next(saved, _NOT_SAVED)
            if value is not _NOT_SAVED:
                values[name] = {"__value__": value} if isinstance(value, list) else value
                for _ in range(_extra_places(name, kind, options)):
                    next(saved, None)
            elif "default" in options:  # saved before this widget was added
                values[name] = options["default"]
            if inputs_of is not None:
                _read_widgets(inputs_of.get(values[name], {}), {}, saved, values, f"{name}.")


def _spec(spec: list[Any]) -> tuple[str, Mapping[str, Any]]:
    """(kind, options). Several types in one socket, "STRING,FLOAT", may have one of them as their widget."""
    options = spec[1] if len(spec) > 1 else {}
    kind = "COMBO" if isinstance(spec[0], list) else str(options.get("widgetType") or spec[0])
    return kind, options


def _extra_places(name: str, kind: str, options: Mapping[str, Any]) -> int:
    """Places that the page fills behind an input's own: "randomize" behind a seed. An upload's button comes last of all."""
    is_seed = kind == "INT" and (options.get("control_after_generate") or name in ("seed", "noise_seed"))
    return int(bool(is_seed))


def _real_source(link: _Link, nodes: Mapping[str, Any], links: Mapping[int, _Link]) -> list[Any] | None:
    """[node id, slot] behind reroutes and bypassed nodes, or None where a muted node cuts the way."""
    node = nodes[link.source]
    mode = node.get("mode", 0)
    if mode == _MUTED:
        return None
    if node["type"] != "Reroute" and mode != _BYPASSED:
        return [link.source, link.slot]
    sockets = node.get("inputs", [])
    same_place = sockets[link.slot : link.slot + 1]
    for socket in (*same_place, *sockets):
        fits = node["type"] == "Reroute" or socket["type"] == link.type
        if fits and socket.get("link") is not None:
            return _real_source(links[socket["link"]], nodes, links)
    return None
