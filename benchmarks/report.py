"""The bench's tables, in Markdown: choosing among seeds, steering, the rivals, and what everything costs."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from lidar_core.expected_gain import expected_gain

from .bootstrap import estimate
from .funnel import RESUMED, Funnel, Kept, Stage, Table, price, read, run, spearman
from .plans import BEST_OF_N, BUDGETS, CEILING, OURS, WAYS, WEAK_WAYS, Prices, chosen, in_words, plain
from .pool import PARTS, Pool
from .steered import ARMS, RIVALS

WANTED = {1: "One image wanted", 4: "Four images wanted"}


@dataclass(frozen=True)
class Results:
    """Everything that was measured."""

    pool: Pool
    seconds: Mapping[str, float]
    """Of a picture of every kind, from costs.py."""

    @cached_property
    def numbers(self) -> list[int]:
        """Held-out prompts that have all parts."""
        return self._common("held-out", (*PARTS, *ARMS))

    @cached_property
    def training(self) -> Table:
        return read(self.pool, "training", self._common("training", PARTS))

    @cached_property
    def held_out(self) -> Table:
        return read(self.pool, "held-out", self.numbers)

    @cached_property
    def prices(self) -> Prices:
        """In finished, scored pictures."""
        unit = self.seconds["final"] + self.seconds["look"]
        return {kind: each / unit for kind, each in self.seconds.items()}

    @cached_property
    def plans(self) -> dict[tuple[int, float], dict[str, Funnel]]:
        """What is compared, by images wanted and budget: best of N, the ceiling, and every way as training prompts choose it."""
        return {
            (wanted, budget): {BEST_OF_N: plain(budget), CEILING: plain(budget, "referee")}
            | chosen(self.training, self.prices, budget, wanted)
            for wanted, budgets in BUDGETS.items()
            for budget in budgets
        }

    def arm(self, name: str, numbers: Iterable[int]) -> list[dict]:
        """Return an arm's pictures of these prompts."""
        return [self.pool.load(name, "held-out", number) for number in numbers]

    def _common(self, split: str, names: Iterable[str]) -> list[int]:
        return sorted(set.intersection(*(self.pool.numbers(name, split) for name in names)))


def headline(results: Results, wanted: int) -> str:
    """LiDAR beside best of N at every budget."""
    lines = []
    for budget in BUDGETS[wanted]:
        base, ours = (results.plans[wanted, budget][way] for way in (BEST_OF_N, OURS))
        before, after = (run(results.held_out, funnel, wanted) for funnel in (base, ours))
        gains = _gains(after, before)
        lines.append(
            [f"{budget:g}", str(base[0].count), in_words(ours), f"{price(ours, results.prices):.2f}"]
            + [
                _mean(before.correct),
                _mean(after.correct),
                gains[0],
                _mean(before.reward),
                _mean(after.reward),
                gains[1],
            ]
        )
    return markdown(
        "budget | best of | LiDAR draws | time | referee, best of N | LiDAR | gain | reward, best of N | LiDAR | gain",
        lines,
    )


def choosing(results: Results, wanted: int, ways: Iterable[str]) -> str:
    """Ways at every budget, beside best of N: what each draws, what that takes and gives, and the rule's prediction."""
    lines = []
    for budget in BUDGETS[wanted]:
        every = results.plans[wanted, budget]
        compared = {way: every[way] for way in (BEST_OF_N, *ways) if way in every}
        base = run(results.held_out, compared[BEST_OF_N], wanted)
        for way, funnel in compared.items():
            kept = run(results.held_out, funnel, wanted)
            took = price(funnel, results.prices)
            rho, rule = _rule(results.held_out, funnel, wanted)
            gains = ["", ""] if way == BEST_OF_N else _gains(kept, base)
            lines.append(
                [
                    f"{budget:g}",
                    way,
                    in_words(funnel),
                    f"{took:.2f}",
                    _mean(kept.correct),
                    gains[0],
                    _mean(kept.reward),
                    gains[1],
                ]
                + [rho, f"{_in_spreads(results.held_out, kept):.2f}", rule]
            )
    head = "budget | way | what it draws | time | referee | over best of N | reward | over best of N | rho | gain in spreads | by the rule"
    return markdown(head, lines)


def foretelling(results: Results) -> str:
    """How well each kind of draft foretells the finished picture, and what it costs."""
    lines = []
    for kind in results.held_out:
        if kind in ("final", "referee", RESUMED):
            continue
        rho = estimate(spearman(results.held_out, kind))
        took = price((Stage(kind, 1),), results.prices)
        right = results.held_out[kind].correct.mean()
        lines.append([kind, rho.text(), f"{took:.3f}", "" if np.isnan(right) else f"{right:.3f}"])
    return markdown(
        "kind | rho within a prompt | time, decode and score included | referee on the drafts themselves", lines
    )


def steering(results: Results) -> str:
    """What steering adds to its start: the same noise or state without guidance is in the pool."""
    lines = []
    for name, arm in ARMS.items():
        each = results.arm(name, results.numbers)
        table = results.held_out["final"]
        start = [(table.correct[i][e["rows"]], table.reward[i][e["rows"]]) for i, e in enumerate(each)]
        after = [(e["correct"].numpy().astype(float), e["reward"].numpy()) for e in each]
        cells = [name, f"{price(arm.funnel, results.prices):.2f}"]
        for what in range(2):
            before, now = (np.array([pair[what] for pair in pairs]) for pairs in (start, after))
            best = [_best_by_reward(pairs, what) for pairs in (start, after)]
            cells += [f"{before.mean():.3f}", f"{now.mean():.3f}", (estimate((now - before).mean(axis=1))).text("+")]
            cells += [estimate(now[:, 0] - before[:, 0]).text("+"), estimate(best[1] - best[0]).text("+")]
        lines.append(cells)
    return markdown(
        "steering | time | referee, start | steered | gain, all | first | best by reward "
        "| reward, start | steered | gain, all | first | best by reward",
        lines,
    )


def _best_by_reward(pairs, what: int) -> np.ndarray:
    return np.array([pair[what][pair[1].argmax()] for pair in pairs])


def gradients(results: Results) -> str:
    """The rivals that run slowly, on the prompts that have them: four images, and the time over four plain ones."""
    lines = []
    shared = sorted(set(results.numbers).intersection(*(results.pool.numbers(name, "held-out") for name in RIVALS)))
    where = [results.numbers.index(number) for number in shared]
    unguided = results.held_out["final"]
    rows = [(unguided.correct[i][:4], unguided.reward[i][:4]) for i in where]
    lines.append(["plain", *_four(rows), "4.00", ""])
    for name, arm in {**RIVALS, **ARMS}.items():
        found = [(e["correct"].numpy().astype(float), e["reward"].numpy()) for e in results.arm(name, shared)]
        # The best four of eight, by the reward
        rows = [(c[o], r[o]) for c, r in found for o in [np.argsort(-r, kind="stable")[:4]]]
        took = price(arm.funnel, results.prices)
        lines.append([name, *_four(rows), f"{took:.2f}", f"{took - 4:+.2f}"])
    return markdown(
        f"{len(shared)} prompts | referee of four | reward of four | time | over four plain pictures", lines
    )


def _four(rows) -> list[str]:
    return [estimate([row[what].mean() for row in rows]).text() for what in range(2)]


def costs(results: Results) -> str:
    """Seconds and shares of a finished, scored picture."""
    return markdown(
        "one picture | processor seconds | finished pictures",
        [[kind, f"{seconds:.4f}", f"{results.prices[kind]:.3f}"] for kind, seconds in results.seconds.items()],
    )


def markdown(head: str, lines: Iterable[list[str]]) -> str:
    """Return a table; head: its columns, parted by " | "."""
    rows = [head, "|".join(["---"] * len(head.split(" | "))), *(" | ".join(line) for line in lines)]
    return "\n".join(f"| {row} |" if "---" not in row else f"|{row}|" for row in rows)


def write(results: Results) -> str:
    """Return report.md."""
    parts = {
        **{f"{title}: LiDAR and best of N": headline(results, wanted) for wanted, title in WANTED.items()},
        "How well drafts foretell": foretelling(results),
        **{f"{title}: every way": choosing(results, wanted, (CEILING, *WAYS)) for wanted, title in WANTED.items()},
        **{f"{title}: weak drafts": choosing(results, wanted, WEAK_WAYS) for wanted, title in WANTED.items()},
        "What steering adds": steering(results),
        "Rivals": gradients(results),
        "Costs": costs(results),
    }
    return "\n\n".join(
        [f"{len(results.numbers)} held-out prompts", *(f"## {title}\n\n{body}" for title, body in parts.items())]
    )


def _rule(table: Table, funnel: Funnel, wanted: int) -> tuple[str, str]:
    """rho of the first judgement as text, and the gain that two normal scores of that rho would have."""
    first = funnel[0]
    if first.kind == "referee":
        return "", ""
    if len(funnel) == 1 and first.kind == "final":
        return "", f"{expected_gain(1.0, first.count, first.count, wanted):.2f}"
    rho = float(spearman(table, first.kind).mean())
    if len(funnel) != 2:
        return f"{rho:.2f}", ""
    pearson = 2 * np.sin(np.pi / 6 * rho)
    return f"{rho:.2f}", f"{expected_gain(pearson, first.count, funnel[1].count, wanted):.2f}"


def _in_spreads(table: Table, kept: Kept) -> float:
    reward = table["final"].reward
    return float(((kept.reward - reward.mean(axis=1)) / reward.std(axis=1)).mean())


def _gains(kept: Kept, base: Kept) -> list[str]:
    return [estimate(after - before).text("+") for after, before in zip(kept, base, strict=True)]


def _mean(values: np.ndarray) -> str:
    return f"{values.mean():.3f}"
