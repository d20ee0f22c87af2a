"""The page in Chinese: its texts are translated, and what is chosen and sent is the same as in English."""

from __future__ import annotations

import re
import zlib

import pytest

from .graphs import COUNT, ksampler_graph
from .sheet_page import SheetOnPage

CONFIG = "LiDARLookaheadConfig"


@pytest.fixture
def chinese(page, server):
    """The page with Chinese chosen, and a workflow of one LiDAR Lookahead Config."""
    for language in ("zh", "en"):
        server.post("/settings/Comfy.Locale", language)
        page.reload()
        page.start()
        if language == "zh":
            yield page


def test_a_preset_writes_the_values_that_it_writes_in_english(chinese, server):
    presets = server.object_info(CONFIG)[CONFIG]["input"]["optional"]["start_from"][1]["presets"]
    title, labels = chinese.js(
        """() => {
          const { title, widgets } = app.rootGraph.nodes[0];
          return [title, Object.fromEntries(widgets.map(({ name, label }) => [name, label]))];
        }"""
    )
    assert (title, labels["guidance_scale"], labels["preset"]) == ("LiDAR 前瞻设置", "引导强度", "预设")
    row = (
        "预设" if chinese.tab.get_by_label("预设", exact=True).count() else "preset"
    )  # the classic canvas has no elements
    for name in ("SDXL (paper)", "recommended"):
        before = chinese.queued()
        chinese.choose(row, name)
        assert chinese.values()["preset"] == name
        assert chinese.queued() == before | presets[name]


def test_a_favourite_is_picked_and_finished_and_the_prompt_is_english(chinese, request):
    sheet, graph = SheetOnPage(chinese), ksampler_graph(zlib.crc32(request.node.nodeid.encode()))
    sheet.open(graph)
    assert sheet.note() == "运行后，排好名次的图会显示在这里，最好的在前。"
    inputs = {key: value for key, value in graph["5"]["inputs"].items() if not isinstance(value, list)}
    (queued,) = (node["inputs"] for node in chinese.prompt().values() if node["class_type"] == "LiDARKSampler")
    assert queued == queued | {key: value for key, value in inputs.items() if key != "control_after_generate"}
    chinese.run()
    sheet.wait(COUNT)
    card = re.sub(r"前瞻图组\s*[a-z0-9]+|sigma", "", " ".join(sheet.card()))
    assert "引导了" in card and not re.search(r"[a-z]{2}", card), card
    number = sheet.numbers()[-1]
    sheet.tile(number).click()
    sheet.await_badges(number, ["选中"])
    assert sheet.picks().partition(" @")[0] == str(number)
    sheet.button("完成所选").click()
    sheet.await_badges(number, ["选中", "由此开始"])
