"""The bench's rows as they were kept, and what is read from one: values and seconds. report.py and pictures.py stand on it."""

from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from .arms import Arm
from .demo_bench import read

BUDGETS = (4, 8, 16, 32)
BEST_OF_N = {budget: f"best of N, {budget}" for budget in BUDGETS}
LIDAR = {
    "one": {4: "LiDAR (one wanted)", 8: "LiDAR, 8", 16: "LiDAR, 16", 32: "LiDAR, 32"},
    "four": {4: "LiDAR (four wanted)", 8: "LiDAR, 8", 16: "LiDAR, 16", 32: "LiDAR, 32"},
}
Rows = dict[tuple[str, int], dict[str, dict]]
"""(arm, budget) -> prompt -> row."""


def load(folder: Path, name: str, arms: Mapping[str, Arm]) -> Rows:
    """Return the rows of these arms from all workers' files."""
    rows = defaultdict(dict)
    for path in sorted(folder.glob(f"{name}.[0-9]*")):
        for row in read(path, arms):
            rows[row["arm"], row["budget"]][row["prompt"]] = row
    return dict(rows)


def in_common(rows: Rows) -> Rows:
    """Return the rows of the prompts that every arm has."""
    shared = set.intersection(*(set(found) for found in rows.values())) if rows else set()
    return {key: {prompt: found[prompt] for prompt in shared} for key, found in rows.items()} if shared else {}


def value(row: dict, what: str, wanted: str) -> float:
    """Return "correct", "reward" or a held-out reward of the best image ("one") or the mean of the four best."""
    values = row["held_out"][what] if what in row["held_out"] else row[what]
    return float(values[0] if wanted == "one" else np.mean(values))


def seconds(row: dict) -> float:
    """Return all seconds of a row."""
    return sum(row["cost"]["seconds"].values())
