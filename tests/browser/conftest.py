"""The page that the server sends, in a real Chromium and in both of its renderers: the classic canvas, and Nodes 2.0.

Debian's chromium or Chrome does, by $LIDAR_CHROMIUM if it has another name; without one, these tests are skipped.
"""

from __future__ import annotations

import os
import shutil
import zlib

import pytest

from .classic_page import ClassicPage
from .nodes2_page import Nodes2Page

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
FLAGS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
)  # fmt: skip


@pytest.fixture(scope="module")
def chromium():
    """A running Chromium with an empty profile. It must end with its tests: playwright keeps an event loop running, and
    others start theirs."""
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    names = [os.environ["LIDAR_CHROMIUM"]] if os.environ.get("LIDAR_CHROMIUM") else BROWSERS
    program = next(filter(None, map(shutil.which, names)), None)
    if program is None:
        pytest.skip(f"no browser: none of {', '.join(names)} is on the PATH; LIDAR_CHROMIUM may name one")
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=program, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="module", params=["classic", "nodes2"])
def opened(chromium, _running_server, request):
    """The page in one renderer, loaded once for all tests."""
    for name, value in {"Comfy.VueNodes.Enabled": request.param == "nodes2", "Comfy.TutorialCompleted": True}.items():
        _running_server.post(f"/settings/{name}", value)
    context = chromium.new_context(viewport={"width": 1200, "height": 900})
    tab = context.new_page()
    yield (Nodes2Page if request.param == "nodes2" else ClassicPage)(tab, _running_server.url)
    context.close()


@pytest.fixture
def page(opened, server):
    """The page with a workflow of one LiDAR Lookahead Config, as a user who adds one gets it."""
    opened.errors.clear()
    opened.start()
    yield opened
    assert opened.errors == []


@pytest.fixture
def graph(request):
    """A small LiDAR KSampler on the demo model, as API JSON, with a seed that no other run has."""
    seed = zlib.crc32(request.node.name.encode())
    return {
        "1": {"class_type": "LiDARLoadDemoModel", "inputs": {}},
        "2": {"class_type": "CLIPTextEncode", "inputs": {"clip": ["1", 1], "text": "three red circles"}},
        "3": {"class_type": "EmptyLatentImage", "inputs": {"width": 64, "height": 64, "batch_size": 1}},
        "4": {
            "class_type": "LiDARLookaheadConfig",
            "inputs": {"start_from": "best lookaheads", "count": 2, "finish": 1, "steps": 1, "cfg": 3.0, "guidance_scale": 0.1},
        },
        "5": {
            "class_type": "LiDARKSampler",
            "inputs": {
                "model": ["1", 0], "positive": ["2", 0], "negative": ["2", 0], "latent_image": ["3", 0], "vae": ["1", 2],
                "reward_model": ["1", 3], "prompt": "three red circles", "lookahead_config": ["4", 0],
                "seed": seed, "control_after_generate": "fixed",
                "steps": 2, "cfg": 3.0, "sampler_name": "euler", "scheduler": "normal", "denoise": 1.0,
            },
        },
        "6": {"class_type": "VAEDecode", "inputs": {"samples": ["5", 0], "vae": ["1", 2]}},
        "7": {"class_type": "PreviewImage", "inputs": {"images": ["6", 0]}},
    }  # fmt: skip
