"""Nodes 2.0: how a row is found, turned and read."""

from __future__ import annotations

from .page import Page


class Nodes2Page(Page):
    """Every row is an element of the document, which is labelled with its name."""

    renderer = "Nodes 2.0"

    def _row(self, setting: str):
        return self.tab.get_by_label(setting, exact=True).last

    def label_at(self, setting: str) -> tuple[float, float]:
        box = self.tab.locator(".lg-node").get_by_text(setting, exact=True).bounding_box()
        return box["x"] + 10, box["y"] + box["height"] / 2

    def turn_up(self, setting: str) -> None:
        self._row(setting).get_by_label("Increment").click()
        self.settle()

    def turn_down(self, setting: str) -> None:
        self._row(setting).get_by_label("Decrement").click()
        self.settle()

    def enter(self, setting: str, number: float) -> None:
        field = self._row(setting).get_by_role("spinbutton")
        field.click(force=True)  # what lies above it takes the click and hands it on
        field.fill(str(number))
        field.press("Enter")
        self.settle()

    def write(self, setting: str, text: str) -> None:
        self._row(setting).fill(text)
        self._row(setting).press("Enter")
        self.settle()

    def choose(self, setting: str, entry: str) -> None:
        self._row(setting).click()
        self.tab.get_by_role("option", name=entry, exact=True).click()
        self.settle()

    def preset(self) -> str:
        """What the row preset shows."""
        return self._row("preset").inner_text()
