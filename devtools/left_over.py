"""Servers that outlived the dev.py that started them, because it was killed.

Each server has a note in its base directory for as long as its dev.py takes care of it; the next start reads the notes
and offers to stop a server whose dev.py is gone. A note counts only while the process that it names has the command line
that it holds, so that another process that got the same number is never touched.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.parse
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from .cache import SetupError


@dataclass(frozen=True)
class Note:
    """A server's process, its address, when it was started, and by which process."""

    pid: int
    command: list[str]
    url: str
    since: str
    starter: int

    def parent(self) -> int | None:
        """The parent of this very server; None where it has ended or the system does not tell."""
        found, arguments = parent_and_command(self.pid), " ".join(self.command[1:])
        if found is None or not arguments or not found[1].endswith(arguments):  # macOS renames the interpreter itself
            return None
        return found[0]

    def gone(self) -> bool:
        """Whether the server has ended and its port is free: a process that ends loses its command line before its sockets."""
        address = urllib.parse.urlsplit(self.url)
        try:
            socket.create_connection((address.hostname, address.port), timeout=1).close()
        except OSError:
            return self.parent() is None
        return False


def note_path(base_directory: Path, pid: int) -> Path:
    return base_directory / f"server-{pid}.json"


def write_note(path: Path, pid: int, command: list[str], url: str) -> None:
    """Notes a server that this process has just started, and must delete the note of once it has ended."""
    note = Note(pid, command, url, time.strftime("%Y-%m-%d %H:%M"), os.getpid())
    path.write_text(json.dumps(asdict(note)), encoding="utf-8")


def offer_to_stop_left_over(base_directory: Path) -> None:
    """Asks on a terminal, and only tells elsewhere; nothing is stopped without a yes."""
    for note in _left_over(base_directory):
        told = f"A server from {note.since}, whose dev.py was killed, still runs: {note.url} (process {note.pid})"
        if not (sys.stdin.isatty() and sys.stdout.isatty()):
            print(f"{told}. To stop it: kill {note.pid}", flush=True)
        elif _says_yes(f"{told}. Stop it? [y/N] "):
            _stop(note)


def parent_and_command(pid: int) -> tuple[int, str] | None:
    """The parent's number and the command line, its arguments joined by spaces; None where there is no such process, and
    always on Windows, so that nothing is offered there."""
    try:
        if os.name == "nt":
            return None
        return _read_proc(pid) if Path("/proc/self/stat").exists() else _ask_ps(pid)
    except (OSError, subprocess.CalledProcessError):
        return None


def _read_proc(pid: int) -> tuple[int, str]:
    process = Path("/proc", str(pid))
    command = process.joinpath("cmdline").read_bytes().replace(b"\0", b" ")
    parent = process.joinpath("stat").read_bytes().rpartition(b")")[2].split()[1]
    return int(parent), os.fsdecode(command).strip()


def _ask_ps(pid: int) -> tuple[int, str]:
    line = subprocess.check_output(["ps", "-ww", "-o", "ppid=,command=", "-p", str(pid)])
    parent, _, command = line.strip().partition(b" ")
    return int(parent), os.fsdecode(command).strip()


def _says_yes(question: str) -> bool:
    try:
        return input(question).strip().lower() in ("y", "yes")
    except EOFError:
        print()
        return False


def _left_over(base_directory: Path) -> Iterator[Note]:
    for path in sorted(base_directory.glob("server-*.json")):
        try:
            note = Note(**json.loads(path.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):
            continue
        parent = note.parent()
        if parent is None:
            path.unlink(missing_ok=True)
        elif parent != note.starter:
            yield note


def _stop(note: Note) -> None:
    for name in ("SIGTERM", "SIGKILL"):
        if note.parent() is None:
            break
        try:
            os.kill(note.pid, getattr(signal, name))
        except OSError as error:
            raise SetupError(f"The server's process {note.pid} cannot be stopped: {error.strerror}.") from None
        deadline = time.monotonic() + 10
        while not note.gone() and time.monotonic() < deadline:
            time.sleep(0.1)
    print("It has ended." if note.parent() is None else f"Process {note.pid} does not end.", flush=True)
