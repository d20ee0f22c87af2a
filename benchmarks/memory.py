"""Peak memory of every method: `python3 dev.py python -m benchmarks.memory`. Each runs one prompt in a process of its own."""

import argparse
import subprocess
import sys

import comfy.cli_args
import torch

comfy.cli_args.args.cpu = True  # what is read is the memory of the process

ARMS = (
    "best of N, 4",
    "LiDAR, 8",
    "LiDAR, paper's form",
    "universal guidance",
    "text ascent",
    "Feynman-Kac, 8 particles",
)


def table() -> str:
    """Return Markdown: the peak of the process, and how far it lies above that of the loaded model."""
    lines = ["| method | peak, MiB | above the loaded model, MiB |", "|---|---|---|"]
    for arm in ARMS:
        command = [sys.executable, "-m", "benchmarks.memory", "--arm", arm]
        words = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
        before, after = (1024 * float(word) for word in words[-2:])
        lines.append(f"| {arm} | {after:.0f} | {after - before:.0f} |")
    return "\n".join(lines)


def _measure(arm: str) -> None:
    from . import arms
    from .demo_bench import held_out_prompts
    from .reward_cost import peak_gigabytes
    from .world import World

    world = World()
    ((number, prompt),) = held_out_prompts(1)
    task = world.task(prompt, number)
    world.sample(task, task.noise(1), world.sigmas(2), phase="warm-up")  # what every method needs is not its own
    before = peak_gigabytes()
    with torch.inference_mode():
        list(arms.ARMS[arm](world, task))
    print(before, peak_gigabytes())


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--arm")
    given = parser.parse_args().arm
    print(table()) if given is None else _measure(given)
