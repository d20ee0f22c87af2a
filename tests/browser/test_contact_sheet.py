"""The contact sheet: it shows what was ranked, takes picks by mouse and keys, and finishes them in two actions."""

from __future__ import annotations

import json
import zlib

import pytest

from .sheet_page import SheetOnPage

COUNT = 5
RANKED = "LiDARScoreLookaheads"


@pytest.fixture
def graph(request):
    """A small LiDAR KSampler on the demo model, as API JSON, with a seed that no other run has."""
    return ksampler_graph(zlib.crc32(request.node.nodeid.encode()))


def ksampler_graph(seed, *, count=COUNT, batch=1):
    return {
        "1": {"class_type": "LiDARLoadDemoModel", "inputs": {}},
        "2": {"class_type": "CLIPTextEncode", "inputs": {"clip": ["1", 1], "text": "three red circles"}},
        "3": {"class_type": "EmptyLatentImage", "inputs": {"width": 64, "height": 64, "batch_size": batch}},
        "4": {"class_type": "LiDARLookaheadConfig", "inputs": {"count": count, "steps": 1, "cfg": 3.0}},
        "8": {"class_type": "LiDARRewardModelLoader", "inputs": {"kind": "brightness"}},
        "9": {"class_type": "LiDARCombineRewards", "inputs": {"rewards.reward_1": ["1", 3], "rewards.reward_2": ["8", 0]}},
        "5": {
            "class_type": "LiDARKSampler",
            "inputs": {
                "model": ["1", 0], "positive": ["2", 0], "negative": ["2", 0], "latent_image": ["3", 0], "vae": ["1", 2],
                "reward_model": ["9", 0], "prompt": "three red circles", "lookahead_config": ["4", 0],
                "seed": seed, "control_after_generate": "fixed",
                "steps": 4, "cfg": 3.0, "sampler_name": "euler", "scheduler": "normal", "denoise": 1.0,
            },
        },
        "6": {"class_type": "VAEDecode", "inputs": {"samples": ["5", 0], "vae": ["1", 2]}},
        "7": {"class_type": "PreviewImage", "inputs": {"images": ["6", 0]}},
    }  # fmt: skip


@pytest.fixture
def sheet(page):
    return SheetOnPage(page)


@pytest.fixture
def ranked(sheet, graph):
    """A sheet with the lookaheads of a run."""
    sheet.open(graph)
    sheet.page.run()
    sheet.wait(COUNT)
    return sheet


def scores_of(sheet):
    """What the page keeps of the only sheet."""
    kept = sheet.page.js("() => Object.values(app.nodeOutputs).find((output) => output.lidar_sheet).lidar_sheet[0]")
    return json.loads(kept)


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
    kept = scores_of(sheet)
    assert sheet.numbers() == kept["numbers"] and sorted(kept["numbers"]) == list(range(1, COUNT + 1))
    assert kept["scores"] == sorted(kept["scores"], reverse=True)
    assert sheet.badges() == {kept["numbers"][0]: ["started here"]}
    bars = sheet.page.js("() => [...document.querySelectorAll('.lidar-bar')].map((bar) => parseFloat(bar.style.width))")
    assert bars[0] == 100 and bars[-1] == 4 and bars == sorted(bars, reverse=True)
    sheet.page.until(
        "() => [...document.querySelectorAll('.lidar-tile img')].every((image) => image.complete && image.naturalWidth === 64)"
    )


def test_the_card_tells_few_digits_and_breaks_none_of_them(ranked):
    assert [fact.split("\n")[1] for fact in ranked.card()] == [
        "scores", "spread", "best ahead of the rest by", "judges agree", "guided"
    ]  # fmt: skip
    assert ranked.card()[-1].startswith("2 of 4 steps")
    broken = ranked.page.js(
        """() => [...document.querySelectorAll(".lidar-fact > *")].filter((each) => each.checkVisibility()
          && each.getClientRects()[0].height > 1.6 * parseFloat(getComputedStyle(each).fontSize) * app.canvas.ds.scale).length"""
    )
    assert broken == 0


def test_pointing_at_a_tile_shows_it_large_with_the_score_of_each_judge(ranked):
    number = ranked.numbers()[1]
    ranked.tile(number).hover()
    large = ranked.page.tab.locator(".lidar-large")
    assert f"no. {number}, rank 2 of {COUNT}" in large.inner_text()
    kept = scores_of(ranked)
    told = large.locator("td:last-child").all_inner_texts()
    assert [float(text) for text in told] == [kept["scores"][1], *(scores[1] for scores in kept["judges"].values())]
    assert len(told) == 3
    ranked.page.until("() => document.querySelector('.lidar-large img').naturalWidth === 64")
    ranked.page.tab.mouse.move(5, 500)
    assert large.count() == 0


def test_clicks_pick_reject_and_clear(ranked):
    ranked.tile(3).click()
    assert (ranked.picks(), ranked.badges()[3][0]) == ("3", "picked")
    ranked.tile(1).click()
    ranked.tile(3).click()
    assert (ranked.picks(), ranked.badges()[3][0]) == ("-3, 1", "rejected")
    ranked.tile(3).click()
    assert ranked.picks() == "1"
    ranked.tile(4).click(modifiers=["Alt"])
    assert ranked.picks() == "1, -4"
    ranked.tile(4).click(modifiers=["Alt"])
    assert ranked.picks() == "1"
    ranked.button("Clear").click()
    assert ranked.picks() == ""
    assert ranked.button("Clear").is_disabled() and ranked.button("Finish").is_disabled()


def test_keys_pick_and_arrows_walk(ranked):
    first, second, *_ = ranked.numbers()
    ranked.press("3", "Alt+5")
    assert ranked.picks() == "3, -5"
    ranked.press("3", "3", "5", "9")
    assert ranked.picks() == ""  # 3 went on over rejected, 5 from rejected, and there is no 9
    ranked.press("ArrowLeft", "ArrowLeft", "ArrowLeft", "ArrowLeft", "ArrowLeft")
    ranked.press("Enter", "ArrowRight", " ")
    assert ranked.picks() == f"{first}, {second}"
    ranked.press("Delete", "Backspace")
    assert ranked.page.js("() => app.rootGraph.nodes.length") == 9, "no key has reached the canvas"


def test_each_click_is_one_step_for_undo_and_the_sheet_stays(ranked):
    before = ranked.numbers()
    ranked.tile(3).click()
    ranked.tile(2).click()
    assert ranked.picks() == "3, 2"
    ranked.page.undo()
    ranked.look()
    assert ranked.picks() == "3"
    assert ranked.numbers() == before and "picked" in ranked.badges()[3]
    ranked.page.redo()
    assert ranked.picks() == "3, 2"


def test_typed_picks_are_shown_and_kept_as_they_are_written(ranked):
    ranked.page.js(
        """() => {
          app.canvas.emitBeforeChange();
          app.rootGraph.nodes.find((node) => node.type === "LiDARKSampler").widgets.find(({ name }) => name === "picks").value = "2=5, 4=-1";
          app.canvas.emitAfterChange();
        }"""
    )
    assert {number: badges[0] for number, badges in ranked.badges().items() if badges[0] != "started here"} == {
        2: "picked",
        4: "rejected",
    }
    ranked.tile(1).click()
    assert ranked.picks() == "2=5, 4=-1, 1"


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
    assert "KSampler" in ran and not {"LiDARSampleLookaheads", RANKED} & set(ran)
    assert ranked.badges()[favourite] == ["picked", "started here"]
    record_figure("actions from the ranked sheet to the finished favourite", len(acts))
    record_figure(
        "seconds from Finish to the picture, demo model", (ranked.page.js("() => window.ended") - began) / 1000
    )


def test_a_reloaded_page_shows_the_last_run_again(ranked):
    before, card = ranked.numbers(), ranked.card()
    ranked.tile(2).click()
    ranked.page.reload()
    ranked.look()
    ranked.wait(COUNT)
    assert (ranked.numbers(), ranked.card(), ranked.picks()) == (before, card, "2")
    assert "picked" in ranked.badges()[2]


def test_another_tab_and_back(ranked):
    before, badges = ranked.numbers(), ranked.badges()
    ranked.page.js("() => app.extensionManager.command.execute('Comfy.NewBlankWorkflow')")
    ranked.page.until("() => !app.rootGraph.nodes.length")
    assert ranked.page.tab.locator(".lidar-tile:visible").count() == 0
    ranked.page.js("() => app.extensionManager.command.execute('Workspace.PreviousOpenedWorkflow')")
    ranked.page.until("() => app.rootGraph.nodes.length")
    ranked.look()
    ranked.wait(COUNT)
    assert (ranked.numbers(), ranked.badges()) == (before, badges)
