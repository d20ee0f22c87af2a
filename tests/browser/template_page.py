"""A template on the page: opened as the template browser opens it, where its nodes stand, and whether anything is wrong."""

from __future__ import annotations

import json
from pathlib import Path
from typing import NamedTuple

import pytest

from .page import Page

FOLDER = Path(__file__).resolve().parents[2] / "workflows"
_TEXTS = {path.stem: path.read_text(encoding="utf-8") for path in sorted(FOLDER.glob("*.json"))}
APPS = tuple(name for name, text in _TEXTS.items() if '"linearMode": true' in text)
GRAPHS = tuple(name for name in _TEXTS if name not in APPS)


class Box(NamedTuple):
    """A node with its title, or a group, in pixels of the canvas."""

    name: str
    left: float
    top: float
    right: float
    bottom: float

    def overlaps(self, other: Box, slack: float = 1) -> bool:
        apart = self.right - slack <= other.left or other.right - slack <= self.left
        return not apart and self.bottom - slack > other.top and other.bottom - slack > self.top

    def holds(self, other: Box) -> bool:
        return (
            self.left <= other.left
            and self.right >= other.right
            and self.top <= other.top
            and self.bottom >= other.bottom
        )


class TemplateOnPage:
    """The template that is open on a page."""

    def __init__(self, page: Page):
        self.page = page

    def open(self, name: str) -> None:
        """Opens it as a click in the template browser does."""
        self.page.js(
            "([workflow, name]) => app.loadGraphData(workflow, true, true, name, { openSource: 'template' })",
            [json.loads(_TEXTS[name]), name],
        )
        self.page.settle()
        self.page.tab.wait_for_timeout(300)  # Nodes 2.0 has laid its nodes out
        if self.page.tab.locator(".p-dialog-mask").count():  # older pages lay a list of missing files over the graph
            self.page.tab.keyboard.press("Escape")

    def require_room(self, name: str) -> None:
        """Skips where this page makes the host's own nodes taller than they are saved, as Nodes 2.0 did in its beta."""
        saved = {
            str(node["id"]): node["size"][1]
            for node in json.loads(_TEXTS[name])["nodes"]
            if "LiDAR" not in node["type"] and node["size"][1]  # folded ones have none
        }
        shown = dict(self.page.js("() => app.rootGraph.nodes.map((node) => [String(node.id), node.size[1]])"))
        if any(shown[node] > height + 10 for node, height in saved.items()):
            pytest.skip("this page makes nodes taller than they are saved, and the templates have no room for that")

    def zoom(self) -> float:
        return self.page.js("() => app.canvas.ds.scale")

    def missing_nodes(self) -> list[str]:
        return self.page.js(
            "() => app.rootGraph.nodes.map((node) => node.type).filter((type) => !(type in LiteGraph.registered_node_types))"
        )

    def nodes(self) -> list[Box]:
        """Where each node is shown, with its title."""
        found = self.page.js(
            """(elements) => app.rootGraph.nodes.map((node) => {
              const name = `${node.id} ${node.title}`;
              if (!elements) return [name, ...node.getBounding(new Float32Array(4))];
              const { x, y, width, height } = document.querySelector(`[data-node-id="${node.id}"]`).getBoundingClientRect();
              const { scale, offset } = app.canvas.ds, canvas = app.canvas.canvas.getBoundingClientRect();
              return [name, (x - canvas.x) / scale - offset[0], (y - canvas.y) / scale - offset[1], width / scale, height / scale];
            })""",
            self.page.renderer != "classic",
        )
        return [Box(name, x, y, x + width, y + height) for name, x, y, width, height in found]

    def groups(self) -> list[Box]:
        found = self.page.js("() => app.rootGraph.groups.map((group) => [group.title, ...group._bounding])")
        return [Box(name, x, y, x + width, y + height) for name, x, y, width, height in found]

    def faults(self) -> list[str]:
        """What is wrong with where things stand: nodes on each other, or partly outside of every group."""
        nodes, groups = self.nodes(), self.groups()
        on_each_other = [
            f"{one.name} on {other.name}"
            for place, one in enumerate(nodes)
            for other in nodes[place + 1 :]
            if one.overlaps(other)
        ]
        outside = [f"{node.name} outside" for node in nodes if groups and not any(each.holds(node) for each in groups)]
        return on_each_other + outside


def runs_at_once(name: str) -> bool:
    """Whether it wants no file of a model: it runs with the demo model."""
    return '"LiDARLoadDemoModel"' in _TEXTS[name]
