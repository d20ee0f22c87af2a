"""The page that the server sends, in a real Chromium and in both of its renderers: the classic canvas, and Nodes 2.0.

Debian's chromium or Chrome does, by $LIDAR_CHROMIUM if it has another name; without one, these tests are skipped.
"""

from __future__ import annotations

import os
import shutil

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
