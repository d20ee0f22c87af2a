"""How near LiDAR comes to the reward-tilted law where that law is known: `python3 dev.py python benchmarks/exact_worlds.py [--full]`.

Bias and standard deviation of the estimated move (sigma^2 times the gradient of the expected future reward), total variation
of guided samples to the tilted law, and what starting from the best lookaheads draws instead, on the mixtures of
exact/mixtures.py. One thread, no host. Prints Markdown and writes output/exact_worlds.json.
"""

import argparse
import json
import time
from pathlib import Path

import torch

from benchmarks.exact.mixtures import World
from benchmarks.exact.moves import measure_moves
from benchmarks.exact.samples import measure_samples
from benchmarks.exact.starts import measure_starts
from benchmarks.exact.tables import table

OUTPUT = Path(__file__).resolve().parent.parent / "output" / "exact_worlds.json"
DIMENSIONS = (2, 16, 256, 4096)
TYPICAL = 50  # lookaheads, where only one number of them is measured


def measure(full: bool) -> dict:
    """Return {"moves": rows, "samples": rows, "starts": rows, "full", "seconds" of processor time}; every row is a flat dict."""
    begun = time.process_time()
    sets = {8: 8, 16: 8, 50: 8, 200: 2, 400: 2} if full else {8: 4, 50: 4, 200: 2}  # for 2,048 samples each
    cases = [(World(dimension), count, False) for dimension in DIMENSIONS for count in sets]
    for dimension in (16, 4096):
        cases += [
            (World(dimension), TYPICAL, True),
            (World(dimension, linear=True), TYPICAL, False),
            (World(dimension, drowned=False), TYPICAL, False),
            (World(dimension, strength=30.0), TYPICAL, False),
        ]
    found = {"full": full, "moves": [], "samples": [], "starts": []}
    for seed, (world, count, drafts) in enumerate(cases):
        found["moves"] += measure_moves(world, count, drafts, sets=64, seed=seed)
        found["samples"] += measure_samples(world, count, drafts, sets=sets[count], samples=2048, seed=seed)
    for dimension in (16, 4096):
        for count in (16, 50, 200) if full else (50,):
            found["starts"] += measure_starts(World(dimension), count, sets=256 if full else 128, seed=count)
    return found | {"seconds": time.process_time() - begun}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--full", action="store_true", help="every number of lookaheads, and more sets of them")
    options = parser.parse_args()
    torch.set_num_threads(1)
    found = measure(options.full)
    OUTPUT.parent.mkdir(exist_ok=True)
    OUTPUT.write_text(json.dumps(found, indent=1), encoding="utf-8")
    print(table(found))


if __name__ == "__main__":
    main()
