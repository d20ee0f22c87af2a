"""LiDAR in a graph that was made without it: one entry of KSampler's menu."""

from __future__ import annotations

import pytest

from .page import BLANK_AT
from .sheet_page import SheetOnPage

KEPT = ("model", "positive", "negative", "latent_image", "seed", "steps", "cfg", "sampler_name", "scheduler", "denoise")


@pytest.fixture
def plain(graph):
    """The graph with the host's KSampler and nothing of LiDAR's but the demo model."""
    lidar = graph["5"]["inputs"]
    graph["5"] = {"class_type": "KSampler", "inputs": {name: lidar[name] for name in KEPT}}
    for key in ("4", "8", "9"):
        del graph[key]
    return graph


def replaced(page, graph) -> dict:
    """Opens the graph and has KSampler replaced by its menu; returns the prompt's nodes by class."""
    page.open_prompt(graph, shown="KSampler")
    return replaced_here(page)


def replaced_here(page) -> dict:
    x, y = page.js("() => [...app.rootGraph.nodes.find((node) => node.type === 'KSampler').pos]")
    page.tab.mouse.click(x + 100, y - 15, button="right")
    page.tab.get_by_text("Replace with LiDAR KSampler").click()
    page.until("() => !app.rootGraph.nodes.some((node) => node.type === 'KSampler')")
    return {node["class_type"]: node["inputs"] for node in page.prompt().values()}


def test_the_menu_of_ksampler_puts_lidar_in_its_place_with_links_and_values(page, server, plain):
    before = dict(plain["5"]["inputs"])
    lidar = replaced(page, plain)["LiDARKSampler"]
    assert {name: lidar[name] for name in before} == before
    assert (lidar["vae"], lidar["reward_model"]) == (["1", 2], ["1", 3])
    assert "LiDARContinueBest" in page.run()
    SheetOnPage(page).wait(8)


def test_where_no_reward_model_is_a_loader_is_added_and_one_step_back_undoes_it_all(page, server, plain):
    plain["1"] = {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": "none"}}
    nodes = replaced(page, plain)
    assert "LiDARRewardModelLoader" in nodes
    assert nodes["LiDARKSampler"]["vae"] == ["1", 2]
    assert nodes["LiDARKSampler"]["reward_model"][1] == 0
    page.settle()
    page.tab.mouse.click(*BLANK_AT)  # the page notes what has changed since
    page.undo()
    assert page.js("() => app.rootGraph.nodes.some((node) => node.type === 'KSampler')")


FRAMED = """() => {
  const groups = app.rootGraph.groups.map(({ title, pos, size }) => [title, [...pos, ...size]]);
  const inside = ([x, y, width, height], { pos, size }) =>
    pos[0] >= x && pos[1] - 30 >= y && pos[0] + size[0] <= x + width && pos[1] + size[1] <= y + height;
  const held = (frame) => app.rootGraph.nodes.filter((node) => inside(frame, node)).map(({ type }) => type).sort();
  return Object.fromEntries(groups.map(([title, frame]) => [title, held(frame)]));
}"""


def test_frames_keep_the_nodes_that_they_hold(page, plain):
    page.open_prompt(plain, shown="KSampler")
    page.js(
        """() => {
          const node = (type) => app.rootGraph.nodes.find((each) => each.type === type);
          const [x, y] = node("KSampler").pos, [width, height] = node("KSampler").size;
          node("VAEDecode").pos = [x + width + 20, y];
          node("PreviewImage").pos = [x + width + 460, y + 60];
          node("EmptyLatentImage").pos = [x, y + height + 80];
          const frame = (title, left, top, right, bottom) => {
            const group = new LiteGraph.LGraphGroup(title);
            [group.pos, group.size] = [[left, top], [right - left, bottom - top]];
            app.rootGraph.add(group);
          };
          frame("sampling", x - 10, y - 50, x + width + 420, y + height + 20);
          frame("below", x - 10, y + height + 40, x + 400, y + height + 300);
          frame("right", x + width + 440, y, x + width + 900, y + 500);
        }"""
    )
    before = page.js(FRAMED)
    assert before == {"sampling": ["KSampler", "VAEDecode"], "below": ["EmptyLatentImage"], "right": ["PreviewImage"]}
    replaced_here(page)
    assert page.js(FRAMED) == before | {"sampling": ["LiDARKSampler", "VAEDecode"]}
