"""The contact sheet shows what was ranked, before the final sampling, with few digits and any number of tiles."""

from __future__ import annotations

import json
import shutil

from .graphs import COUNT

GONE = "The pictures are gone; a run that ranks anew brings them back."


def test_a_node_that_has_not_run_says_so(sheet, graph):
    sheet.open(graph)
    assert sheet.numbers() == []
    assert sheet.note() == "Run, and what was ranked is shown here, best first."
    assert sheet.button("Finish").count() == sheet.button("Clear").count() == 0


def test_tiles_come_best_first_before_the_final_sampling_and_no_preview_replaces_them(sheet, graph):
    sheet.open(graph)
    sheet.page.js(
        """() => {
          window.seen = [];
          app.api.addEventListener("progress_state", ({ detail }) => {
            const last = Object.values(detail.nodes).find((node) => node.node_id.endsWith(".KSampler"));
            if (last?.state === "running") seen.push(document.querySelectorAll(".lidar-tile").length);
          });
        }"""
    )
    sheet.page.run()
    assert set(sheet.page.js("() => seen")) == {COUNT}
    kept = sheet.kept()
    assert sheet.numbers() == kept["numbers"] and sorted(kept["numbers"]) == list(range(1, COUNT + 1))
    assert kept["scores"] == sorted(kept["scores"], reverse=True)
    assert sheet.badges() == {kept["numbers"][0]: ["started here"]}
    bars = sheet.page.js("() => [...document.querySelectorAll('.lidar-bar')].map((bar) => parseFloat(bar.style.width))")
    assert bars[0] == 100 and bars[-1] == 4 and bars == sorted(bars, reverse=True)
    sheet.page.until(
        "() => [...document.querySelectorAll('.lidar-tile img')].every((image) => image.complete && image.naturalWidth === 64)"
    )


def test_the_buttons_stand_between_the_card_and_the_tiles_and_all_fits_the_node(ranked):
    tops = ranked.page.js(
        """() => [".lidar-card", ".lidar-finish", ".lidar-clear", ".lidar-note", ".lidar-tiles"].map((part) => {
          const { top, bottom } = document.querySelector(part).getBoundingClientRect();
          return [top, bottom];
        })"""
    )
    (_, card), *actions, (tiles, _) = tops
    assert all(card <= top and bottom <= tiles for top, bottom in actions)
    ranked.press("1", "Tab")
    assert ranked.page.js("() => document.activeElement.className") == "lidar-finish"
    below = ranked.page.js(
        """() => {
          const end = (part) => [...document.querySelectorAll(part)].at(-1).getBoundingClientRect().bottom;
          return end(".lidar-sheet") - end(".lidar-tile");
        }"""
    )
    assert below >= 0


def test_the_card_breaks_no_number_and_pointing_at_a_tile_shows_it_large_with_the_score_of_each_judge(ranked):
    assert [fact.split("\n")[0] for fact in ranked.card()] == [
        "guided", "final images began here", "scores", "spread of the scores", "the best is ahead of the others by",
        "judges agree", "set of lookaheads",
    ]  # fmt: skip
    assert [fact.split("\n")[1] for fact in ranked.card()[:2]] == ["2 of 4 steps, sigma 14.6 to 2.92", f"1 of {COUNT}"]
    assert ranked.cut_facts() == []
    number = ranked.numbers()[1]
    ranked.tile(number).hover()
    large = ranked.page.tab.locator(".lidar-large")
    assert f"no. {number}, rank 2 of {COUNT}" in large.inner_text()
    kept = ranked.kept()
    told = large.locator("td:last-child").all_inner_texts()
    assert [float(text) for text in told] == [kept["scores"][1], *(scores[1] for scores in kept["judges"].values())]
    assert len(told) == 3
    ranked.page.until("() => document.querySelector('.lidar-large img').naturalWidth === 64")
    ranked.page.tab.mouse.move(5, 500)
    assert large.count() == 0


def test_a_hundred_tiles_come_quickly_and_no_workflow_grows(sheet, graph, record_figure):
    graph["4"]["inputs"]["count"] = 100
    sheet.open(graph)
    size = len(json.dumps(sheet.page.workflow()))
    sheet.page.js(
        """() => app.api.addEventListener("executed", ({ detail }) => {
          if (window.told || !detail.output?.lidar_sheet || !JSON.parse(detail.output.lidar_sheet[0]).numbers) return;
          window.told = { bytes: JSON.stringify(detail).length, at: performance.now() };
          requestAnimationFrame(() => requestAnimationFrame(() => (told.drawn = performance.now() - told.at)));
        })"""
    )
    sheet.page.run()
    sheet.wait(100)
    assert sorted(sheet.kept()["numbers"]) == list(range(1, 101))
    list_height = sheet.page.js("() => document.querySelector('.lidar-tiles').clientHeight")
    assert list_height < 550 < sheet.page.js("() => document.querySelector('.lidar-tiles').scrollHeight")
    sheet.press("ArrowLeft", *["ArrowDown"] * 30, "Enter")
    assert sheet.picks() == f"{sheet.numbers()[-1]} @{sheet.kept()['set']}"
    told = sheet.page.js("() => told")
    record_figure(f"contact sheet of 100: bytes of its message ({sheet.page.renderer})", told["bytes"])
    record_figure(f"contact sheet of 100: ms from message to drawn ({sheet.page.renderer})", told["drawn"])
    grown = len(json.dumps(sheet.page.workflow())) - size
    record_figure(f"contact sheet of 100: bytes that a saved workflow grows by ({sheet.page.renderer})", grown)
    assert grown < 100, "the picks and the size of the node"


def test_a_message_that_is_no_sheet_is_passed_over(sheet, graph):
    sheet.open(graph)
    for told in ("", "null", "[]", "{", "3", '"a"', '{"numbers": []}'):
        sheet.hear_text(told)
        assert sheet.numbers() == []


def test_pictures_that_are_gone_leave_numbers_and_marks_and_the_note_says_so(told):
    told.page.until("() => !document.querySelector('.lidar-tile img')")
    assert told.note() == GONE
    told.tile(3).click()
    assert told.badges() == {3: ["picked"]} and told.note() == GONE


def test_a_run_after_a_restart_brings_the_pictures_back(ranked, server):
    assert ranked.note() != GONE
    shutil.rmtree(server.base_directory / "temp")  # as a restart, and so is the next line
    server.forget()
    ranked.page.tab.context.new_cdp_session(ranked.page.tab).send("Network.clearBrowserCache")
    ranked.page.reload()
    ranked.look()
    ranked.wait(COUNT)
    ranked.page.until("() => !document.querySelector('.lidar-tile img')")
    assert ranked.note() == GONE
    assert "LiDARScoreLookaheads" in ranked.page.run()
    ranked.page.until(
        "() => [...document.querySelectorAll('.lidar-tile')].every((tile) => tile.querySelector('img')?.naturalWidth === 64)"
    )
    assert ranked.note() != GONE
