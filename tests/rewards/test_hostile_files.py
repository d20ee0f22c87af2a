"""Hundreds of files and folders that are not what they say: each loads and scores, or is told in one line; nothing dies.

The tables are in hostile/, one module for each kind of harm; hostile/run_cases.py loads them in processes of their own.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from reward_models.printable import printable

HOSTILE = Path(__file__).parent / "hostile"
sys.path.insert(0, str(HOSTILE))
import config_cases  # noqa: E402
import other_kinds  # noqa: E402
import place_cases  # noqa: E402
import safetensors_cases  # noqa: E402
import torch_cases  # noqa: E402

TABLES = {
    module.__name__: module for module in (safetensors_cases, torch_cases, other_kinds, config_cases, place_cases)
}
CASES = [(table, name) for table, module in TABLES.items() for name in module.CASES]
ADVICE = (
    "allow", "change", "check", "choose", "close", "download", "fetch", "put", "remove", "save", "set", "take", "use",
)  # fmt: skip
GIGABYTE = 10**9

pytestmark = pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="pipes, sockets and devices are those of Unix")


@pytest.fixture(scope="session")
def outcomes(tmp_path_factory):
    """outcomes(table) -> what became of each case, by name; each table is run once, when it is first asked for."""
    known = {}

    def of(table):
        if table not in known:
            command = [sys.executable, str(HOSTILE / "run_cases.py"), table, str(tmp_path_factory.mktemp(table))]
            with subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE
            ) as process:
                try:
                    printed, complaint = process.communicate(timeout=180)
                except subprocess.TimeoutExpired:
                    process.kill()
                    printed, complaint = process.communicate()
            rows = [json.loads(line) for line in printed.splitlines()]
            known[table] = {row["name"]: row for row in rows}, process.returncode, complaint.decode(errors="replace")
        return known[table]

    return of


@pytest.mark.parametrize(("table", "name"), CASES, ids=[ascii(f"{table}: {name}")[1:-1] for table, name in CASES])
def test_it_loads_or_is_told_in_one_line(outcomes, table, name):
    rows, status, complaint = outcomes(table)
    assert name in rows, f"the process ended with {status} before or in this case: {complaint[-600:]}"
    row = rows[name]
    errors = [error for error, _, _ in row["results"]]
    if row["loads"] is not None:
        assert (errors[0] == "") is row["loads"], row["results"]
    blamed = {printable(row["file"]), row["blamed"] or printable(row["file"])}
    for error, message, told in row["results"]:
        if error:
            assert told, f"{error}: {message}"
            assert message.isprintable() and len(message) < 1500, ascii(message)
            assert "Traceback" not in message.replace(printable(row["file"]), "")
            assert any(each in message for each in blamed), message
            assert any(word in message.lower() for word in ADVICE), message
    assert row["memory"] < row["size"] + GIGABYTE
    assert row["seconds"] < 10


def test_the_figures_of_all_cases(outcomes, record_figure):
    rows = [row for table in TABLES for row in outcomes(table)[0].values()]
    told = sum(bool(row["results"][0][0]) for row in rows)
    slowest, largest = (max(rows, key=lambda row: row[key]) for key in ("seconds", "memory"))
    record_figure("hostile files: cases, of which told in one line", f"{len(rows)}, {told}")
    record_figure(f"hostile files: slowest ({ascii(slowest['name'])}), s", slowest["seconds"])
    record_figure(f"hostile files: most memory above the start ({ascii(largest['name'])}), MB", largest["memory"] / 1e6)
    assert len(rows) == len(CASES) >= 200
