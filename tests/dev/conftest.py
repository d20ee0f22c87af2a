"""`dev_py` runs the real dev.py with a cache folder of its own; `small_host` is a ComfyUI folder whose main.py serves, and
that starts in no time, for what dev.py does around a host."""

from __future__ import annotations

import contextlib
import http.server
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

DEV_PY = Path(__file__).resolve().parents[2] / "dev.py"
SMALL_HOST = """\
import argparse, http.server, socket, sys
options = argparse.ArgumentParser()
options.add_argument("--listen")
options.add_argument("--port", type=int)
options, _ = options.parse_known_args()
listen = options.listen.split(",")[0]

class Server(http.server.ThreadingHTTPServer):
    address_family = socket.AF_INET6 if ":" in listen else socket.AF_INET

class Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"{}")

Server((listen, options.port), Answer).serve_forever()
"""


@pytest.fixture
def small_host(tmp_path) -> Path:
    folder = tmp_path / "host"
    folder.mkdir()
    (folder / "main.py").write_text(SMALL_HOST)
    return folder


@pytest.fixture
def plain_server():
    """plain_server(text) -> the address of a server that answers every question with this text."""
    with contextlib.ExitStack() as running:

        def serve(text: str) -> str:
            class Answer(http.server.BaseHTTPRequestHandler):
                def do_GET(self):
                    self.send_response(200)
                    self.end_headers()
                    self.wfile.write(text.encode())

                def log_message(self, *_):
                    pass

            server = running.enter_context(http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answer))
            threading.Thread(target=server.serve_forever, daemon=True).start()
            running.callback(server.shutdown)
            return f"http://127.0.0.1:{server.server_address[1]}"

        yield serve


@pytest.fixture
def dev_environment(tmp_path, small_host) -> dict[str, str]:
    """Environment variables for a dev.py that touches nothing outside the test's folder."""
    given = {"LIDAR_CACHE": tmp_path / "cache", "COMFYUI_PATH": small_host, "LIDAR_PYTHON": sys.executable}
    inherited = {name: value for name, value in os.environ.items() if name != "PYTHONSAFEPATH"}  # of dev.py test
    return inherited | {name: str(value) for name, value in given.items()}


@pytest.fixture
def dev_py(dev_environment) -> Callable[..., subprocess.CompletedProcess]:
    def run(*arguments: str, script: Path = DEV_PY, **variables: str) -> subprocess.CompletedProcess:
        return subprocess.run(
            [sys.executable, str(script), *arguments],
            env=dev_environment | variables, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60,
        )  # fmt: skip

    return run
