"""Shows a running prompt in the terminal: one line per phase with a bar, and how long each phase took."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping
from typing import Any

_BAR = 30


class PhaseDisplay:
    """Takes the server's messages one by one. `phase_of` names the phase of a node id, or None for small nodes."""

    def __init__(self, phase_of: Callable[[str], str | None]):
        self.phase_of = phase_of
        self.seconds: dict[str, float] = {}
        self._phase: str | None = None
        self._began = 0.0
        self._steps = ""
        self._drawn = 0.0

    def on_event(self, kind: str, data: Mapping[str, Any]) -> None:
        if kind == "executing":
            self._end_phase()
            self._phase = self.phase_of(data["node"]) if data["node"] else None
            self._began = self._drawn = time.monotonic()
            self._steps = ""
            if self._phase and sys.stdout.isatty():
                self._draw("", end="")
        elif kind == "progress" and self._phase and data["node"] and self.phase_of(data["node"]) == self._phase:
            done, total = int(data["value"]), max(1, int(data["max"]))
            filled = round(_BAR * done / total)
            self._steps = f"[{'#' * filled}{'.' * (_BAR - filled)}] {done}/{total}"
            now = time.monotonic()
            if sys.stdout.isatty():
                self._draw(self._steps, end="")
            elif now - self._drawn > 5:
                self._draw(self._steps, end="\n")
                self._drawn = now

    def _end_phase(self) -> None:
        if self._phase is None:
            return
        seconds = time.monotonic() - self._began
        self.seconds[self._phase] = self.seconds.get(self._phase, 0.0) + seconds
        self._draw(f"{self._steps:<{_BAR + 10}} {seconds:6.1f} s", end="\n")

    def _draw(self, text: str, *, end: str) -> None:
        start = "\r" if sys.stdout.isatty() else ""
        print(f"{start}  {self._phase:<22} {text:<52}", end=end, flush=True)
