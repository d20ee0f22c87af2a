"""Look first: a run ends at the sheet, and a click and Finish go on; as many images as picks; and a seed that stays."""

from __future__ import annotations

import pytest

from .graphs import COUNT

LOOK = "Look first: click what you like, then Finish picked."
NEWS = "new lookaheads: the seed changed"
DRAWN = {"LiDARSampleLookaheads", "LiDARScoreLookaheads"}
WIDGET = """([name, value]) => {
  const { widgets } = app.rootGraph.nodes.find(({ type }) => type === "LiDARKSampler");
  const widget = widgets.find((each) => each.name === name);
  if (value !== undefined) {
    app.canvas.emitBeforeChange();
    widget.value = value;
    app.canvas.emitAfterChange();
  }
  return [widget.value, widget.linkedWidgets?.[0].value];
}"""


@pytest.fixture
def looked(sheet, graph):
    """A sheet after a run that looked first."""
    graph["5"]["inputs"]["look_first"] = True
    sheet.open(graph)
    sheet.page.run()
    sheet.wait(COUNT)
    return sheet


def pictures(sheet) -> int:
    """How many final images the page shows."""
    return sheet.page.js(
        """() => {
          const { id } = app.rootGraph.nodes.find(({ type }) => type === "PreviewImage");
          return app.nodeOutputs[id]?.images?.length ?? 0;
        }"""
    )


def test_a_run_ends_at_the_sheet_and_as_many_images_are_finished_as_are_picked(looked):
    assert looked.note() == LOOK and pictures(looked) == 0 and looked.badges() == {}
    looked.page.tab.get_by_text("look first: click what you like, then Finish picked").first.wait_for(state="attached")
    *_, second, last = looked.numbers()
    looked.tile(last).click()
    assert not DRAWN & set(looked.finish("Finish picked"))
    looked.await_badges(last, ["picked", "started here"])
    assert pictures(looked) == 1
    looked.tile(second).click()
    assert not DRAWN & set(looked.finish("Finish 2 picked"))
    looked.await_badges(second, ["picked", "started here"])
    assert pictures(looked) == 2


def test_without_a_favourite_finish_takes_the_best_that_is_not_rejected(looked):
    best, second, *_ = looked.numbers()
    looked.tile(best).click(modifiers=["Alt"])
    assert looked.note() == LOOK
    assert not DRAWN & set(looked.finish("Finish the best"))
    assert looked.marked() == f"-{best}, {second}" and pictures(looked) == 1
    looked.await_badges(second, ["picked", "started here"])


def test_the_switch_counts_at_once(looked):
    looked.page.js(WIDGET, ["look_first", False])
    looked.page.until("() => document.querySelector('.lidar-finish').textContent === 'Finish picked'")
    assert looked.button("Finish picked").is_disabled() and looked.note().startswith("Click: pick.")
    assert not DRAWN & set(looked.page.run())
    assert pictures(looked) == 1


def test_another_seed_is_told_and_finish_goes_back_to_the_one_that_is_shown(looked):
    assert looked.page.js("() => LiteGraph.createNode('LiDARKSampler').widgets[1].linkedWidgets[0].value") == "fixed"
    seed, _ = looked.page.js(WIDGET, ["seed"])
    looked.tile(2).click()
    looked.page.js(WIDGET, ["seed", seed + 1])
    assert DRAWN <= set(looked.page.run())
    assert looked.card()[0].strip() == NEWS
    assert looked.note() == "The picks belong to another set; a click begins anew." and pictures(looked) == 0
    looked.page.js(WIDGET, ["seed", seed + 7])  # as a seed on randomize does after a run
    looked.tile(3).click()
    assert not DRAWN & set(looked.finish("Finish picked"))
    assert looked.page.js(WIDGET, ["seed"]) == [seed + 1, "fixed"]
    looked.await_badges(3, ["picked", "started here"])
    assert NEWS not in [fact.strip() for fact in looked.card()], "nothing was drawn anew"
