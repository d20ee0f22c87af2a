"""The bench's tables, in Markdown: choosing among seeds, steering, the rivals, and what everything costs."""

from collections.abc import Callable, Iterable

import numpy as np
import torch

from lidar_core.expected_gain import expected_gain

from .bootstrap import estimate
from .funnel import DEAR, RESUMED, Funnel, Kept, Stage, Table, price, run
from .plans import (
    BEST_OF_N,
    BUDGETS,
    CEILING,
    DEAR_DRAFTS,
    OURS,
    WAYS,
    WEAK_WAYS,
    in_words,
    kind_in_words,
)
from .pool import prompts
from .results import Results
from .steered import ARMS, BLENDED, BLENDED_8, BLENDED_ONE, BLENDED_ONE_2, DEMO, RIVALS, SHORT_BLENDED
from .world import room

WANTED = {1: "One image wanted", 4: "Four images wanted"}
STEERED_AT = {
    (1, 1.25): BLENDED_ONE, (1, 2.0): BLENDED_ONE_2, (4, 4.0): SHORT_BLENDED, (4, 4.6): BLENDED, (4, 8.0): BLENDED_8,
}  # fmt: skip
"""Where LiDAR steers, by images wanted and budget: not where one of several finals is kept."""


def headline(results: Results, wanted: int) -> str:
    """LiDAR beside best of N at every budget: choosing among distilled drafts, and steered where that is measured."""
    lines = []
    for budget in BUDGETS[wanted]:
        plans = results.plans[wanted, budget]
        prompts, base = slice(None), run(results.held_out, plans[BEST_OF_N], wanted)
        if arm := STEERED_AT.get((wanted, budget)):
            funnel, found = ARMS[arm].funnel, results.arm(arm)
            prompts, start = found.prompts, results.start(found).best(wanted)
            # Choosing alone, as the mean over many sets of rows, and what steering adds to the one set that it was run on
            chosen = run(results.held_out, (funnel[0], Stage("final", funnel[-1].count)), wanted)
            steered = zip(chosen, found.best(wanted), start, strict=True)
            after = Kept(*(mean[prompts] + now - before for mean, now, before in steered))
        else:
            funnel, after = plans[OURS], run(results.held_out, plans[OURS], wanted)
        base = Kept(*(each[prompts] for each in base))
        added = [estimate(now - before).text("+") for now, before in zip(after, base, strict=True)]
        lines.append(
            [f"{budget:g}", str(len(after.reward)), in_words(plans[BEST_OF_N]), in_words(funnel)]
            + [f"{price(funnel, results.prices):.2f}", _mean(base.correct), _mean(after.correct), added[0]]
            + [_mean(base.reward), _mean(after.reward), added[1]]
        )
    return markdown(
        "budget | prompts | best of N | LiDAR draws | time | referee, best of N | LiDAR | gain "
        "| reward, best of N | LiDAR | gain",
        lines,
    )


def gains(results: Results, wanted: int, ways: Iterable[str]) -> str:
    """What every way gains over best of N at every budget: the referee with its interval / the reward."""

    def cell(way: str, budget: float) -> str:
        plans = results.plans[wanted, budget]
        kept, base = (run(results.held_out, plans[each], wanted) for each in (way, BEST_OF_N))
        if way == BEST_OF_N:
            return f"{base.correct.mean():.3f} / {base.reward.mean():.3f}"
        return f"{estimate(kept.correct - base.correct).text('+')} / {(kept.reward - base.reward).mean():+.3f}"

    return _by_budget(results, wanted, ways, "over best of N: referee / reward", cell)


def draws(results: Results, wanted: int, ways: Iterable[str]) -> str:
    """What every way draws at every budget; the time that this takes; rho of its first judgement."""

    def cell(way: str, budget: float) -> str:
        funnel = results.plans[wanted, budget][way]
        took, rho = price(funnel, results.prices), _rho(results.held_out, funnel)
        return f"{in_words(funnel)}; {took:.2f}" + (f"; {rho:.2f}" if rho is not None else "")

    return _by_budget(results, wanted, ways, "what is drawn; time; rho", cell)


def rule(results: Results, wanted: int, ways: Iterable[str]) -> str:
    """The gain over a plain picture in spreads of the reward within a prompt, and what two normal scores of that rho would gain."""
    spread = results.held_out["final"].reward

    def cell(way: str, budget: float) -> str:
        funnel = results.plans[wanted, budget][way]
        kept = run(results.held_out, funnel, wanted).reward
        measured = ((kept - spread.mean(axis=1)) / spread.std(axis=1)).mean()
        rho, finished = _rho(results.held_out, funnel), funnel[-1].count
        normal = 1.0 if rho is None else room("nodes.values.rank_correlation").normal_correlation(rho)
        return f"{measured:.2f} ({expected_gain(normal, funnel[0].count, finished, wanted):.2f})"

    return _by_budget(results, wanted, ways, "gain in spreads (by the rule)", cell)


def _by_budget(
    results: Results, wanted: int, ways: Iterable[str], title: str, cell: Callable[[str, float], str]
) -> str:
    budgets = BUDGETS[wanted]
    return markdown(
        " | ".join([title, *(f"budget {budget:g}" for budget in budgets)]),
        [[way, *(cell(way, b) if way in results.plans[wanted, b] else "" for b in budgets)] for way in ways],
    )


def foretelling(results: Results) -> str:
    """How well each kind of draft foretells the finished picture, and what it costs."""
    lines = []
    for kind in results.held_out:
        if kind in ("final", "referee", RESUMED, DEAR):
            continue
        rho = estimate(_foretells(results.held_out, kind))
        took = price((Stage(kind, 1),), results.prices)
        right = results.held_out[kind].correct.mean()
        lines.append([kind_in_words(kind), rho.text(), f"{took:.3f}", "" if np.isnan(right) else f"{right:.3f}"])
    return markdown(
        "draft | rho within a prompt | time, decode and score included | the referee on the drafts themselves", lines
    )


def steering(results: Results) -> str:
    """What steering adds to its start: the same noise without guidance is in the pool."""
    lines = []
    for name, arm in ARMS.items():
        after = results.arm(name)
        before = results.start(after)
        added = [now - start for now, start in zip(after[2:], before[2:], strict=True)]
        best = after.best(1).correct - before.best(1).correct
        lines.append(
            [name, str(len(after.prompts)), str(after.rows.shape[1]), f"{price(arm.funnel, results.prices):.2f}"]
            + [
                _mean(before.correct),
                _mean(after.correct),
                *(estimate(each).text("+") for each in (added[0].mean(axis=1), added[0][:, 0], best)),
            ]
            + [estimate(added[1].mean(axis=1)).text("+")]
        )
    return markdown(
        "steering | prompts | images | time | referee, start | steered | gain, all | the first | the best by its final score "
        "| reward, gain of all",
        lines,
    )


def rivals(results: Results) -> str:
    """Four images by methods that guide on the way, on the prompts that have the slow ones."""
    shared = sorted(set(results.numbers).intersection(*(results.pool.numbers(name, "held-out") for name in RIVALS)))
    ours = {
        name: arm
        for name, arm in ARMS.items()
        if arm.funnel[-1].count >= 4 and name != DEMO and results.pool.numbers(name, "held-out").issuperset(shared)
    }
    where = [results.numbers.index(number) for number in shared]
    plain_ones = [
        each[where].mean(axis=1) for each in (results.held_out["final"].correct, results.held_out["final"].reward)
    ]
    lines = [["plain", *(estimate(each).text() for each in plain_ones), "4.00", ""]]
    for name, arm in (RIVALS | ours).items():
        took, kept = price(arm.funnel, results.prices), results.arm(name, shared).best(4)
        lines.append([name, *(estimate(each).text() for each in kept), f"{took:.2f}", f"{took - 4:+.2f}"])
    return markdown(f"{len(shared)} prompts | referee | reward | time | over four plain pictures", lines)


def kinds(results: Results) -> str:
    """Referee accuracy of four images by kind of prompt: plain ones and LiDAR's."""
    texts = {number: prompt.kind for number, prompt in prompts("held-out", None)}
    found = results.arm(BLENDED)
    plain_ones, steered = results.held_out["final"].correct.mean(axis=1)[found.prompts], found.correct.mean(axis=1)
    of = np.array([texts[results.numbers[place]] for place in found.prompts])
    return markdown(
        "kind | prompts | plain | LiDAR",
        [
            [kind, str((of == kind).sum()), _mean(plain_ones[of == kind]), _mean(steered[of == kind])]
            for kind in sorted(set(of))
        ],
    )


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
    every, weak = (BEST_OF_N, CEILING, *WAYS), (BEST_OF_N, *WEAK_WAYS)
    predicted = (BEST_OF_N, OURS, "drafts of 6 steps", "weak drafts", DEAR_DRAFTS)
    parts = {"How well drafts foretell": foretelling(results)}
    for wanted, title in WANTED.items():
        parts |= {
            f"{title}: LiDAR and best of N": headline(results, wanted),
            f"{title}: every way": f"{gains(results, wanted, every)}\n\n{draws(results, wanted, every)}",
            f"{title}: weak drafts": f"{gains(results, wanted, weak)}\n\n{draws(results, wanted, weak)}",
            f"{title}: the rule": rule(results, wanted, predicted),
        }
    parts |= {
        "What steering adds": steering(results),
        "Rivals, four images": rivals(results),
        "By kind of prompt, four images": kinds(results),
        "Costs": costs(results),
    }
    return "\n\n".join(
        [f"{len(results.numbers)} held-out prompts", *(f"## {title}\n\n{body}" for title, body in parts.items())]
    )


def _rho(table: Table, funnel: Funnel) -> float | None:
    """Mean rho of the first judgement; None where the finished pictures are the first."""
    return float(_foretells(table, funnel[0].kind).mean()) if len(funnel) > 1 else None


def _foretells(table: Table, kind: str) -> np.ndarray:
    """Spearman's rho of a kind's judgement with the finished picture's reward within each prompt, (prompts,)."""
    early, final = (torch.from_numpy(table[each].reward) for each in (kind, "final"))
    return room("nodes.values.rank_correlation").spearman(early, final).numpy()


def _mean(values: np.ndarray) -> str:
    return f"{values.mean():.3f}"
