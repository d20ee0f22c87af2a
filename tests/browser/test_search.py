"""The page's search for nodes: what an artist types leads to the node that does it."""

from __future__ import annotations

import pytest

from .page import BLANK_AT

FOUND = {
    "pick best": "LiDAR KSampler",
    "choose image": "LiDAR Pick Lookaheads",
    "prompt adherence": "LiDAR KSampler",
    "seed search": "LiDAR Start From Best",
    "draft": "LiDAR Sample Lookaheads",
    "best of n": "LiDAR Score Images",
    "reward": "Load LiDAR Reward Model",
    "image reward": "Load LiDAR Reward Model",
    "aesthetic": "Load LiDAR Reward Model",
    "lightning": "LiDAR Lookahead Config",
}


@pytest.mark.parametrize("typed", FOUND)
def test_the_words_of_artists_find_the_nodes(page, typed):
    page.tab.mouse.dblclick(*BLANK_AT)
    page.tab.locator("input[role=combobox]").fill(typed)
    page.tab.get_by_test_id("result-item").filter(has_text=FOUND[typed]).first.wait_for(timeout=5000)
    page.tab.keyboard.press("Escape")
    page.tab.locator("input[role=combobox]").wait_for(state="hidden")  # else the next double click may reach it
