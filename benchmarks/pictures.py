"""The bench's charts and example strip, as PNG files."""

import re
from pathlib import Path
from textwrap import fill

import matplotlib
import numpy as np
import torch
from matplotlib import pyplot as plt

from demo_model.referee import judge

from . import sweeps
from .bootstrap import estimate
from .rows import BEST_OF_N, LIDAR, seconds, value

matplotlib.use("Agg")
RIGHT, WRONG = "#157f3b", "#b3151a"  # the frames' colours


def draw(folder: Path, rows: dict, changed: dict) -> None:
    """Draw budgets.png, settings.png, ess.png and examples.png into `folder`, as far as there are rows for them."""
    budgets(rows, folder / "budgets.png")
    settings(changed, folder / "settings.png")
    ess_path = folder / "ess.pt"
    if ess_path.exists():
        ess(torch.load(ess_path), folder / "ess.png")
    examples(sorted((folder / "images").glob("*.pt")), folder / "examples.png")


def budgets(rows: dict, path: Path) -> None:
    """Referee accuracy and reward over seconds, a line for every method, one image and four images wanted."""
    lines = {
        "best of N": {budget: (name, budget) for budget, name in BEST_OF_N.items()},
        "best of N, 8 steps": {budget: ("best of N, 8 steps", budget) for budget in (4, 8)},
        "LiDAR": {},
        "LiDAR, paper's form": {8: ("LiDAR, paper's form", 8)},
        "Feynman-Kac": {4: ("Feynman-Kac, 4 particles", 4), 8: ("Feynman-Kac, 8 particles", 8)},
        "universal guidance": {8: ("universal guidance", 8)},
        "text ascent": {8: ("text ascent", 8)},
    }
    figure, axes = plt.subplots(2, 2, figsize=(11, 8), sharex=True)
    for column, wanted in enumerate(("one", "four")):
        lines["LiDAR"] = {budget: (name, budget) for budget, name in LIDAR[wanted].items()}
        for row, what in enumerate(("correct", "reward")):
            axis = axes[row, column]
            for name, points in lines.items():
                found = [list(rows[key].values()) for key in points.values() if key in rows]
                if not found:
                    continue
                x = [np.mean([seconds(each) for each in group]) for group in found]
                guesses = [estimate([value(each, what, wanted) for each in group]) for group in found]
                spread = [[g.mean - g.low for g in guesses], [g.high - g.mean for g in guesses]]
                axis.errorbar(x, [g.mean for g in guesses], spread, marker="o", capsize=3, label=name, lw=1.5)
            axis.set_xscale("log")
            axis.set_ylabel({"correct": "referee accuracy", "reward": "guiding reward"}[what])
            axis.set_title(f"{wanted} wanted")
            axis.grid(alpha=0.3)
    for axis in axes[1]:
        axis.set_xlabel("seconds a prompt, one CPU thread")
    axes[0, 0].legend(fontsize=8)
    _save(figure, path)


def settings(rows: dict, path: Path) -> None:
    """Referee accuracy and reward of four images over each setting that was changed alone."""
    if (sweeps.BASE, 0) not in rows:
        return
    unchanged = list(rows[sweeps.BASE, 0].values())
    found = {name: {own: unchanged} for name, own in sweeps.own_values().items()}
    for (arm, _), group in rows.items():
        if match := re.fullmatch(r"(\w+) = ([\d.]+)", arm):
            found[match[1]][float(match[2])] = list(group.values())
    figure, axes = plt.subplots(2, len(found), figsize=(3 * len(found), 6), sharey="row", squeeze=False)
    for column, (name, points) in enumerate(sorted(found.items())):
        for row, what in enumerate(("correct", "reward")):
            x = sorted(points)
            y = [np.mean([value(each, what, "four") for each in points[at]]) for at in x]
            axes[row, column].plot([str(f"{at:g}") for at in x], y, marker="o")
            axes[row, column].grid(alpha=0.3)
        axes[1, column].set_xlabel(name)
    axes[0, 0].set_ylabel("referee accuracy")
    axes[1, 0].set_ylabel("guiding reward")
    _save(figure, path)


def ess(curves: dict, path: Path) -> None:
    """Effective sample sizes over the noise level: name -> (sigmas, ess, tilted ess), each (steps,)."""
    figure, axis = plt.subplots(figsize=(7, 4.5))
    for name, (sigmas, plain, tilted) in curves.items():
        (line,) = axis.plot(sigmas, plain, marker="o", label=f"{name}: by nearness")
        axis.plot(sigmas, tilted, marker="x", ls="--", color=line.get_color(), label=f"{name}: by nearness and reward")
    axis.set_xscale("log")
    axis.invert_xaxis()
    axis.set_xlabel("sigma, from the first step to the last")
    axis.set_ylabel("effective sample size of the lookaheads")
    axis.legend(fontsize=8)
    axis.grid(alpha=0.3)
    _save(figure, path)


def examples(files: list[Path], path: Path, count: int = 8) -> None:
    """Prompts that nobody chose, wins and failures alike: the best image of each method at the time of eight.

    A row a prompt, which stands to its left; the frame is the referee's verdict.
    """
    if not files:
        return
    names = ("best of N, 8", "best of N, 8 steps", "LiDAR, paper's form", "LiDAR, 8")
    files = files[:count]
    figure, axes = plt.subplots(
        len(files), len(names), figsize=(1.2 * len(names) + 1.7, 1.2 * len(files) + 0.9), squeeze=False
    )
    for line, file in zip(axes, files, strict=True):
        kept = torch.load(file)
        for axis, name in zip(line, names, strict=True):
            axis.set(xticks=[], yticks=[])
            if name not in kept["images"]:
                axis.spines[:].set_visible(False)
                continue
            images, scores = kept["images"][name]
            best = images[int(scores.argmax())].numpy()
            axis.imshow(best)
            axis.spines[:].set(color=RIGHT if judge(best, kept["prompt"]).correct else WRONG, linewidth=2.5)
        line[0].set_ylabel(fill(kept["prompt"], 16), rotation=0, ha="right", va="center", labelpad=8, fontsize=9)
    for axis, name in zip(axes[0], names, strict=True):
        axis.set_title(fill(name, 14), fontsize=9, pad=6)
    figure.text(0.01, 0.01, "Frame: green where the referee finds what the prompt says, red where not.", fontsize=8)
    figure.tight_layout(rect=(0, 0.03, 1, 1), h_pad=0.7, w_pad=0.5)
    _write(figure, path)


def _save(figure, path: Path) -> None:
    figure.tight_layout()
    _write(figure, path)


def _write(figure, path: Path) -> None:
    figure.savefig(path, dpi=110)
    plt.close(figure)
