"""Choosing among seeds as a funnel, computed from the pool: what is judged first, how many are judged after it, what is kept.

Best of 8 is one stage, ("final", 8); sixteen one-step drafts of which two are finished are ("student 1", 16), ("final", 2);
candidates that stop at step 10 and go on are ("cut 10", 12), ("final", 4). The last stage's pictures are what is handed out.
"""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

import numpy as np

from .pool import CUTS, PLAIN_STEPS, ROWS, STEPS, STUDENT_STEPS, WEAK_STEPS, Pool

SUBSETS = 60
"""At least so many sets of rows a prompt are averaged, disjoint ones first."""
RESUMED, DEAR = "resumed 10", "dear 6"
"""Finals that go on from their draft's state after a share of 10 steps; they are given the picture of the whole final.
And the weak drafts' scores at the price of drafts of 6 steps, as where no distilled model is at hand."""
PRICED_AS = {"weak 1": "student 1", "weak 2": "student 2", DEAR: "plain 6"}


class Scores(NamedTuple):
    """What the pictures of one kind are worth, each (prompts, rows)."""

    judged: np.ndarray
    """By what the funnel chooses: the guiding reward, but for the ceiling."""
    reward: np.ndarray
    correct: np.ndarray


class Stage(NamedTuple):
    """How many pictures of a kind are drawn and judged."""

    kind: str
    count: int


Funnel = tuple[Stage, ...]
Table = Mapping[str, Scores]
"""By kind: "final", "plain 6", "student 1", "weak 1", "cut 10", and "referee": finals that the referee itself chooses."""


class Kept(NamedTuple):
    """Means over the kept pictures and over the sets of rows, each (prompts,)."""

    correct: np.ndarray
    reward: np.ndarray


def read(pool: Pool, split: str, numbers: list[int]) -> Table:
    """Return the scores of these prompts of the pool."""
    found = {}

    def add(kind: str, each: dict) -> None:
        reward = each["reward"].numpy()
        found.setdefault(kind, []).append([reward, each.get("correct", np.nan * reward)])

    for number in numbers:
        finals = pool.load("finals", split, number)
        add("final", finals)
        for cut in CUTS:
            add(f"cut {cut}", finals["cuts"][cut])
        for part, steps in (("plain", PLAIN_STEPS), ("student", STUDENT_STEPS), ("weak", WEAK_STEPS)):
            drafts = pool.load(f"{part} drafts", split, number)
            for each in steps:
                add(f"{part} {each}", drafts[each])
    table = {}
    for kind, each in found.items():
        reward, correct = np.array(each, dtype=float).swapaxes(0, 1)
        table[kind] = Scores(reward, reward, correct)
    final = table["final"]
    # Among those that the referee likes alike, the reward chooses
    referee = Scores(final.correct + 1e-3 * final.reward, final.reward, final.correct)
    return table | {"referee": referee, RESUMED: final, DEAR: table["weak 1"]}


def subsets(count: int) -> np.ndarray:
    """Return sets of `count` rows, (sets, count), the same for every method."""
    generator, each = np.random.default_rng(count), ROWS // count
    shuffles = [generator.permutation(ROWS)[: each * count] for _ in range(-(-SUBSETS // each) if count < ROWS else 1)]
    return np.concatenate(shuffles).reshape(-1, count)


def run(table: Table, funnel: Funnel, wanted: int) -> Kept:
    """Return what the best `wanted` of the last stage are worth."""
    prompts = len(table["final"].reward)
    rows = np.broadcast_to(subsets(funnel[0].count), (prompts, *subsets(funnel[0].count).shape))
    for (kind, _), keep in zip(funnel, [*(stage.count for stage in funnel[1:]), wanted], strict=True):
        order = np.argsort(-_at(table[kind].judged, rows), axis=2, kind="stable")[:, :, :keep]
        rows = np.take_along_axis(rows, order, axis=2)
    last = table[funnel[-1].kind]
    return Kept(*(_at(values, rows).mean(axis=(1, 2)) for values in (last.correct, last.reward)))


def _at(values: np.ndarray, rows: np.ndarray) -> np.ndarray:
    return np.take_along_axis(values[:, None], rows, axis=2)


def price(funnel: Funnel, prices: Mapping[str, float]) -> float:
    """Return the processor time of a funnel in finished, scored pictures.

    prices: of one picture of every kind, not scored, and "look": one decode and score. What stopped at a cut goes on from
    there: no step is paid twice.
    """
    spent, done = 0.0, 0
    for kind, count in funnel:
        name, _, steps = kind.partition(" ")
        if name in ("cut", "resumed", "final", "referee"):
            reached = int(steps) if name == "cut" else STEPS
            begun = int(steps) if name == "resumed" else done
            spent += count * prices["final"] * (reached - begun) / STEPS
            done = reached
        else:
            spent += count * prices[PRICED_AS.get(kind, kind)]
        spent += count * prices["look"]
    return spent


def within(
    budget: float, prices: Mapping[str, float], *judged: str, last: str = "final", wanted: int
) -> Iterator[Funnel]:
    """Yield the funnels over these kinds that a budget allows: for every number of finished pictures the most candidates.

    Of several kinds each judges half as many as the one before.
    """
    for finished in range(wanted, ROWS + 1):
        for count in range(ROWS, finished, -1) if judged else (finished,):
            counts = [max(finished, count // 2**i) for i in range(len(judged))]
            funnel = (*(Stage(*each) for each in zip(judged, counts, strict=True)), Stage(last, finished))
            if price(funnel, prices) <= budget * 1.0001:
                yield funnel
                break
        else:
            return
