"""Every template as a user meets it: readable when it is opened, nothing on anything else, also after a run.

LIDAR_SCREENSHOTS=folder keeps pictures of what these tests have seen.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from .template_page import NAMES, TemplateOnPage, runs_at_once

SIZES = ((1600, 1000), (1280, 720))
# The page's own at every start: files that a user may have added, and models of its default graph that it asks the network for
NOT_OURS = ("Failed to load resource", "huggingface.co", "graph accessed before initialization")


@pytest.fixture(params=SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
def template(page, request):
    width, height = request.param
    page.tab.set_viewport_size({"width": width, "height": height})
    told = []
    page.tab.on("console", lambda message: told.append(message.text) if message.type == "error" else None)
    yield TemplateOnPage(page)
    assert [text for text in told if not any(known in text for known in NOT_OURS)] == []


def keep_picture(template: TemplateOnPage, name: str, when: str) -> None:
    if folder := os.environ.get("LIDAR_SCREENSHOTS"):
        size = template.page.tab.viewport_size
        file = f"{name}, {template.page.renderer}, {size['width']}x{size['height']}, {when}.png"
        template.page.tab.screenshot(path=Path(folder) / file)


@pytest.mark.parametrize("name", NAMES)
def test_a_template_is_readable_when_it_is_opened_and_nothing_overlaps_before_and_after_a_run(template, name):
    template.open(name)
    keep_picture(template, name, "opened")
    assert template.missing_nodes() == []
    assert template.zoom() >= 0.6
    assert template.faults() == []
    if runs_at_once(name):
        template.page.run()
        template.page.tab.wait_for_timeout(1500)  # the pictures have come
        keep_picture(template, name, "run")
        assert template.faults() == []
