"""Runs one long pip command and keeps telling what it does: its last line, the time, and the gigabytes so far."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path

from .cache import SetupError

_TOLD = re.compile(r"^\s*(Collecting|Downloading|Processing|Building|Installing|Preparing)\b")


def run_pip(
    python: Path, arguments: Sequence[str], *, title: str, scratch: Path, grows: Path | None, log_path: Path
) -> None:
    """Runs `python -m pip ARGUMENTS`. Downloads wait in `scratch`, so that a small /tmp does not matter; `grows` is the
    folder that fills up. Raises SetupError with pip's last lines if it fails."""
    scratch.mkdir(parents=True, exist_ok=True)
    environment = dict(os.environ, TMPDIR=str(scratch), TEMP=str(scratch), TMP=str(scratch), PYTHONUTF8="1")
    environment.pop("PYTHONPATH", None)
    command = [str(python), "-m", "pip", *arguments, "--no-input", "--disable-pip-version-check"]
    command += ["--progress-bar", "off"]
    began = time.monotonic()
    print(title, flush=True)
    lines: list[str] = []
    process = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        stdin=subprocess.DEVNULL,
        env=environment,
        close_fds=False,  # keeps the setup lock held while pip lives, even if we are killed
    )
    ended = threading.Event()
    reporter = threading.Thread(target=_report, args=(lines, ended, began, scratch, grows), daemon=True)
    reporter.start()
    try:
        with log_path.open("ab") as log:
            for line in process.stdout:
                log.write(line)
                lines.append(line.decode("utf-8", "replace").rstrip())
        code = process.wait()
    except BaseException:
        process.terminate()
        process.wait()
        raise
    finally:
        ended.set()
        reporter.join()
    if code != 0:
        raise SetupError(
            f"pip failed ({title.strip()}). Its last lines (all of them: {log_path}):\n  " + "\n  ".join(lines[-15:])
        )
    print(f"      done in {_minutes(time.monotonic() - began)}", flush=True)


def _report(lines: list[str], ended: threading.Event, began: float, scratch: Path, grows: Path | None) -> None:
    on_terminal = sys.stdout.isatty()
    while not ended.wait(2 if on_terminal else 20):
        doing = next((line.strip() for line in reversed(lines) if _TOLD.match(line)), "starting")
        if doing.startswith("Installing collected packages"):
            doing = f"installing {doing.count(',') + 1} packages"
        state = f"{_minutes(time.monotonic() - began)}, {_gigabytes(scratch):.1f} GB downloaded"
        if grows is not None:
            state += f", {_gigabytes(grows):.1f} GB installed"
        text = f"      {state}: {doing}"[:118]
        print(f"\r{text:<118}" if on_terminal else text, end="" if on_terminal else "\n", flush=True)
    if on_terminal:
        print("\r" + " " * 118 + "\r", end="", flush=True)


def _gigabytes(folder: Path) -> float:
    total = 0
    for directory, _, files in os.walk(folder):
        for name in files:
            try:
                total += os.lstat(os.path.join(directory, name)).st_size
            except OSError:
                pass  # pip moves and deletes while we look
    return total / 1e9


def _minutes(seconds: float) -> str:
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d} min"
