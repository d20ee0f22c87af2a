"""The bench's charts and example strip, as PNG files."""

from collections.abc import Iterable
from pathlib import Path
from textwrap import fill

import matplotlib
import numpy as np
from matplotlib import pyplot as plt
from matplotlib.ticker import FuncFormatter, NullLocator

from .bootstrap import estimate
from .funnel import price, run
from .plans import BEST_OF_N, BUDGETS, CEILING, OURS, plain
from .report import WANTED
from .results import Results
from .world import World, room

matplotlib.use("Agg")
RIGHT, WRONG = "#157f3b", "#b3151a"  # the frames' colours
LINES = (
    OURS,
    "drafts of 6 steps",
    "continuing",
    "resuming drafts of 6 steps",
    "weak drafts",
    "the distilled model's own pictures",
)
"""The ways that budgets.png shows; more would hide each other."""
COLOURS = {BEST_OF_N: "#444444", CEILING: "#bbbbbb"}


def budgets(results: Results, ways: Iterable[str], path: Path) -> None:
    """Referee and reward over the time, a line for every way, one image and four images wanted; the legend beside them."""
    figure, axes = plt.subplots(2, 2, figsize=(12, 7), sharex="col")
    for column, (wanted, title) in enumerate(WANTED.items()):
        for way in (BEST_OF_N, CEILING, *ways):
            points = [
                (price(funnel, results.prices), run(results.held_out, funnel, wanted))
                for budget in BUDGETS[wanted]
                if (funnel := results.plans[wanted, budget].get(way))
            ]
            for axis, what in zip(axes[:, column], ("correct", "reward"), strict=True):
                guesses = [estimate(getattr(kept, what)) for _, kept in points]
                axis.plot(
                    [x for x, _ in points], [g.mean for g in guesses], marker="o", markersize=4, lw=1.5, label=way,
                    color=COLOURS.get(way), ls="--" if way == CEILING else "-",
                )  # fmt: skip
        axes[0, column].set_title(title)
    unit = results.seconds["final"] + results.seconds["look"]
    for axis in axes.flat:
        axis.set_xscale("log")
        axis.xaxis.set_major_locator(plt.FixedLocator([1, 2, 4, 8, 16]))
        axis.xaxis.set_minor_locator(NullLocator())
        axis.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:g}\n{x * unit:.2g} s"))
        axis.tick_params(labelbottom=True)
        axis.grid(alpha=0.3)
    for axis, label in zip(axes[:, 0], ("referee: share of right images", "guiding reward"), strict=True):
        axis.set_ylabel(label)
    for axis in axes[1]:
        axis.set_xlabel("time in finished, scored pictures, and seconds of one CPU thread")
    figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="center left", bbox_to_anchor=(1.0, 0.5), frameon=False)
    figure.tight_layout()
    _write(figure, path)


def examples(results: Results, world: World, path: Path, count: int = 8) -> None:
    """Prompts that nobody chose, wins and failures alike: what best of N and choosing among distilled drafts hand out.

    A row a prompt, which stands to its left; the frame is the referee's verdict.
    """
    from .pool import prompts

    columns = {
        "plain\n(1)": plain(1),
        "best of 2\n(2)": plain(2),
        "best of 4\n(4)": plain(4),
        **{f"LiDAR\n({budget:g})": results.plans[1, budget][OURS] for budget in (1.25, 2.0, 4.0)},
    }
    judge, texts = (
        room("demo_model.referee").judge,
        {number: prompt.text for number, prompt in prompts("held-out", None)},
    )
    chosen = [number for number, _ in prompts("held-out", None) if number in results.numbers][:count]
    figure, axes = plt.subplots(
        len(chosen), len(columns), figsize=(1.2 * len(columns) + 1.7, 1.2 * len(chosen) + 0.9), squeeze=False
    )
    for line, number in zip(axes, chosen, strict=True):
        latents = results.pool.load("finals", "held-out", number)["latents"]
        for axis, funnel in zip(line, columns.values(), strict=True):
            row = _first_choice(results, funnel, results.numbers.index(number))
            image = world.decode(latents[row : row + 1], phase="pictures")[0].numpy()
            axis.set(xticks=[], yticks=[])
            axis.imshow(image)
            axis.spines[:].set(color=RIGHT if judge(image, texts[number]).correct else WRONG, linewidth=2.5)
        line[0].set_ylabel(fill(texts[number], 16), rotation=0, ha="right", va="center", labelpad=8, fontsize=9)
    for axis, title in zip(axes[0], columns, strict=True):
        axis.set_title(title, fontsize=9, pad=6)
    figure.text(0.01, 0.01, "Frame: green where the referee finds what the prompt says, red where not.", fontsize=8)
    figure.tight_layout(rect=(0, 0.03, 1, 1), h_pad=0.7, w_pad=0.5)
    _write(figure, path)


def _first_choice(results: Results, funnel, prompt: int) -> int:
    """The row that a funnel over the first rows hands out."""
    rows = np.arange(funnel[0].count)
    for (kind, _), keep in zip(funnel, [*(stage.count for stage in funnel[1:]), 1], strict=True):
        rows = rows[np.argsort(-results.held_out[kind].judged[prompt, rows], kind="stable")[:keep]]
    return int(rows[0])


def _write(figure, path: Path) -> None:
    figure.savefig(path, dpi=110, bbox_inches="tight")
    plt.close(figure)
