"""Reads the list of prompts: plain text, one a line, or JSON lines with "prompt" as GenEval's evaluation_metadata.jsonl."""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..cache import SetupError


@dataclass(frozen=True)
class Prompt:
    """One prompt; `record` is its line of the file, with GenEval's "tag" and "include" where it has them."""

    text: str
    record: Mapping[str, Any]

    @property
    def first_seed(self) -> int:
        """A seed of the prompt's own, wherever it stands in the file: noise that is not shared between prompts."""
        return zlib.crc32(self.text.encode())


def read_prompts(path: Path) -> list[Prompt]:
    """The prompts in the file's order, each once. SetupError where the file holds none, or a line that cannot be read."""
    try:
        lines = path.read_bytes().decode("utf-8-sig").splitlines()
    except OSError as error:
        raise SetupError(f"--prompts {path} cannot be read: {error.strerror}.") from None
    except UnicodeDecodeError:
        raise SetupError(f"--prompts {path} is no UTF-8 text.") from None
    found: dict[str, Prompt] = {}
    for number, line in enumerate(lines, start=1):
        line = line.strip()
        if line:
            record = _record(line, f"--prompts {path}, line {number}")
            found.setdefault(record["prompt"], Prompt(record["prompt"], record))
    if not found:
        raise SetupError(f"--prompts {path} holds no prompt; write one a line.")
    return list(found.values())


def _record(line: str, where: str) -> Mapping[str, Any]:
    if not line.startswith("{"):
        return {"prompt": line}
    try:
        record = json.loads(line)
    except ValueError as error:
        raise SetupError(f"{where} begins with {{ and is no JSON ({error}).") from None
    if not isinstance(record.get("prompt"), str) or not record["prompt"].strip():
        raise SetupError(f'{where} has no "prompt" with a text in it.')
    return record
