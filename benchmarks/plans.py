"""Which funnel each way of choosing takes for a budget: the one with the best reward on training prompts, set before held-out ones are seen."""

import math
from collections.abc import Iterator, Mapping

from .funnel import DEAR, RESUMED, Funnel, Stage, Table, run, within
from .pool import STEPS

Prices = Mapping[str, float]
BUDGETS = {1: (1.25, 2.0, 4.0, 8.0, 16.0), 4: (4.0, 4.6, 8.0, 16.0)}
"""By images wanted, in finished and scored pictures; 4.6 is 1.15 times the time of four."""
BEST_OF_N, CEILING = "best of N", "best of N, chosen by the referee itself"
OURS, DEAR_DRAFTS = "drafts by the distilled model", "weak drafts at the price of 6 steps"
WAYS: dict[str, tuple[tuple[str, ...], ...]] = {
    OURS: (("student 1", "final"), ("student 2", "final"), ("student 4", "final")),
    "drafts of 6 steps": (("plain 6", "final"),),
    "continuing": (("cut 6", "final"), ("cut 8", "final"), ("cut 10", "final"), ("cut 12", "final")),
    "pruning twice": (("cut 3", "cut 6", "final"), ("cut 6", "cut 12", "final")),
    "resuming drafts of 6 steps": (("plain 6", RESUMED),),
    "distilled drafts, then continuing": (("student 1", "cut 10", "final"), ("student 2", "cut 10", "final")),
    "the distilled model's own pictures": (("student 4",),),
    "own pictures of 6 steps": (("plain 6",),),
}
"""Each way with the kinds that its funnels judge in turn, the last being what is handed out."""
WEAK_WAYS: dict[str, tuple[tuple[str, ...], ...]] = {
    "weak drafts": (("weak 1", "final"), ("weak 2", "final")),
    DEAR_DRAFTS: ((DEAR, "final"),),
    "continuing, judged at 32 %": (("cut 8", "final"),),
    "weak drafts, then continuing": (("weak 1", "cut 8", "final"), ("weak 2", "cut 8", "final")),
}
"""The setting that does not flatter: drafts, and predictions at the cut, that foretell about as much as those of SDXL."""


def chosen(table: Table, prices: Prices, budget: float, wanted: int) -> dict[str, Funnel]:
    """Return a funnel for every way that the budget allows; `table` is that of the training prompts."""
    return {
        way: max(found, key=lambda funnel: run(table, funnel, wanted).reward.mean())
        for way, kinds in (WAYS | WEAK_WAYS).items()
        if (found := list(_funnels(kinds, prices, budget, wanted)))
    }


def plain(budget: float, kind: str = "final") -> Funnel:
    """Return best of N for a budget."""
    return (Stage(kind, math.floor(budget)),)


def _funnels(kinds, prices: Prices, budget: float, wanted: int) -> Iterator[Funnel]:
    for *judged, last in kinds:
        yield from within(budget, prices, *judged, last=last, wanted=wanted)


def kind_in_words(kind: str) -> str:
    """Return a kind of draft as a short text, such as "distilled, 2 steps"."""
    name, _, steps = kind.partition(" ")
    if name == "cut":
        return f"predicted at step {steps} of {STEPS}"
    title = {"plain": "the model itself", "student": "distilled", "weak": "distilled, from noise nearby"}[name]
    return f"{title}, {steps} step{'s' * (steps != '1')}"


def in_words(funnel: Funnel) -> str:
    """Return a funnel as a short text, such as "16 drafts of 1 step, 2 finals"."""
    words = []
    for kind, count in funnel:
        name, _, steps = kind.partition(" ")
        if name in ("student", "plain", "weak", "dear"):
            words.append(f"{count} of {steps} step{'s' * (steps != '1')}")
        elif name == "cut":
            words.append(f"{count} to step {steps}")
        else:
            short = f" of {steps} steps" if steps and name == "guided" else ""
            words.append(f"{count} {'guided ' * (name == 'guided')}final{'s' * (count != 1)}{short}")
    return ", ".join(words)
