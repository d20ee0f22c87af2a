"""The bench's rows as tables, in Markdown; `write` adds the pictures and the other benchmarks' tables."""

import platform
from pathlib import Path

import numpy as np

from . import pictures
from . import sweeps as settings
from .arms import ARMS
from .bootstrap import estimate
from .demo_bench import HELD_OUT
from .rows import BEST_OF_N, BUDGETS, LIDAR, Rows, in_common, load, seconds, value


def against_best_of_n(rows: Rows, wanted: str) -> str:
    """LiDAR and best of N at every budget, paired over the prompts that both have."""
    lines = [
        "| budget | prompts | seconds, best of N | LiDAR | referee, best of N | LiDAR | gain | reward, best of N | LiDAR | gain |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for budget in BUDGETS:
        a, b = rows.get((BEST_OF_N[budget], budget), {}), rows.get((LIDAR[wanted][budget], budget), {})
        both = sorted(a.keys() & b.keys())
        if not both:
            continue
        cells = [str(budget), str(len(both)), *(f"{np.mean([seconds(r[p]) for p in both]):.2f}" for r in (a, b))]
        for what in ("correct", "reward"):
            before, after = (np.array([value(r[p], what, wanted) for p in both]) for r in (a, b))
            cells += [f"{before.mean():.3f}", f"{after.mean():.3f}", estimate(after - before).text("+")]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def methods(rows: Rows) -> str:
    """Every arm: what it costs and what it gives."""
    lines = [
        "| method | budget | prompts | seconds | evaluations | gradients | decodes | reward calls | one: referee | one: reward "
        "| four: referee | four: reward | four: distance |",
        "|---|---|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    for (arm, budget), found in sorted(rows.items(), key=lambda item: (item[0][1], item[0][0])):
        each = list(found.values())
        mean = {
            key: np.mean([row["cost"][key] for row in each])
            for key in ("evaluations", "backward", "decodes", "rewards")
        }
        cells = [arm, str(budget), str(len(each)), f"{np.mean([seconds(row) for row in each]):.2f}"]
        cells += [f"{number:.0f}" for number in mean.values()]
        for wanted in ("one", "four"):
            if wanted == "four" and each[0]["images"] < 4:
                cells += ["", "", ""]
                continue
            cells += [estimate([value(row, "correct", wanted) for row in each]).text()]
            cells += [f"{np.mean([value(row, 'reward', wanted) for row in each]):.3f}"]
            if wanted == "four":
                cells += [f"{np.mean([row['distance'] for row in each]):.2f}"]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def kinds(rows: Rows, budget: int = 8) -> str:
    """Referee accuracy of four images by kind of prompt."""
    names = {
        "vanilla": (BEST_OF_N[4], 4),
        "best of N": (BEST_OF_N[budget], budget),
        "LiDAR": (LIDAR["four"][budget], budget),
    }
    found = {name: rows.get(key, {}) for name, key in names.items()}
    both = set.intersection(*(set(each) for each in found.values()))
    lines = [f"| kind | prompts | {' | '.join(names)} |", "|---|---|" + "---|" * len(names)]
    for kind in sorted({found["LiDAR"][prompt]["kind"] for prompt in both}):
        of = [prompt for prompt in both if found["LiDAR"][prompt]["kind"] == kind]
        cells = [f"{np.mean([value(each[prompt], 'correct', 'four') for prompt in of]):.2f}" for each in found.values()]
        lines.append(f"| {kind} | {len(of)} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def held_out(rows: Rows, budget: int = 8) -> str:
    """What every reward that did not guide does from vanilla to LiDAR, four images."""
    vanilla, arms = rows.get((BEST_OF_N[4], 4), {}), (LIDAR["four"][budget], "LiDAR, paper's form")
    found = [rows.get((arm, budget), {}) for arm in arms]
    both = sorted(vanilla.keys() & found[0].keys() & found[1].keys())
    lines = [f"| {len(both)} prompts | vanilla | LiDAR | change | paper's form | change |", "|---|---|---|---|---|---|"]
    for what, name in (("reward", "guiding reward"), ("correct", "referee"), *((each, each) for each in HELD_OUT)):
        before, *after = (np.array([value(r[p], what, "four") for p in both]) for r in (vanilla, *found))
        cells = [f"{each.mean():.4g} | {estimate(each - before).text('+')}" for each in after]
        lines.append(f"| {name} | {before.mean():.4g} | {' | '.join(cells)} |")
    return "\n".join(lines)


def sweeps(rows: Rows) -> str:
    """LiDAR with one setting changed from the preset demo, all on the same few prompts."""
    lines = [
        "| setting | prompts | seconds | one: referee | one: reward | four: referee | four: reward | four: distance |"
    ]
    lines.append("|---|---|---|---|---|---|---|---|")
    for (arm, _), found in sorted(rows.items()):
        each = list(found.values())
        cells = [arm, str(len(each)), f"{np.mean([seconds(row) for row in each]):.2f}"]
        for wanted in ("one", "four"):
            cells += [f"{np.mean([value(row, what, wanted) for row in each]):.3f}" for what in ("correct", "reward")]
        lines.append("| " + " | ".join([*cells, f"{np.mean([row['distance'] for row in each]):.2f}"]) + " |")
    return "\n".join(lines)


def gradients(rows: Rows) -> str:
    """The gradient methods' mean reward of four images, and the first LiDAR budget that reaches it."""
    lines = [
        "| gradient method | prompts | reward of four | seconds | LiDAR budget | reward of four | seconds | ratio of times |"
    ]
    lines.append("|---|---|---|---|---|---|---|---|")
    for arm in ("universal guidance", "text ascent"):
        rival = rows.get((arm, 8), {})
        for budget in BUDGETS:
            ours = rows.get((LIDAR["four"][budget], budget), {})
            both = rival.keys() & ours.keys()
            if not both:
                continue
            reward, cost = ([np.mean([f(r[p]) for p in both]) for r in (rival, ours)] for f in (_four_reward, seconds))
            if reward[1] >= reward[0] or budget == BUDGETS[-1]:
                reached = "" if reward[1] >= reward[0] else " (not reached)"
                lines.append(
                    f"| {arm} | {len(both)} | {reward[0]:.3f} | {cost[0]:.2f} | {budget}{reached} | {reward[1]:.3f} | {cost[1]:.2f} "
                    f"| {cost[0] / cost[1]:.1f} |"
                )
                break
    return "\n".join(lines)


def _four_reward(row: dict) -> float:
    return value(row, "reward", "four")


def write(folder: Path) -> str:
    """Write report.md and the pictures into `folder`; return the short table for the end of a run."""
    rows, changed = load(folder, "rows", ARMS), in_common(load(folder, "sweeps", settings.arms()))
    one, four = against_best_of_n(rows, "one"), against_best_of_n(rows, "four")
    parts = {
        "Four images wanted: LiDAR and best of N": four,
        "One image wanted": one,
        "All methods": methods(rows),
        "By kind of prompt, four images": kinds(rows),
        "Rewards that did not guide": held_out(rows),
        "Gradient guidance": gradients(rows),
        "Settings": sweeps(changed),
    }
    for name in ("exact_worlds", "solver_speed", "memory"):
        path = folder / f"{name}.md"
        if path.exists():
            parts[name.replace("_", " ").capitalize()] = path.read_text().strip()
    machine = f"{platform.processor() or platform.machine()}, one thread a worker, Python {platform.python_version()}"
    text = "\n\n".join([f"Machine: {machine}", *(f"## {title}\n\n{body}" for title, body in parts.items())])
    (folder / "report.md").write_text(text + "\n")
    pictures.draw(folder, rows, changed)
    return f"Four images wanted\n{four}\n\nOne image wanted\n{one}\n\nMore: {folder / 'report.md'}"
