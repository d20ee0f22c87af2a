"""The contact sheets of LiDAR Score Lookaheads and LiDAR Score Images."""

from __future__ import annotations

import zlib

from .graphs import COUNT, ksampler_graph


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
    assert sheet.picks() == f"2 @{sheet.kept()['set']}"
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
