"""The page's search for nodes: what an artist types leads to the node that does it."""

from __future__ import annotations

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


def test_the_words_of_artists_find_the_nodes(page):
    search = page.search()
    for typed, node in FOUND.items():
        search.fill(typed)
        page.tab.get_by_test_id("result-item").filter(has_text=node).first.wait_for()
        search.fill("no node has this name")
        page.tab.get_by_test_id("result-item").first.wait_for(state="hidden")
