"""The honest bench: `python3 dev.py bench`, a quick run of minutes, or `--full`, which docs/benchmarks.md shows.

LiDAR and its rivals on the demo model's held-out prompts (pool.py, steered.py), closed-form worlds (exact_worlds.py) and the
solver's speed (solver_speed.py). Writes output/bench/: the pool, costs.json, report.md and the pictures. Stopped, it goes on
where it was; --fresh begins anew.
"""

import argparse
import json
import shutil
import subprocess
import sys
from pathlib import Path

import torch
from comfy.cli_args import args as host_options

host_options.cpu = True  # before anything else of the host is imported; what is measured is processor time

OUTPUT = Path(__file__).resolve().parent.parent / "output" / "bench"
TRAINING_PROMPTS, QUICK_PROMPTS = 24, 8


def main() -> None:
    parser = argparse.ArgumentParser(prog="dev.py bench", description=__doc__.splitlines()[0])
    parser.add_argument("--full", action="store_true", help="all held-out prompts: an hour or more of processor time")
    parser.add_argument(
        "--fresh", action="store_true", help="forget what an earlier run has drawn, as is needed after a change"
    )
    parser.add_argument("--workers", type=int, default=1, help="processes that share the prompts (default: 1)")
    parser.add_argument("--shard", type=int, help=argparse.SUPPRESS)
    parser.add_argument(
        "--only-report", action="store_true", help="draw nothing, make report and pictures of what is there"
    )
    options = parser.parse_args()
    if options.shard is not None:
        return draw_shard(options)
    if options.fresh:
        shutil.rmtree(OUTPUT, ignore_errors=True)
    OUTPUT.mkdir(parents=True, exist_ok=True)
    if not options.only_report:
        measure_costs()
        arguments = [word for word in sys.argv[1:] if word != "--fresh"]
        command = [sys.executable, "-m", "benchmarks.run", *arguments, "--shard"]
        workers = [subprocess.Popen([*command, str(shard)]) for shard in range(options.workers)]
        if any([worker.wait() for worker in workers]):
            sys.exit("A worker of the bench has failed, see above; what is drawn so far is kept.")
        measure_the_solver(options.full)
    write_report()


def measure_costs() -> None:
    """Before the workers begin, so that nothing of this bench runs beside it."""
    from . import costs
    from .world import World

    path = OUTPUT / "costs.json"
    if not path.exists():
        print("measuring: costs", file=sys.stderr, flush=True)
        torch.set_num_threads(1)
        with torch.inference_mode():
            path.write_text(json.dumps(costs.measure(World())))


def measure_the_solver(full: bool) -> None:
    """What needs no prompts: exact worlds and the solver's speed."""
    from . import exact_worlds, solver_speed

    torch.set_num_threads(1)
    for name, table in (
        ("exact_worlds", lambda: exact_worlds.table(exact_worlds.measure(full))),
        ("solver_speed", lambda: solver_speed.table(solver_speed.measure())),
    ):
        print(f"measuring: {name}", file=sys.stderr, flush=True)
        (OUTPUT / f"{name}.md").write_text(table() + "\n")


def draw_shard(options: argparse.Namespace) -> None:
    """The prompts of one worker, each with all its parts, so that a run stopped early has whole prompts."""
    import comfy.utils

    from .pool import PARTS, Pool, prompts
    from .steered import ARMS, RIVALS
    from .world import World

    comfy.utils.set_progress_bar_enabled(False)
    world, pool = World(), Pool(OUTPUT / "pool")
    steered = {name: arm.part for name, arm in ARMS.items()}
    slow = {name: arm.part for name, arm in RIVALS.items()}
    quick = None if options.full else QUICK_PROMPTS
    with torch.inference_mode():
        for split, count in (("training", quick or TRAINING_PROMPTS), ("held-out", quick)):
            mine = prompts(split, count)[options.shard :: options.workers]
            for position, (number, prompt) in enumerate(mine):
                held_out = split == "held-out"
                some = PARTS | (steered if held_out else {}) | (slow if held_out and position % 4 == 0 else {})
                for name, part in some.items():
                    pool.add(world, name, part, split, number, prompt)
                print(
                    f"worker {options.shard}: {position + 1}/{len(mine)} {split} prompts", file=sys.stderr, flush=True
                )


def write_report() -> None:
    """Write report.md and the pictures; say the shortest of it."""
    from . import pictures, report
    from .pool import Pool
    from .results import Results
    from .world import World

    results = Results(Pool(OUTPUT / "pool"), json.loads((OUTPUT / "costs.json").read_text()))
    text = report.write(results)
    for name in ("exact_worlds", "solver_speed"):
        path = OUTPUT / f"{name}.md"
        if path.exists():
            text += f"\n\n## {name.replace('_', ' ').capitalize()}\n\n{path.read_text().strip()}"
    (OUTPUT / "report.md").write_text(text + "\n")
    pictures.budgets(results, pictures.LINES, OUTPUT / "budgets.png")
    with torch.inference_mode():
        pictures.examples(results, World(), OUTPUT / "examples.png")
    for wanted, title in report.WANTED.items():
        print(f"{title}\n{report.headline(results, wanted)}\n")
    print(f"More: {OUTPUT / 'report.md'}")


if __name__ == "__main__":
    main()
