"""Picks that are typed on the page get the name of the set that was looked at."""

from __future__ import annotations

import pytest

KSAMPLER = "LiDARKSampler"


@pytest.fixture
def lidar(page, graph):
    """The page with a LiDAR KSampler that no run has shown anything on yet."""
    page.open_prompt(graph, KSAMPLER)
    return page


def picks(page) -> str:
    """What stands in the widget, which is what the page would queue."""
    (queued,) = (node["inputs"]["picks"] for node in page.prompt().values() if node["class_type"] == KSAMPLER)
    widget = page.js(
        """() => app.rootGraph.nodes.find(({ type }) => type === "LiDARKSampler").widgets.find(({ name }) => name === "picks").value"""
    )
    assert widget == queued
    return widget


def shown(page) -> str:
    """The name of the set whose pictures the node has."""
    return page.js(
        """() => Object.values(app.nodeOutputs).map((told) => told.lidar_sheet && JSON.parse(told.lidar_sheet[0]).set).find(Boolean)"""
    )


def next_seed(page) -> None:
    page.js(
        """() => {
          const node = app.rootGraph.nodes.find(({ type }) => type === "LiDARKSampler");
          node.widgets.find(({ name }) => name === "seed").value += 1;
        }"""
    )


def test_numbers_get_the_name_of_the_set_that_was_shown_and_keep_it(lidar):
    lidar.run()
    looked_at = shown(lidar)
    assert picks(lidar) == ""
    lidar.write("picks", "2")
    assert picks(lidar) == "2"
    next_seed(lidar)  # as a seed on randomize has done by then
    lidar.run()
    other = shown(lidar)
    assert picks(lidar) == f"2 @{looked_at}" and other != looked_at
    next_seed(lidar)
    lidar.run()
    assert picks(lidar) == f"2 @{looked_at}" and shown(lidar) != other
    lidar.write("picks", "1, -2")
    lidar.run()
    assert picks(lidar) == f"1, -2 @{shown(lidar)}"


def test_numbers_typed_before_any_set_was_shown_get_the_name_of_the_first(lidar):
    lidar.write("picks", "1")
    lidar.run()
    first = shown(lidar)
    assert picks(lidar) == f"1 @{first}"
    next_seed(lidar)
    lidar.run()
    assert picks(lidar) == f"1 @{first}" and shown(lidar) != first


def test_a_name_that_is_written_by_hand_stays(lidar):
    lidar.run()
    lidar.write("picks", "2 @zzzz")
    lidar.run()
    assert picks(lidar) == "2 @zzzz"
