"""rows.jsonl: a first line that says what is compared, then one finished cell a line. What a kill cut off is left out."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..cache import SetupError

Row = Mapping[str, Any]


class RowsFile:
    """The rows of one comparison. `head` is its first line, None before `begin`; `rows` are in the order of the file."""

    def __init__(self, path: Path):
        self.path = path
        lines, kept = [], 0
        if path.exists():
            content = path.read_bytes()
            kept = content.rfind(b"\n") + 1
            try:
                lines = [json.loads(line) for line in content[:kept].splitlines()]
            except ValueError as error:
                raise SetupError(
                    f"{path} is damaged ({error}); delete it, or name another folder in --output."
                ) from None
            if kept < len(content):
                os.truncate(path, kept)
        self.head: Mapping[str, Any] | None = lines[0] if lines else None
        self.rows: list[Row] = lines[1:]

    def done(self) -> set[tuple[str, int, str]]:
        """(prompt, seed, method) of each row."""
        return {(row["prompt"], row["seed"], row["method"]) for row in self.rows}

    def begin(self, head: Mapping[str, Any]) -> None:
        self._append(head)
        self.head = head

    def add(self, row: Row) -> None:
        self._append(row)
        self.rows.append(row)

    def require_same(self, asked: Mapping[str, Any]) -> None:
        """SetupError where this file belongs to another comparison than the one that is asked for."""
        for name, value in asked.items():
            if self.head is not None and self.head.get(name) != value:
                raise SetupError(
                    f"{self.path.parent} holds a comparison with another {name} ({self.head.get(name)}, now {value}); name "
                    "another folder in --output, or delete this one."
                )

    def _append(self, value: Mapping[str, Any]) -> None:
        with self.path.open("ab") as file:
            file.write(json.dumps(value).encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())
