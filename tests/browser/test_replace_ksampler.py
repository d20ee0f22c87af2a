"""LiDAR in a graph that was made without it: one entry of KSampler's menu, here on ComfyUI's kind of default graph."""

from __future__ import annotations

import pytest

from .sheet_page import SheetOnPage


@pytest.fixture
def plain(graph):
    """The same with the host's KSampler, and a reward model's loader that is not connected."""
    lidar = graph["5"]["inputs"]
    names = (
        "model",
        "positive",
        "negative",
        "latent_image",
        "seed",
        "steps",
        "cfg",
        "sampler_name",
        "scheduler",
        "denoise",
    )
    graph["5"] = {"class_type": "KSampler", "inputs": {name: lidar[name] for name in names}}
    graph["4"] = {
        "class_type": "LiDARRewardModelLoader",
        "inputs": {"kind": "colourfulness", "file": "none", "architecture": "ViT-L-14-quickgelu"},
    }
    return graph


def test_the_menu_of_ksampler_puts_lidar_in_its_place_with_links_and_values(page, server, plain):
    before = dict(plain["5"]["inputs"])
    page.open_prompt(plain, shown="KSampler")
    page.open(page.workflow())
    x, y = page.js("() => [...app.rootGraph.nodes.find((node) => node.type === 'KSampler').pos]")
    page.tab.mouse.click(x + 100, y - 15, button="right")
    page.tab.get_by_text("Replace with LiDAR KSampler").click()
    page.until("() => !app.rootGraph.nodes.some((node) => node.type === 'KSampler')")
    (lidar,) = (node["inputs"] for node in page.prompt().values() if node["class_type"] == "LiDARKSampler")
    assert {name: lidar[name] for name in before} == before
    assert (lidar["vae"], lidar["reward_model"]) == (["1", 2], ["4", 0])
    assert "LiDARContinueBest" in page.run()
    SheetOnPage(page).wait(8)
    page.undo()
    assert page.js("() => app.rootGraph.nodes.some((node) => node.type === 'KSampler')")
