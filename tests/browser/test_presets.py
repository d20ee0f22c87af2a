"""The row preset of LiDAR Lookahead Config: it writes the widgets above it, names what stands there, and overrules nothing."""

from __future__ import annotations

import base64
import io
import json

import pytest
from PIL import Image, PngImagePlugin

CONFIG = "LiDARLookaheadConfig"
CHOSEN = "SDXL (paper)"


@pytest.fixture
def presets(server):
    """Name -> the values that it writes."""
    return server.object_info(CONFIG)[CONFIG]["input"]["optional"]["start_from"][1]["presets"]


@pytest.fixture
def chosen(page):
    """The page with a preset chosen."""
    page.choose("preset", CHOSEN)
    return page


def settings(page) -> dict:
    """The values of the widgets but for the row itself."""
    return {name: value for name, value in page.values().items() if name != "preset"}


def test_a_chosen_preset_shows_its_values_and_queues_them(page, presets):
    for name, values in presets.items():
        before = settings(page)
        page.choose("preset", name)
        assert page.preset() == name
        assert settings(page) == before | values == page.queued()


def test_custom_writes_nothing(chosen):
    before = settings(chosen)
    chosen.choose("preset", "custom")
    assert settings(chosen) == before
    assert chosen.preset() == CHOSEN  # it still is


def test_a_changed_value_is_custom_at_once_and_the_presets_again_when_changed_back(chosen, presets):
    chosen.turn_up("guidance_scale")
    assert chosen.preset() == "custom"
    assert settings(chosen)["guidance_scale"] == chosen.queued()["guidance_scale"] == pytest.approx(8.05)
    assert settings(chosen) == presets[CHOSEN] | settings(chosen) | {"guidance_scale": pytest.approx(8.05)}
    chosen.turn_down("guidance_scale")
    assert chosen.preset() == CHOSEN
    chosen.enter("guidance_scale", 0.9)
    assert (chosen.preset(), chosen.queued()["guidance_scale"]) == ("custom", 0.9)
    chosen.choose("start_from", "best lookaheads")
    chosen.enter("guidance_scale", presets[CHOSEN]["guidance_scale"])
    assert chosen.preset() == "custom"
    chosen.choose("start_from", presets[CHOSEN]["start_from"])
    assert chosen.preset() == CHOSEN


def test_a_value_changed_by_another_script_is_custom_too(chosen):
    chosen.js(
        """() => {
          app.canvas.emitBeforeChange();
          app.rootGraph.nodes[0].widgets.find(({ name }) => name === "guidance_scale").value = 0.9;
          app.canvas.emitAfterChange();
        }"""
    )
    chosen.settle()
    assert chosen.preset() == "custom"


def test_a_chosen_preset_is_one_step_for_undo_and_redo(page):
    page.choose("preset", "recommended")
    first = page.values()
    page.choose("preset", CHOSEN)
    second = page.values()
    page.undo()
    assert page.values() == first
    assert page.preset() == "recommended"
    page.redo()
    assert page.values() == second
    assert page.preset() == CHOSEN


def test_a_copy_has_the_same_values_and_a_row_of_its_own(chosen):
    original = settings(chosen)
    chosen.copy_and_paste()
    assert settings(chosen) == original
    assert chosen.preset() == CHOSEN
    chosen.turn_up("guidance_scale")
    assert chosen.preset() == "custom"
    assert chosen.js("() => app.rootGraph.nodes.map((node) => node.widgets.at(-1).value)") == [CHOSEN, "custom"]


def test_a_saved_workflow_holds_the_values_alone(chosen):
    chosen.turn_up("guidance_scale")
    before, saved = chosen.values(), chosen.workflow()
    assert saved["nodes"][0]["widgets_values"] == list(settings(chosen).values())
    assert CHOSEN not in json.dumps(saved)
    chosen.start()
    chosen.open(saved)
    assert chosen.values() == before
    chosen.turn_down("guidance_scale")
    chosen.open(chosen.workflow())
    assert chosen.preset() == CHOSEN
    assert chosen.steps() == 0  # naming the preset is no change of the workflow


def test_a_reloaded_page_has_the_same_values(chosen):
    before = chosen.values()
    chosen.reload()
    assert chosen.values() == before
    assert chosen.preset() == CHOSEN


@pytest.mark.parametrize("name", [CHOSEN, "custom"])
def test_a_picture_brings_the_values_back(chosen, name):
    if name == "custom":
        chosen.enter("guidance_scale", 0.9)
    before = chosen.values()
    texts = PngImagePlugin.PngInfo()
    texts.add_text("workflow", json.dumps(chosen.workflow()))
    texts.add_text("prompt", json.dumps(chosen.prompt()))
    picture = io.BytesIO()
    Image.new("RGB", (8, 8)).save(picture, "PNG", pnginfo=texts)
    chosen.start()
    chosen.js(
        """async (png) => {
          const bytes = Uint8Array.from(atob(png), (letter) => letter.charCodeAt(0));
          await app.handleFile(new File([bytes], "picture.png", { type: "image/png" }));
        }""",
        base64.b64encode(picture.getvalue()).decode(),
    )
    chosen.look()
    assert chosen.values() == before
    assert chosen.preset() == name


@pytest.mark.parametrize("name", [CHOSEN, "custom"])
def test_a_prompt_in_api_json_brings_the_values_back(chosen, name):
    if name == "custom":
        chosen.enter("guidance_scale", 0.9)
    before, prompt = chosen.values(), chosen.prompt()
    chosen.start()
    chosen.open_prompt(prompt)
    assert chosen.values() == before
    assert chosen.prompt() == prompt
    assert chosen.preset() == name


def test_a_linked_setting_is_not_known_and_not_written(chosen, presets):
    number = chosen.add("PrimitiveFloat", (80, 640))
    chosen.connect(number, "guidance_scale")
    assert chosen.queued()["guidance_scale"] == [str(number), 0]
    assert chosen.preset() == "custom"
    before = settings(chosen)
    chosen.choose("preset", "recommended")
    expected = before | presets["recommended"] | {"guidance_scale": before["guidance_scale"]}
    assert settings(chosen) == expected
    assert chosen.queued() == expected | {"guidance_scale": [str(number), 0]}
    assert chosen.preset() == "custom"
    chosen.undo()
    assert settings(chosen) == before


def test_on_a_subgraphs_outside_the_widget_counts(page):
    page.enter("guidance_scale", 0.1)
    subgraph = page.js("() => app.rootGraph.convertToSubgraph(new Set(app.rootGraph.nodes)).node.id")
    page.enter_subgraph(subgraph)
    page.promote("guidance_scale")
    assert page.preset() == "custom"
    page.promote("preset")
    page.leave_subgraph()
    if page.js("(id) => !app.rootGraph.getNodeById(id).inputs.some((input) => input.widgetId)", subgraph):
        pytest.skip("outside this page shows the inner widgets themselves, and not their values")
    page.js("(id) => { app.rootGraph.getNodeById(id).pos = [350, 120]; }", subgraph)
    page.look()
    outside = page.js("(id) => app.rootGraph.getNodeById(id).widgets.map(({ name }) => name)", subgraph)
    assert outside == ["guidance_scale"]  # a preset would not be one there, and is refused
    assert page.queued()["guidance_scale"] == 0.1
    page.enter("guidance_scale", 0.9)
    assert page.queued()["guidance_scale"] == 0.9
    page.enter_subgraph(subgraph)
    page.choose("preset", CHOSEN)
    assert page.preset() == "custom"
    assert page.queued()["guidance_scale"] == 0.9
    assert page.queued()["count"] == 50


@pytest.mark.parametrize("opened", ["nodes2"], indirect=True)
def test_a_changed_setting_runs_and_keeps_the_lookaheads(page, graph):
    page.open_prompt(graph)
    assert "LiDARSampleLookaheads" in page.run()
    page.enter("guidance_scale", 0.9)
    ran = page.run()
    assert "KSampler" in ran
    assert not {"LiDARSampleLookaheads", "LiDARScoreLookaheads"} & set(ran)
