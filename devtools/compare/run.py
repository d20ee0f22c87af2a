"""The comparison itself: asks the server, measures how many pictures fit LiDAR's time, draws cell after cell, reports."""

from __future__ import annotations

import argparse
import contextlib
import json
import signal
import statistics
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from ..cache import SetupError, key_of
from ..server import start_server
from ..workflow_file import is_api_format, read_any_workflow
from ..workflow_to_prompt import workflow_to_prompt
from .calibration import Uncounted, calibrated
from .cell import Cells
from .held_out import held_out_reward
from .methods import GUIDED, METHODS
from .prompts_file import Prompt, read_prompts
from .report import write_report
from .rows_file import RowsFile
from .server_run import RunningComfy
from .task import Task, task_of


def main(arguments: Sequence[str] | None = None) -> int:
    options = _parse(arguments)
    sys.stdout.reconfigure(errors="replace")  # prompts may have letters that a terminal has not
    with _server(options) as url:
        return compare(options, RunningComfy(url))


def compare(options: argparse.Namespace, server: RunningComfy) -> int:
    task = task_of(_graph(options.workflow, server), server.nodes, options.images)
    held_out = dict(held_out_reward(text, server.nodes) for text in options.held_out)
    if task.reward_name in held_out:
        raise SetupError(f"--held-out {task.reward_name} is the reward that guides; name another.")
    prompts = read_prompts(options.prompts)
    rows = RowsFile(options.output / "rows.jsonl")
    asked = _asked(options, server, task, list(held_out))
    rows.require_same(asked)
    cells = Cells(server, task, held_out, options.batch, options.output)
    todo = _todo(prompts, options.seeds, rows)
    if todo:
        uncounted = Uncounted(cells, prompts[0].text)
        print("Loading the models with one run that is not counted ...", flush=True)
        server.forget()
        uncounted.run(GUIDED)
        if rows.head is None:
            rows.begin(asked | calibrated(uncounted))
    head = rows.head
    print(
        f"{head['images']} wanted; best of {head['best_of']} takes LiDAR's time. {_count(todo, 'cell')} to draw.",
        flush=True,
    )
    _draw(cells, todo, rows)
    print("Writing the report ...", flush=True)
    print("\n" + write_report(head, rows.rows, prompts, options.output))
    print(f"\nLook at {options.output / 'report.md'}")
    return 0


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="compare")
    for name in ("--workflow", "--prompts", "--output"):
        parser.add_argument(name, type=Path, required=True)
    for name in ("--seeds", "--batch"):
        parser.add_argument(name, type=int, required=True)
    parser.add_argument("--images", type=int)
    parser.add_argument("--held-out", action="append", default=[])
    parser.add_argument("--server")
    parser.add_argument("--base-directory", type=Path)
    parser.add_argument("--comfyui", type=Path)
    parser.add_argument("--cpu", action="store_true")
    return parser.parse_args(arguments)


@contextlib.contextmanager
def _server(options: argparse.Namespace) -> Iterator[str]:
    """The address of the user's server, or of one with the demo model for as long as it is needed."""
    if options.server:
        yield options.server
        return
    print(f"Starting ComfyUI {'on the CPU' if options.cpu else 'on the GPU'} ...", flush=True)
    running = start_server(
        python=sys.executable, comfyui=options.comfyui, base_directory=options.base_directory, cpu=options.cpu,
        log_path=options.base_directory / "server.log",
    )  # fmt: skip
    try:
        yield running.url
    finally:
        running.stop()


def _graph(path: Path, server: RunningComfy) -> dict[str, dict[str, Any]]:
    workflow = read_any_workflow(path)
    if is_api_format(workflow):
        return workflow
    try:
        return workflow_to_prompt(workflow, server.nodes)
    except ValueError as error:
        raise SetupError(f"--workflow {path}: {error} Or export it with Workflow > Export (API).") from None


def _asked(options: argparse.Namespace, server: RunningComfy, task: Task, held_out: list[str]) -> dict[str, Any]:
    """What must be the same when a comparison goes on."""
    system = json.loads(server.get("/system_stats"))
    lidar = {name: value for name, value in task.lidar.items() if name not in ("prompt", "seed")}
    return {
        "workflow": key_of(json.dumps([task.asking_for(""), lidar], sort_keys=True)),
        "workflow_name": options.workflow.name,
        "rewards": [task.reward_name, *held_out],
        "batch": options.batch,
        "device": system["devices"][0]["name"],
        "comfyui": system["system"].get("comfyui_version", "of unknown version"),
        "shares_noise": task.shares_noise,
    }


def _todo(prompts: Sequence[Prompt], seeds: int, rows: RowsFile) -> list[tuple[int, Prompt, str]]:
    """Cells that are not there yet: all prompts with the first seed first; the methods take turns in beginning."""
    done, todo = rows.done(), []
    for number in range(seeds):
        for place, prompt in enumerate(prompts, start=number):
            turn = place % len(METHODS)
            for method in METHODS[turn:] + METHODS[:turn]:
                if (prompt.text, prompt.first_seed + number, method) not in done:
                    todo.append((number, prompt, method))
    return todo


def _draw(cells: Cells, todo: Sequence[tuple[int, Prompt, str]], rows: RowsFile) -> None:
    head, walls = rows.head, {}
    for place, (number, prompt, method) in enumerate(todo):
        began = time.monotonic()
        try:
            row = cells.row(method, prompt, number, count=head["best_of"], wanted=head["images"])
        except (KeyboardInterrupt, SystemExit, SetupError):
            print(f"\n{place} of {len(todo)} cells are drawn. The same command goes on from here.", flush=True)
            raise
        rows.add(row)
        walls.setdefault(method, []).append(time.monotonic() - began)
        left = _time_left([each for _, _, each in todo[place + 1 :]], walls)
        reward = statistics.fmean(row["rewards"][head["rewards"][0]])
        print(
            f"[{place + 1}/{len(todo)}] {' '.join(prompt.text.split())[:50]:50}  seed {number + 1}  {method:9}  {row['seconds']:7.2f} s  "
            f"{reward:8.4g}  {left}",
            flush=True,
        )


def _time_left(methods: Sequence[str], walls: dict[str, list[float]]) -> str:
    known = [seconds for each in walls.values() for seconds in each]
    seconds = sum(statistics.fmean(walls.get(method, known)) for method in methods)
    return f"{seconds / 3600:.1f} h left" if seconds > 5400 else f"{seconds / 60:.1f} min left"


def _count(things: Sequence, name: str) -> str:
    return f"{len(things)} {name}{'' if len(things) == 1 else 's'}"


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that what was started is stopped too
    try:
        sys.exit(main())
    except SetupError as error:
        sys.stderr.write(f"dev.py: {error}\n")
        sys.exit(2)
    except KeyboardInterrupt:
        sys.exit(130)
