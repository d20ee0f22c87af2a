"""The honest bench: `python3 dev.py bench`, a quick run of minutes, or `--full`, which docs/benchmarks.md shows.

Rivals and LiDAR on the demo model's held-out prompts (demo_bench.py), LiDAR's own scaling (sweeps.py), closed-form worlds
(exact_worlds.py) and the solver's speed (solver_speed.py). Writes output/bench/: the rows, report.md and the pictures.
Stopped, it goes on where it was; --fresh begins anew.
"""

import argparse
import shutil
import subprocess
import sys
from pathlib import Path

import torch
from comfy.cli_args import args as host_options

host_options.cpu = True  # before anything else of the host is imported; what is measured is processor time

OUTPUT = Path(__file__).resolve().parent.parent / "output" / "bench"


def main() -> None:
    parser = argparse.ArgumentParser(prog="dev.py bench", description=__doc__.splitlines()[0])
    parser.add_argument("--full", action="store_true", help="all held-out prompts: two hours or more of processor time")
    parser.add_argument(
        "--fresh", action="store_true", help="forget the rows of an earlier run, as is needed after a change"
    )
    parser.add_argument("--workers", type=int, default=1, help="processes that share the prompts (default: 1)")
    parser.add_argument("--prompts", type=int, help="how many held-out prompts (default: 12, with --full all)")
    parser.add_argument("--shard", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--only-report", action="store_true", help="run nothing, make report and pictures of the rows")
    options = parser.parse_args()
    if options.fresh and options.shard is None:
        shutil.rmtree(OUTPUT, ignore_errors=True)
    OUTPUT.mkdir(parents=True, exist_ok=True)
    if options.shard is not None:
        return run_shard(options)
    if not options.only_report:
        arguments = [word for word in sys.argv[1:] if word != "--fresh"]
        command = [sys.executable, "-m", "benchmarks.run", *arguments, "--shard"]
        workers = [subprocess.Popen([*command, str(shard)]) for shard in range(options.workers)]
        if any([worker.wait() for worker in workers]):
            sys.exit("A worker of the bench has failed, see above; the rows so far are kept.")
        measure_the_solver(options.full)
    from . import report

    print(report.write(OUTPUT))


def measure_the_solver(full: bool) -> None:
    """What needs no prompts: exact worlds, the solver's speed, every method's memory."""
    from . import exact_worlds, memory, solver_speed

    torch.set_num_threads(1)
    for name, table in (
        ("exact_worlds", lambda: exact_worlds.table(exact_worlds.measure(full))),
        ("solver_speed", lambda: solver_speed.table(solver_speed.measure())),
        ("memory", memory.table),
    ):
        print(f"measuring: {name}", file=sys.stderr, flush=True)
        (OUTPUT / f"{name}.md").write_text(table() + "\n")


def run_shard(options: argparse.Namespace) -> None:
    """The prompts of one worker."""
    import comfy.utils

    from . import arms, demo_bench, ess, sweeps
    from .world import World

    comfy.utils.set_progress_bar_enabled(False)
    world = World()
    prompts = demo_bench.held_out_prompts(options.prompts or (None if options.full else 12))
    mine = prompts[options.shard :: options.workers]
    rows, sweep_rows, pictures = (
        OUTPUT / name for name in (f"rows.{options.shard}", f"sweeps.{options.shard}", "images")
    )
    pictures.mkdir(exist_ok=True)
    with torch.inference_mode():
        for position, (number, prompt) in enumerate(mine):
            # What takes long runs on fewer prompts, spread over the run, so that one stopped early holds some of each
            some = arms.ALWAYS | arms.SLOW if position % 4 == 0 else arms.ALWAYS
            demo_bench.run(world, some, number, prompt, rows, images=pictures / f"{number}.pt")
            if position % 16 == 0:
                demo_bench.run(world, sweeps.arms(), number, prompt, sweep_rows)
            print(f"worker {options.shard}: {position + 1}/{len(mine)} prompts", file=sys.stderr, flush=True)
        if options.shard == 0:
            torch.save(ess.measure(world, mine[:4]), OUTPUT / "ess.pt")


if __name__ == "__main__":
    main()
