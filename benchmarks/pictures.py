"""The bench's charts and example strip, as PNG files."""

import re
from pathlib import Path

import matplotlib
import numpy as np
import torch

matplotlib.use("Agg")
from matplotlib import pyplot as plt  # noqa: E402


def draw(folder: Path, rows: dict, sweeps: dict) -> None:
    """Draw budgets.png, settings.png, ess.png and examples.png into `folder`, as far as there are rows for them."""
    budgets(rows, folder / "budgets.png")
    settings(sweeps, folder / "settings.png")
    ess_path = folder / "ess.pt"
    if ess_path.exists():
        ess(torch.load(ess_path), folder / "ess.png")
    examples(sorted((folder / "images").glob("*.pt")), folder / "examples.png")


def budgets(rows: dict, path: Path) -> None:
    """Referee accuracy and reward over seconds, a line for every method, one image and four images wanted."""
    from . import report

    lines = {
        "best of N": {budget: (name, budget) for budget, name in report.BEST_OF_N.items()},
        "best of N, 8 steps": {budget: ("best of N, 8 steps", budget) for budget in (4, 8)},
        "LiDAR": {},
        "LiDAR, paper's form": {8: ("LiDAR, paper's form", 8)},
        "Feynman-Kac": {4: ("Feynman-Kac, 4 particles", 4), 8: ("Feynman-Kac, 8 particles", 8)},
        "universal guidance": {8: ("universal guidance", 8)},
        "text ascent": {8: ("text ascent", 8)},
    }
    figure, axes = plt.subplots(2, 2, figsize=(11, 8), sharex=True)
    for column, wanted in enumerate(("one", "four")):
        lines["LiDAR"] = {budget: (name, budget) for budget, name in report.LIDAR[wanted].items()}
        for row, what in enumerate(("correct", "reward")):
            axis = axes[row, column]
            for name, points in lines.items():
                found = [list(rows[key].values()) for key in points.values() if key in rows]
                if not found:
                    continue
                x = [np.mean([report.seconds(each) for each in group]) for group in found]
                guesses = [report.estimate([report.value(each, what, wanted) for each in group]) for group in found]
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
    from . import report, sweeps

    if (sweeps.BASE, 0) not in rows:
        return
    unchanged = list(rows[sweeps.BASE, 0].values())
    found = {name: {value: unchanged} for name, value in sweeps.own_values().items()}
    for (arm, _), group in rows.items():
        if match := re.fullmatch(r"(\w+) = ([\d.]+)", arm):
            found[match[1]][float(match[2])] = list(group.values())
    figure, axes = plt.subplots(2, len(found), figsize=(3 * len(found), 6), sharey="row", squeeze=False)
    for column, (name, points) in enumerate(sorted(found.items())):
        for row, what in enumerate(("correct", "reward")):
            x = sorted(points)
            y = [np.mean([report.value(each, what, "four") for each in points[at]]) for at in x]
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
    """Prompts that nobody chose, wins and failures alike: the best image of each method at the time of eight."""
    if not files:
        return
    names = ["best of N, 8", "best of N, 8 steps", "LiDAR, paper's form", "LiDAR, 8"]
    files = files[:count]
    figure, axes = plt.subplots(len(files), len(names), figsize=(2 * len(names), 2.1 * len(files)), squeeze=False)
    for number, (line, file) in enumerate(zip(axes, files, strict=True)):
        kept = torch.load(file)
        for axis, name in zip(line, names, strict=True):
            axis.axis("off")
            if name in kept["images"]:
                images, scores = kept["images"][name]
                axis.imshow(images[int(scores.argmax())].numpy())
            if number == 0:
                axis.set_title(name, fontsize=8)
        line[0].text(0, -3, kept["prompt"], fontsize=7)
    _save(figure, path)


def _save(figure, path: Path) -> None:
    figure.tight_layout()
    figure.savefig(path, dpi=110)
    plt.close(figure)
