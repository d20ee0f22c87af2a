"""The classic renderer: how a row is found, turned and read."""

from __future__ import annotations

from .page import Page


class ClassicPage(Page):
    """All rows are painted on one canvas: they are found by the place that the page keeps of each."""

    renderer = "classic"

    def _row(self, setting: str) -> tuple[float, float, float]:
        """The left end, the right end and the middle's height of a row."""
        return tuple(
            self.js(
                """(setting) => {
                  const node = app.canvas.graph.nodes.findLast((each) => each.widgets?.some(({ name }) => name === setting));
                  const { last_y: below } = node.widgets.find(({ name }) => name === setting);
                  return [node.pos[0], node.pos[0] + node.size[0], node.pos[1] + below + 10];
                }""",
                setting,
            )
        )

    def label_at(self, setting: str) -> tuple[float, float]:
        left, _, height = self._row(setting)
        return left + 50, height

    def turn_up(self, setting: str) -> None:
        _, right, height = self._row(setting)
        self.tab.mouse.click(right - 27, height)
        self.settle()

    def turn_down(self, setting: str) -> None:
        left, _, height = self._row(setting)
        self.tab.mouse.click(left + 27, height)
        self.settle()

    def enter(self, setting: str, value: float | str) -> None:
        left, right, height = self._row(setting)
        field = self.tab.locator(".graphdialog input")
        for _ in range(5):  # a busy page may take a double click for two clicks, which change nothing
            self.tab.mouse.dblclick((left + right) / 2, height)
            self.tab.wait_for_timeout(1000)
            if field.is_visible():
                break
        field.fill(str(value))
        self.tab.keyboard.press("Enter")
        self.settle()

    write = enter

    def choose(self, setting: str, entry: str) -> None:
        _, right, height = self._row(setting)
        self.tab.mouse.click(right - 80, height)
        self.tab.locator(".litecontextmenu").get_by_text(entry, exact=True).click()
        self.settle()

    def preset(self) -> str:
        """What the row preset shows: the classic renderer paints the value."""
        return self.values()["preset"]
