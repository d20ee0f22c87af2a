"""What a user sees of a contact sheet and does with it, in both renderers: it is made of elements of the document."""

from __future__ import annotations

import json
from typing import Any

from .page import Page

SCALE = 0.6


class SheetOnPage:
    """The contact sheets of a page; `page` has the rest."""

    def __init__(self, page: Page):
        self.page = page

    def open(self, prompt: dict[str, Any], shown: str = "LiDARKSampler") -> None:
        """Opens API JSON with the node of this class in sight and the others out of the way."""
        self.page.js("(prompt) => app.loadApiJson(prompt, 'prompt')", prompt)
        self.page.js(
            """async (shown) => {
              for (const node of app.rootGraph.nodes) node.pos = node.type === shown ? [450, 80] : [node.pos[0] - 9000, node.pos[1]];
              await app.loadGraphData({ ...app.rootGraph.serialize(), id: undefined }); // so it gets an id of its own
            }""",
            shown,
        )
        self.look()

    def look(self) -> None:
        self.page.js(
            "(scale) => { app.canvas.ds.scale = scale; app.canvas.ds.offset = [0, 0]; app.canvas.setDirty(true, true); }",
            SCALE,
        )
        self.page.settle()

    def tile(self, number: int):
        return self.page.tab.locator(f'.lidar-tile[data-number="{number}"]:visible')

    def wait(self, count: int) -> None:
        self.page.until("(count) => document.querySelectorAll('.lidar-tile').length === count", count)
        self.page.settle()

    def numbers(self) -> list[int]:
        return [int(text) for text in self.page.tab.locator(".lidar-number:visible").all_inner_texts()]

    def badges(self) -> dict[int, list[str]]:
        """The badges by number, of tiles that have any."""
        found = self.page.js(
            """() => [...document.querySelectorAll(".lidar-tile")].filter((tile) => tile.checkVisibility()).map((tile) =>
              [Number(tile.dataset.number), [...tile.querySelectorAll(".lidar-badge")].map((badge) => badge.textContent)])"""
        )
        return {number: badges for number, badges in found if badges}

    def await_badges(self, number: int, badges: list[str]) -> None:
        """Waits until the visible tile of this number has just these badges."""
        self.page.until(
            f"""() => [...document.querySelectorAll(".lidar-tile")].some((tile) => tile.checkVisibility() && tile.dataset.number == {number}
              && [...tile.querySelectorAll(".lidar-badge")].map((badge) => badge.textContent).join() === "{",".join(badges)}")"""
        )

    def card(self) -> list[str]:
        return self.page.tab.locator(".lidar-fact:visible").all_inner_texts()

    def cut_facts(self) -> list[str]:
        """Labels and values of the card that do not show whole, and values that are broken into lines."""
        return self.page.js(
            """() => [...document.querySelectorAll(".lidar-fact > *")].filter((each) => each.checkVisibility()
              && (each.scrollWidth > each.clientWidth || each.scrollHeight > each.clientHeight
                || (each.tagName === "B" && each.offsetHeight > 1.6 * parseFloat(getComputedStyle(each).fontSize))))
              .map((each) => each.textContent)"""
        )

    def note(self) -> str:
        return self.page.tab.locator(".lidar-note:visible").inner_text()

    def button(self, name: str):
        return self.page.tab.locator(".lidar-actions button:visible", has_text=name)

    def in_sight(self, element) -> bool:
        """Whether all of an element shows, without scrolling anything."""
        share = element.evaluate(
            "(each) => new Promise((done) => new IntersectionObserver(([seen]) => done(seen.intersectionRatio)).observe(each))"
        )
        return share > 0.99

    def finish(self, name: str) -> list[str]:
        """Presses this button; returns what the run ran, as Page.run does."""
        ran = self.page.until_ended(self.button(name).click)
        self.page.settle()
        return ran

    def picks(self) -> str:
        """The text in the picks of the prompt as it would be queued."""
        found = [node["inputs"]["picks"] for node in self.page.prompt().values() if "picks" in node["inputs"]]
        assert len(found) == 1
        return found[0]

    def press(self, *keys: str) -> None:
        self.page.tab.locator(".lidar-sheet:visible").focus()
        for key in keys:
            self.page.tab.keyboard.press(key)
        self.page.settle()

    def hear(self, **sheet: Any) -> None:
        """Has the page hear from the server that LiDAR KSampler told this sheet."""
        self.hear_text(json.dumps(sheet))

    def hear_text(self, told: str) -> None:
        self.page.js(
            """(told) => {
              const id = String(app.rootGraph.nodes.find((node) => node.type === "LiDARKSampler").id);
              for (const output of [null, { lidar_sheet: 3 }, { lidar_sheet: [told] }])
                app.api.dispatchCustomEvent("executed", { node: id, display_node: id, output });
            }""",
            told,
        )
        self.page.settle()

    def kept(self) -> dict[str, Any]:
        """What the page keeps of the only sheet."""
        kept = self.page.js("() => Object.values(app.nodeOutputs).find((output) => output.lidar_sheet).lidar_sheet[0]")
        return json.loads(kept)

    def marked(self) -> str:
        """The numbers in picks, which must be those of the set that is shown."""
        numbers, _, name = self.picks().partition(" @")
        assert name == (self.kept()["set"] if numbers else "")
        return numbers

    def into_subgraph(self, *shown_outside: str) -> int:
        """Puts the LiDAR KSampler into a subgraph that shows these widgets outside, in sight; returns the subgraph node's id."""
        subgraph = self.page.js(
            """(shown) => {
              const inner = app.rootGraph.nodes.find((node) => node.type === "LiDARKSampler");
              const { node: host } = app.rootGraph.convertToSubgraph(new Set([inner]));
              const inside = host.subgraph.nodes.find((node) => node.type === "LiDARKSampler");
              for (const name of shown) {
                const slot = inside.inputs.find((input) => input.name === name);
                host.subgraph.addInput(name, slot.type).connect(slot, inside);
              }
              host.pos = [450, 80];
              return host.id;
            }""",
            list(shown_outside),
        )
        self.look()
        return subgraph
