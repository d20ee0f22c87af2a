"""The page that the server sends, in a real Chromium and in both of its renderers: the classic canvas, and Nodes 2.0.

Debian's chromium or Chrome does, by $LIDAR_CHROMIUM if it has another name; without one, these tests are skipped.
"""

from __future__ import annotations

import os
import shutil
import zlib

import pytest

from .classic_page import ClassicPage
from .graphs import COUNT, ksampler_graph
from .nodes2_page import Nodes2Page
from .sheet_page import SheetOnPage

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
FLAGS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
)  # fmt: skip


@pytest.fixture(scope="module")
def chromium():
    """A running Chromium with an empty profile. It must end with these tests: playwright keeps an event loop running, and
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
    """The page in one renderer, loaded once for all tests of a file: one may leave a dialog or a pointer mode behind."""
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
    """A small LiDAR KSampler, with a seed that no other run has."""
    return ksampler_graph(zlib.crc32(request.node.nodeid.encode()))


@pytest.fixture
def sheet(page):
    """The contact sheets of the page; a test opens its own workflow."""
    return SheetOnPage(page)


@pytest.fixture
def ranked(sheet, graph):
    """A sheet with the lookaheads of a run."""
    sheet.open(graph)
    sheet.page.run()
    sheet.wait(COUNT)
    return sheet


@pytest.fixture
def told(sheet, graph):
    """A sheet that the page has heard of, without a run and so without pictures."""
    sheet.open(graph)
    sheet.hear(
        sheet_id="a", set="k7f2", folder="none", reward="a judge", numbers=[4, 2, 5, 1, 3], scores=[0.9, 0.7, 0.6, 0.2, 0.1],
        judges={}, facts=[],
    )  # fmt: skip
    return sheet
