"""A server whose dev.py was killed is found by the next, and stopped only after a yes."""

import contextlib
import json
import os
import re
import select
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from devtools.left_over import (
    _ask_ps,
    _read_proc,
    note_path,
    offer_to_stop_left_over,
    parent_and_command,
    write_note,
)
from devtools.server import free_port

pytestmark = pytest.mark.skipif(os.name == "nt", reason="Windows is not asked for processes")
DEV_PY = Path(__file__).resolve().parents[2] / "dev.py"


def answers(url: str) -> bool:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        opener.open(url, timeout=5).close()
    except OSError:
        return False
    return True


def wait_for(condition, seconds: float = 20):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found = condition()
        if found:
            return found
        time.sleep(0.05)
    raise AssertionError("it did not happen in time")


def read_until(terminal: int, pattern: bytes, seconds: float = 20) -> re.Match:
    """Reads what is shown on a terminal until the pattern is there."""
    shown, deadline = b"", time.monotonic() + seconds
    while not (found := re.search(pattern, shown)):
        assert select.select([terminal], [], [], max(0, deadline - time.monotonic()))[0], shown
        try:
            shown += os.read(terminal, 4096)
        except OSError:
            raise AssertionError(f"it ended after {shown}") from None
    return found


@contextlib.contextmanager
def serve(dev_environment, log: Path, port: int | None = None, **streams):
    """A running `dev.py serve`; gives the process, and the function that waits for its server's address."""
    streams = {"stdin": subprocess.DEVNULL, "stderr": subprocess.STDOUT} | streams
    with log.open("w") as output:
        command = [sys.executable, str(DEV_PY), "serve", "--cpu", "--no-browser"]
        command += ["--port", str(port)] if port else []
        process = subprocess.Popen(command, env=dev_environment, **({"stdout": output} | streams))

    def url():
        ready = re.search(r"is ready: (\S+)", log.read_text())
        assert ready or process.poll() is None, log.read_text()
        return ready and ready[1]

    try:
        yield process, lambda: wait_for(url)
    finally:
        process.terminate()
        process.wait()


@pytest.fixture
def left_over(dev_environment, tmp_path):
    """The note of a server whose dev.py was killed."""
    port = free_port()
    with serve(dev_environment, tmp_path / "first.log", port) as (process, url):
        address = url()
        process.kill()
        process.wait()
    (path,) = (tmp_path / "cache").glob("bases/*/server-*.json")
    note = json.loads(path.read_text())
    assert note["url"] == address and answers(address)
    yield note | {"path": path, "port": port}
    with contextlib.suppress(ProcessLookupError):
        os.kill(note["pid"], signal.SIGKILL)


def test_without_a_terminal_it_is_told_in_one_line_and_left_alone(left_over, dev_environment, tmp_path):
    log = tmp_path / "second.log"
    with serve(dev_environment, log) as (_, url):
        assert url() != left_over["url"]
        told = [line for line in log.read_text().splitlines() if "still runs" in line]
        assert len(told) == 1
        assert left_over["url"] in told[0] and told[0].endswith(f"To stop it: kill {left_over['pid']}")
    assert answers(left_over["url"])
    assert [left_over["path"]] == list(left_over["path"].parent.glob("server-*.json"))


@pytest.mark.parametrize(("typed", "stops"), [("y\n", True), ("n\n", False), ("\n", False), ("\x04", False)])
def test_on_a_terminal_only_a_yes_stops_it(left_over, dev_environment, tmp_path, typed, stops):
    import pty

    ours, theirs = pty.openpty()
    streams = {"stdin": theirs, "stdout": theirs, "stderr": theirs}
    with serve(dev_environment, tmp_path / "unused.log", left_over["port"], **streams):
        os.close(theirs)
        read_until(ours, rb"\[y/N\] ")
        assert answers(left_over["url"])
        os.write(ours, typed.encode())
        port = str(left_over["port"]).encode()
        wanted = rb"It has ended[^$]*:%b +\(Workflow" if stops else rb"Port %b is taken"
        read_until(ours, wanted % port)
    os.close(ours)
    assert (parent_and_command(left_over["pid"]) or (0, ""))[1].endswith("--preview-method auto") != stops


def test_server_of_a_dev_py_that_lives_is_not_offered(dev_environment, tmp_path):
    first, second = tmp_path / "first.log", tmp_path / "second.log"
    with serve(dev_environment, first) as (_, first_url):
        first_url()
        with serve(dev_environment, second) as (_, second_url):
            assert first_url() != second_url()
            assert "still runs" not in first.read_text() + second.read_text()
    assert not list((tmp_path / "cache").glob("bases/*/server-*.json"))


def test_other_process_with_the_number_is_not_taken_for_the_server(tmp_path, capsys):
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as other:
        for command in ([sys.executable, "main.py", "--port", "8188"], [sys.executable], []):
            path = note_path(tmp_path, other.pid)
            write_note(path, other.pid, command, "http://127.0.0.1:8188")
            offer_to_stop_left_over(tmp_path)
            assert not path.exists()
        assert other.poll() is None and capsys.readouterr().out == ""
        other.kill()


def test_file_that_is_no_note_is_left_alone(tmp_path):
    for content in ("", "[]", '{"pid": 1}'):
        (tmp_path / "server-1.json").write_text(content)
        offer_to_stop_left_over(tmp_path)
        assert (tmp_path / "server-1.json").read_text() == content


@pytest.mark.skipif(not (Path("/proc/self/stat").exists() and shutil.which("ps")), reason="needs /proc and ps")
def test_proc_and_ps_say_the_same():
    assert _read_proc(os.getpid()) == _ask_ps(os.getpid())
    assert _read_proc(os.getpid())[0] == os.getppid()
