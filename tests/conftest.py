"""What all tests share: figures that a passing run still shows, and the real server, for tests/host and tests/browser.
Whatever reaches a real ComfyUI needs COMFYUI_PATH, which `python3 dev.py test` sets.

    def test_something(server):
        result = server.queue({"1": {"class_type": "EmptyImage", "inputs": {...}}, ...})
        assert result.status == "success", result.message
        assert "LiDARSampleLookaheads" not in result.executed_classes

`server` is a devtools.comfy_client.ComfyClient with the extra attributes `log_tail()` and `base_directory`.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

PACK = Path(__file__).resolve().parents[1]

_figures = pytest.StashKey[list[tuple[str, str]]]()


def pytest_configure(config):
    config.stash[_figures] = []


@pytest.fixture
def record_figure(request):
    """Return record(name, value): the figure is printed at the end of the run, whether the tests pass or not."""

    def record(name: str, value: object) -> None:
        shown = f"{value:.4g}" if isinstance(value, float) else str(value)
        request.config.stash[_figures].append((name, shown))

    return record


def pytest_terminal_summary(terminalreporter, config):
    figures = config.stash[_figures]
    if figures:
        terminalreporter.section("figures")
        width = max(len(name) for name, _ in figures)
        for name, value in figures:
            terminalreporter.line(f"{name:<{width}}  {value}")


@pytest.fixture(scope="session")
def host_path() -> Path:
    """The folder of the real ComfyUI."""
    given = os.environ.get("COMFYUI_PATH")
    if not given:
        pytest.skip("COMFYUI_PATH is not set: run `python3 dev.py test`, or point it to a ComfyUI folder")
    path = Path(given).resolve()
    if not (path / "main.py").is_file():
        pytest.fail(f"COMFYUI_PATH={given} holds no main.py, so it is no ComfyUI folder")
    return path


@pytest.fixture(scope="session")
def new_server(host_path, tmp_path_factory):
    """new_server() -> a client of a real server that has run nothing yet (CPU, previews on); it ends with the session."""
    from devtools.comfy_client import ComfyClient
    from devtools.server import link_pack, start_server

    started = []

    def start():
        base = tmp_path_factory.mktemp("base_server")
        link_pack(base, PACK)
        for nodes in ("bad_inputs/any_value", "lidar_in_server/what_is_alive"):
            (base / "custom_nodes" / Path(nodes).name).symlink_to(PACK / "tests" / "host" / nodes)
        running = start_server(
            python=sys.executable, comfyui=host_path, base_directory=base, log_path=base / "server.log", cpu=True,
            extra_args=("--preview-method", "latent2rgb"),
        )  # fmt: skip
        started.append(running)
        client = ComfyClient(running.url)
        client.log_tail = running.log_tail
        client.base_directory = base
        return client

    yield start
    for running in started:
        running.stop()


@pytest.fixture(scope="session")
def _running_server(new_server):
    return new_server()


@pytest.fixture
def server(_running_server, request):
    """A client of the real server (one per test session, CPU, previews on). A failing test shows the server's log."""
    log = Path(_running_server.base_directory, "server.log")
    before = log.stat().st_size
    yield _running_server
    report = getattr(request.node, "call_report", None)
    if report is not None and report.failed:
        with log.open("rb") as stream:
            stream.seek(before)
            tail = stream.read().decode("utf-8", "replace").splitlines()[-60:]
        print("\n--- server log during this test ---\n" + "\n".join(tail))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    report = yield
    if report.when == "call":
        item.call_report = report
    return report
