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
        "4": {
            "class_type": "LiDARLookaheadConfig",
            "inputs": {
                "count": count, "steps": 1, "cfg": 3.0, "start_from": "best lookaheads", "finish": 1, "guidance_scale": 0.5,
                "end_percent": 0.3,
            },
        },
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


@pytest.fixture
def told(sheet, graph):
    """A sheet that the page has heard of, without a run and so without pictures."""
    sheet.open(graph)
    sheet.hear(
        sheet_id="a", set="k7f2", folder="none", reward="a judge", numbers=[4, 2, 5, 1, 3], scores=[0.9, 0.7, 0.6, 0.2, 0.1],
        judges={}, facts=[],
    )  # fmt: skip
    return sheet


def marked(sheet):
    """The numbers in picks, which must be those of the set that is shown."""
    numbers, _, name = sheet.picks().partition(" @")
    assert name == (scores_of(sheet)["set"] if numbers else "")
    return numbers


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


def test_the_card_breaks_no_number_and_pointing_at_a_tile_shows_it_large_with_the_score_of_each_judge(ranked):
    assert [fact.split("\n")[1] for fact in ranked.card()] == [
        "scores", "spread of the scores", "the best is ahead of the others by", "judges agree", "set of lookaheads", "guided"
    ]  # fmt: skip
    assert ranked.card()[-1].startswith("2 of 4 steps")
    broken = ranked.page.js(
        """() => [...document.querySelectorAll(".lidar-fact > *")].filter((each) => each.checkVisibility()
          && each.getClientRects()[0].height > 1.6 * parseFloat(getComputedStyle(each).fontSize) * app.canvas.ds.scale).length"""
    )
    assert broken == 0
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


def test_clicks_pick_reject_and_clear(told):
    told.tile(3).click()
    assert (marked(told), told.badges()[3][0]) == ("3", "picked")
    told.tile(1).click()
    told.tile(3).click()
    assert (marked(told), told.badges()[3][0]) == ("-3, 1", "rejected")
    told.tile(3).click()
    assert marked(told) == "1"
    told.tile(4).click(modifiers=["Alt"])
    assert marked(told) == "1, -4"
    told.tile(4).click(modifiers=["Alt"])
    assert marked(told) == "1"
    told.button("Clear").click()
    assert marked(told) == ""
    assert told.button("Clear").is_disabled() and told.button("Finish").is_disabled()


def test_keys_pick_and_arrows_walk(told):
    first, second, *_ = told.numbers()
    told.press("3", "Alt+5")
    assert marked(told) == "3, -5"
    told.press("3", "3", "5", "9")
    assert marked(told) == ""  # 3 went on over rejected, 5 from rejected, and there is no 9
    told.press("ArrowLeft", "ArrowLeft", "ArrowLeft", "ArrowLeft", "ArrowLeft")
    told.press("Enter", "ArrowRight", " ")
    assert marked(told) == f"{first}, {second}"
    told.press("Delete", "Backspace")
    assert marked(told) == f"{first}"
    assert told.page.js("() => app.rootGraph.nodes.length") == 9, "no key has reached the canvas"


def test_each_click_is_one_step_for_undo_and_the_sheet_stays(told):
    before = told.numbers()
    told.tile(3).click()
    told.tile(2).click()
    assert marked(told) == "3, 2"
    told.page.undo()
    told.look()
    assert marked(told) == "3"
    assert told.numbers() == before and "picked" in told.badges()[3]
    told.page.redo()
    assert marked(told) == "3, 2"


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
    assert marked(told) == "2=5, 4=-1, 1"


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
    assert (ranked.numbers(), ranked.card(), marked(ranked)) == (before, card, "2")
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


def into_subgraph(sheet, *shown_outside):
    """Puts the LiDAR KSampler into a subgraph that shows these widgets outside, in sight; returns the subgraph node's id."""
    subgraph = sheet.page.js(
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
    sheet.look()
    return subgraph


def test_a_subgraph_shows_the_sheet_and_takes_the_picks_outside(sheet, graph):
    sheet.open(graph)
    into_subgraph(sheet, "picks", "contact_sheet")
    sheet.page.tab.locator(".lidar-sheet:visible").wait_for()
    sheet.page.run()
    sheet.page.until("() => [...document.querySelectorAll('.lidar-tile')].some((tile) => tile.checkVisibility())")
    assert sorted(sheet.numbers()) == list(range(1, COUNT + 1))
    sheet.tile(4).click()
    assert sheet.picks().startswith("4 @") and "picked" in sheet.badges()[4]
    sheet.button("Finish picked").click()
    sheet.await_badges(4, ["picked", "started here"])
    before = sheet.numbers()
    sheet.page.reload()
    sheet.look()
    sheet.await_badges(4, ["picked", "started here"])
    assert sheet.numbers() == before


def test_inside_a_subgraph_the_picks_of_its_own_widget_count(sheet, graph):
    sheet.open(graph)
    subgraph = into_subgraph(sheet)
    sheet.page.enter_subgraph(subgraph)
    sheet.page.js("() => { app.canvas.graph.nodes.find((node) => node.type === 'LiDARKSampler').pos = [450, 80]; }")
    sheet.look()
    sheet.page.run()
    sheet.wait(COUNT)
    sheet.tile(2).click()
    assert sheet.picks().startswith("2 @")
    sheet.page.leave_subgraph()


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


def test_a_hundred_tiles_come_quickly_and_no_workflow_grows(sheet, graph, record_figure):
    graph["4"]["inputs"]["count"] = 100
    sheet.open(graph)
    size = len(json.dumps(sheet.page.workflow()))
    sheet.page.js(
        """() => app.api.addEventListener("executed", ({ detail }) => {
          if (!detail.output?.lidar_sheet || !JSON.parse(detail.output.lidar_sheet[0]).numbers || window.told) return;
          window.told = { bytes: JSON.stringify(detail).length, at: performance.now() };
          requestAnimationFrame(() => requestAnimationFrame(() => (told.drawn = performance.now() - told.at)));
        })"""
    )
    sheet.page.run()
    sheet.wait(100)
    assert sorted(scores_of(sheet)["numbers"]) == list(range(1, 101))
    list_height = sheet.page.js("() => document.querySelector('.lidar-tiles').clientHeight")
    assert list_height < 500 < sheet.page.js("() => document.querySelector('.lidar-tiles').scrollHeight")
    sheet.press("ArrowLeft", *["ArrowDown"] * 30, "Enter")
    assert sheet.picks() == f"{sheet.numbers()[-1]} @{scores_of(sheet)['set']}"
    told = sheet.page.js("() => told")
    record_figure(f"contact sheet of 100: bytes of its message ({sheet.page.renderer})", told["bytes"])
    record_figure(f"contact sheet of 100: ms from message to drawn ({sheet.page.renderer})", told["drawn"])
    grown = len(json.dumps(sheet.page.workflow())) - size
    record_figure(f"contact sheet of 100: bytes that a saved workflow grows by ({sheet.page.renderer})", grown)
    assert grown < 100, "the picks and the size of the node"


HOSTILE = {
    "markup": "<img src=x onerror=\"window.hacked=1\"><script>window.hacked=1</script><b>bold</b>",
    "right-to-left": "\u202eevil\u202c \u05e9\u05dc\u05d5\u05dd \u0645\u0631\u062d\u0628\u0627",
    "emoji": "\U0001f469\u200d\U0001f680\U0001f1ea\U0001f1fa" * 20,
    "long": "w" * 1_000_000,
}  # fmt: skip


def test_hostile_names_are_shown_as_text(sheet, graph):
    sheet.open(graph)
    for number, name in enumerate(HOSTILE.values()):
        sheet.hear(
            sheet_id=str(number), folder=name, reward=name, numbers=[1, 2], scores=[2.0, 1.0], judges={name: [1.0, 2.0]},
            facts=[[name, name], ["", name]], started=[name], set=name,
        )  # fmt: skip
        sheet.tile(1).hover()
        large = sheet.page.tab.locator(".lidar-large")
        assert large.locator("td bdi").all_text_contents() == [name] * 2
        box = large.bounding_box()
        assert box["width"] < 700 and box["height"] < 800
        assert sheet.page.js("() => window.hacked ?? document.querySelectorAll('[class^=lidar] script').length") == 0
        assert sheet.page.js("() => document.querySelector('.lidar-card').offsetHeight") < 300
        assert (
            sheet.page.js(
                "() => { const { scrollWidth, clientWidth } = document.querySelector('.lidar-sheet'); return scrollWidth - clientWidth; }"
            )
            <= 0
        )
        sheet.page.tab.mouse.move(5, 500)


def test_a_run_with_a_hostile_prompt_shows_its_sheet(sheet, graph):
    graph["5"]["inputs"]["prompt"] = "\n".join(HOSTILE.values())
    sheet.open(graph)
    sheet.page.run()
    sheet.wait(COUNT)
    assert sheet.page.js("() => window.hacked ?? 0") == 0


def test_a_message_that_is_no_sheet_is_passed_over(sheet, graph):
    sheet.open(graph)
    for told in ("", "null", "[]", "{", "3", '"a"', '{"numbers": []}'):
        sheet.hear_text(told)
        assert sheet.numbers() == []


def test_pictures_that_are_gone_leave_numbers_and_marks(told):
    told.page.until("() => !document.querySelector('.lidar-tile img')")
    told.tile(3).click()
    assert told.badges() == {3: ["picked"]}


def parts_graph(seed):
    """LiDAR Sample Lookaheads, Score Lookaheads and Pick Lookaheads, as API JSON."""
    graph = {key: each for key, each in ksampler_graph(seed).items() if key in ("1", "2", "3", "8", "9")}
    return graph | {
        "20": {
            "class_type": "LiDARSampleLookaheads",
            "inputs": {
                "model": ["1", 0], "positive": ["2", 0], "negative": ["2", 0], "latent_image": ["3", 0], "seed": seed,
                "count": COUNT, "steps": 1, "cfg": 3.0, "sampler_name": "euler", "scheduler": "normal", "denoise": 1.0,
                "batch_size": 16,
            },
        },
        "21": {"class_type": "VAEDecode", "inputs": {"samples": ["20", 0], "vae": ["1", 2]}},
        "22": {
            "class_type": "LiDARScoreLookaheads",
            "inputs": {
                "lookaheads": ["20", 0], "images": ["21", 0], "reward_model": ["9", 0], "prompt": "three red circles",
                "batch_size": 16, "steady_scores": False,
            },
        },
        "23": {"class_type": "LiDARPickLookaheads", "inputs": {"lookahead_set": ["22", 0], "picks": ""}},
        "24": {"class_type": "LiDARStartFromBest", "inputs": {"latent_image": ["3", 0], "lookaheads": ["23", 0]}},
        "25": {"class_type": "PreviewAny", "inputs": {"source": ["24", 0]}},
    }  # fmt: skip


def test_score_lookaheads_writes_picks_into_pick_lookaheads(sheet, request):
    graph = parts_graph(zlib.crc32(request.node.nodeid.encode()))
    sheet.open(graph, "LiDARScoreLookaheads")
    sheet.page.run()
    sheet.wait(COUNT)
    sheet.tile(2).click()
    assert sheet.picks() == f"2 @{scores_of(sheet)['set']}"
    sheet.page.js(
        "() => { const pick = app.rootGraph.nodes.find((node) => node.type === 'LiDARPickLookaheads'); app.rootGraph.remove(pick); }"
    )
    sheet.page.settle()
    sheet.press("ArrowRight")
    assert sheet.note() == "To pick here, connect LiDAR Pick Lookaheads."


def test_score_images_shows_what_is_kept(sheet):
    graph = {
        "1": {"class_type": "EmptyImage", "inputs": {"width": 32, "height": 32, "batch_size": 3, "color": 0x305070}},
        "8": {"class_type": "LiDARRewardModelLoader", "inputs": {"kind": "brightness"}},
        "2": {
            "class_type": "LiDARScoreImages",
            "inputs": {
                "images": ["1", 0], "reward_model": ["8", 0], "prompt": "", "prompt_per_line": False, "top_k": 2,
                "use_threshold": False, "threshold": 0.0, "batch_size": 16, "steady_scores": False,
            },
        },
        "3": {"class_type": "PreviewImage", "inputs": {"images": ["2", 0]}},
    }  # fmt: skip
    sheet.open(graph, "LiDARScoreImages")
    sheet.page.run()
    sheet.wait(3)
    assert sheet.badges() == {1: ["kept"], 2: ["kept"]}
    assert sheet.button("Finish").count() == 0
