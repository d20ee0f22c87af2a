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
