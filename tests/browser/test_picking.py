"""Picks by mouse and keys: they are the text of a widget and nothing else, and two actions finish them."""

from __future__ import annotations

from .graphs import COUNT
from .page import TRACKER


def test_clicks_pick_reject_and_clear(told):
    told.tile(3).click()
    assert (told.marked(), told.badges()[3][0]) == ("3", "picked")
    told.tile(1).click()
    told.tile(3).click()
    assert (told.marked(), told.badges()[3][0]) == ("-3, 1", "rejected")
    told.tile(3).click()
    assert told.marked() == "1"
    told.tile(4).click(modifiers=["Alt"])
    assert told.marked() == "1, -4"
    told.tile(4).click(modifiers=["Alt"])
    assert told.marked() == "1"
    told.button("Clear").click()
    assert told.marked() == ""
    assert told.button("Clear").is_disabled() and told.button("Finish").is_disabled()


def test_keys_pick_and_arrows_walk(told):
    first, second, *_ = told.numbers()
    told.press("3", "Alt+5")
    assert told.marked() == "3, -5"
    told.press("3", "3", "5", "9")
    assert told.marked() == ""  # 3 went on over rejected, 5 from rejected, and there is no 9
    told.press("ArrowLeft", "ArrowLeft", "ArrowLeft", "ArrowLeft", "ArrowLeft")
    told.press("Enter", "ArrowRight", " ")
    assert told.marked() == f"{first}, {second}"
    told.press("Delete", "Backspace")
    assert told.marked() == f"{first}"
    assert told.page.js("() => app.rootGraph.nodes.length") == 9, "no key has reached the canvas"


def test_each_click_is_one_step_for_undo_and_the_sheet_stays(told):
    before = told.numbers()
    told.tile(3).click()
    told.tile(2).click()
    assert told.marked() == "3, 2"
    told.page.undo()
    told.look()
    assert told.marked() == "3"
    assert (told.numbers(), told.badges()) == (before, {3: ["picked"]})
    told.page.redo()
    assert told.marked() == "3, 2"
    assert told.badges() == {2: ["picked"], 3: ["picked"]}
    told.page.undo()
    told.tile(5).click()
    assert (told.marked(), told.badges()) == ("3, 5", {3: ["picked"], 5: ["picked"]})


def test_undo_leaves_the_node_as_large_as_it_was(told):
    told.tile(3).click()
    told.page.settle()
    sizes = told.page.js(
        f"""async () => {{
          const size = () => String([...app.rootGraph.nodes.find((node) => node.type === "LiDARKSampler").size]);
          const frame = () => new Promise(requestAnimationFrame);
          const sizes = [size()];
          await {TRACKER}.undo();
          for (let frames = 0; frames < 10; frames++, await frame()) sizes.push(size());
          return sizes;
        }}"""
    )
    assert len(set(sizes)) == 1, "the page notes another size as a change, and nothing can be redone any more"


def test_typed_picks_are_shown_and_kept_as_they_are_written(told):
    told.page.js(
        """() => {
          app.canvas.emitBeforeChange();
          app.rootGraph.nodes.find((node) => node.type === "LiDARKSampler").widgets.find(({ name }) => name === "picks").value = "2=5, 4=-1";
          app.canvas.emitAfterChange();
        }"""
    )
    assert told.badges() == {2: ["picked"], 4: ["rejected"]}
    told.tile(1).click()
    assert told.marked() == "2=5, 4=-1, 1"


def test_picks_that_are_not_on_the_sheet_are_told_before_a_run(told):
    write = """(text) => {
      app.canvas.emitBeforeChange();
      app.rootGraph.nodes.find((node) => node.type === "LiDARKSampler").widgets.find(({ name }) => name === "picks").value = text;
      app.canvas.emitAfterChange();
    }"""
    for text, wrong in (("3, 99", "99"), ("abc 2", "abc"), ("2-4", "2-4")):
        told.page.js(write, text)
        assert told.note() == f"picks has {wrong}, which is not on this sheet."
        assert told.button("Finish").is_disabled() and told.button("Clear").is_enabled()
    told.button("Clear").click()
    told.tile(3).click()
    assert told.button("Finish").is_enabled() and "99" not in told.note()


def test_picks_that_a_link_gives_are_left_alone(sheet, graph):
    graph["10"] = {"class_type": "PrimitiveString", "inputs": {"value": "2"}}
    graph["5"]["inputs"]["picks"] = ["10", 0]
    sheet.open(graph)
    sheet.page.run()
    sheet.wait(COUNT)
    assert sheet.note() == "picks come through a link: pick where they are written."
    assert sheet.button("Finish").count() == 0
    sheet.tile(1).click()
    assert sheet.picks() == ["10", 0]


def test_two_actions_finish_a_favourite_out_of_the_cache(ranked, record_figure):
    favourite = ranked.numbers()[-1]
    acts = []
    ranked.page.js(
        """() => { window.ended = null; app.api.addEventListener("execution_success", () => (window.ended = performance.now()), { once: true }); }"""
    )
    ranked.page.running.clear()
    ranked.tile(favourite).click()
    acts.append("click")
    began = ranked.page.js("() => performance.now()")
    ranked.button("Finish picked").click()
    acts.append("Finish")
    ranked.page.until("() => window.ended", seconds=300)
    ran = ranked.page.running
    assert "LiDARSampleInParts" in ran and not {"LiDARSampleLookaheads", "LiDARScoreLookaheads"} & set(ran)
    assert ranked.badges()[favourite] == ["picked", "started here"]
    record_figure("actions from the ranked sheet to the finished favourite", len(acts))
    record_figure(
        "seconds from Finish to the picture, demo model", (ranked.page.js("() => window.ended") - began) / 1000
    )
