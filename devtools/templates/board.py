"""A workflow in the page's UI format, built node by node from the server's own description of the nodes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

GREEN = {"color": "#223a2c", "bgcolor": "#335544"}
YELLOW = {"color": "#432", "bgcolor": "#653"}
_BLUE = "#3f789e"
_TITLE = 30  # pixels of a node's title, above its place
_WIDGETS = ("INT", "FLOAT", "STRING", "BOOLEAN", "COMBO")
_PROJECT = "lidar-sampling"  # in the Comfy registry: the page offers to install it where a node is missing


class Output(NamedTuple):
    """An output of a node that stands on the board: what an input is linked to."""

    node: dict[str, Any]
    slot: int


@dataclass(frozen=True)
class Placed:
    """A node on the board; its outputs by name."""

    node: dict[str, Any]

    def __getitem__(self, name: str) -> Output:
        names = [output["name"] for output in self.node["outputs"]]
        return Output(self.node, names.index(name))


@dataclass
class Board:
    """nodes: /object_info of a server. Places and sizes are pixels of the canvas, (x, y) of a node's body."""

    described: Mapping[str, Mapping[str, Any]]
    nodes: list[dict[str, Any]] = field(default_factory=list)
    links: list[list[Any]] = field(default_factory=list)
    groups: list[dict[str, Any]] = field(default_factory=list)
    extra: dict[str, Any] = field(default_factory=dict)

    def note(self, text: str, place: Sequence[int], size: Sequence[int]) -> Placed:
        node = self._node("MarkdownNote", place, size, "Read me") | YELLOW | {"widgets_values": [_joined(text)]}
        self.nodes.append(node)
        return Placed(node)

    def add(
        self,
        kind: str,
        place: Sequence[int],
        size: Sequence[int],
        title: str | None = None,
        /,
        *,
        models: Sequence[Mapping[str, str]] = (),
        **given: Any,
    ) -> Placed:
        """A node. given: by input, a value or the output that is linked to it; the other widgets keep their defaults.
        models: files that the page offers to download."""
        described = self.described[kind]
        node = self._node(kind, place, size, title) | (GREEN if kind.startswith("LiDAR") else {})
        source = _PROJECT if kind.startswith("LiDAR") else "comfy-core"
        node["properties"] |= {"cnr_id": source} | ({"models": list(models)} if models else {})
        node["outputs"] = [
            {"name": name, "type": kind_of, "links": []}
            for name, kind_of in zip(described["output_name"], described["output"], strict=True)
        ]
        sockets, widgets, values = [], [], []
        for name, kind_of, options in inputs_of(described):
            value = given.pop(name, options.get("default"))
            if kind_of in _WIDGETS:
                widgets.append({"name": name, "type": kind_of, "widget": {"name": name}, "link": None})
                if isinstance(value, Output):
                    self._link(value, node, widgets[-1])
                    shown = value.node["widgets_values"] if kind_of == "INT" else []
                    value = shown[0] if shown else options.get("default", "")
                elif value is None:
                    value = options["options"][0]
                values.append(value)
                if options.get("control_after_generate"):
                    values.append("fixed")
            elif not kind_of.startswith("COMFY_AUTOGROW"):
                sockets.append({"name": name, "type": kind_of, "link": None})
                if isinstance(value, Output):
                    self._link(value, node, sockets[-1])
        for name in [name for name in given if "." in name]:  # of a growing input
            sockets.append({"name": name, "type": given[name].node["outputs"][given[name].slot]["type"], "link": None})
            self._link(given.pop(name), node, sockets[-1])
        if given:
            raise ValueError(f"{kind} has no input {', '.join(given)}")
        node["inputs"], node["widgets_values"] = sockets + widgets, values
        self.nodes.append(node)
        return Placed(node)

    def group(self, title: str, *members: Placed, bottom: int) -> None:
        """A frame around nodes, down to `bottom`: with room for what a run adds to them."""
        left = min(node.node["pos"][0] for node in members) - 10
        right = max(node.node["pos"][0] + node.node["size"][0] for node in members) + 10
        top = min(node.node["pos"][1] for node in members) - _TITLE - 45
        self.groups.append(
            {
                "id": len(self.groups) + 1, "title": title, "color": _BLUE, "flags": {},
                "bounding": [left, top, right - left, bottom - top],
            }
        )  # fmt: skip

    def workflow(self) -> dict[str, Any]:
        """The workflow as the page saves it, but without an id: the page gives one at each opening, so that no sheet of an
        earlier run is shown."""
        places = {id(node): place for place, node in enumerate(self.nodes)}
        links = []
        for number, (source, slot, target, socket) in enumerate(self.links, start=1):
            source["outputs"][slot]["links"].append(number)
            socket["link"] = number
            where = target["inputs"].index(socket)
            links.append([number, source["id"], slot, target["id"], where, source["outputs"][slot]["type"]])
        for node in self.nodes:
            node["order"] = places[id(node)]
        return {
            "revision": 0, "last_node_id": len(self.nodes), "last_link_id": len(links), "nodes": self.nodes, "links": links,
            "groups": self.groups, "config": {}, "extra": self.extra, "version": 0.4,
        }  # fmt: skip

    def _node(self, kind: str, place: Sequence[int], size: Sequence[int], title: str | None) -> dict[str, Any]:
        return {
            "id": len(self.nodes) + 1, "type": kind, "pos": list(place), "size": list(size),
            "flags": {} if size[1] else {"collapsed": True}, "order": 0,
            "mode": 0, "inputs": [], "outputs": [], **({"title": title} if title else {}),
            "properties": {"Node name for S&R": kind} if kind in self.described else {},
        }  # fmt: skip

    def _link(self, output: Output, target: dict[str, Any], socket: dict[str, Any]) -> None:
        self.links.append([output.node, output.slot, target, socket])


def inputs_of(described: Mapping[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """(name, kind, options) of each input in the page's order; a list of values is a COMBO."""
    for group in ("required", "optional"):
        for name in described["input_order"].get(group, ()):
            kind, *rest = described["input"][group][name]
            options = dict(rest[0]) if rest else {}
            if isinstance(kind, list):
                kind, options = "COMBO", options | {"options": kind}
            if kind == "INT" and name in ("seed", "noise_seed"):
                options["control_after_generate"] = True
            yield name, kind, options


def _joined(text: str) -> str:
    """Markdown whose paragraphs and list items are one line each: the page would break them where the source does."""
    return re.sub(r"(?<=\S)\n(?!\n|[-#]|\d\. )", " ", text.strip())
