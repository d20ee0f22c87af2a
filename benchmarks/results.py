"""What was measured, as the tables and pictures read it: scores of the pool, plans, prices, and the steered arms."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
import torch

from .funnel import Funnel, Kept, Table, read
from .plans import BEST_OF_N, BUDGETS, CEILING, Prices, chosen, plain
from .pool import PARTS, Pool


class Steered(NamedTuple):
    """An arm's pictures, each (prompts, images), in the order of their drafts."""

    prompts: np.ndarray
    """(prompts,): their places among the held-out ones of the pool."""
    rows: np.ndarray
    correct: np.ndarray
    reward: np.ndarray

    def best(self, wanted: int) -> Kept:
        """Return what the best by the reward are worth."""
        order = np.argsort(-self.reward, axis=1, kind="stable")[:, :wanted]
        return Kept(*(np.take_along_axis(each, order, axis=1).mean(axis=1) for each in (self.correct, self.reward)))


@dataclass(frozen=True)
class Results:
    """Everything that was measured."""

    pool: Pool
    seconds: Mapping[str, float]
    """Of a picture of every kind, from costs.py."""

    @cached_property
    def numbers(self) -> list[int]:
        """Held-out prompts whose pool is there."""
        return self._common("held-out", PARTS)

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

    def arm(self, name: str, numbers: Iterable[int] | None = None) -> "Steered":
        """Return an arm's pictures of these prompts, or of all that have it."""
        found = sorted(self.pool.numbers(name, "held-out").intersection(self.numbers)) if numbers is None else numbers
        parts = [self.pool.load(name, "held-out", number) for number in found]
        stacked = {what: torch.stack([part[what] for part in parts]).double().numpy() for what in ("correct", "reward")}
        rows = np.array([part["rows"].tolist() for part in parts if "rows" in part])
        return Steered(np.array([self.numbers.index(number) for number in found]), rows, **stacked)

    def start(self, arm: "Steered") -> "Steered":
        """Return the same noise's pictures without guidance, of 25 steps."""
        final, at = self.held_out["final"], (arm.prompts[:, None], arm.rows)
        return arm._replace(correct=final.correct[at], reward=final.reward[at])

    def _common(self, split: str, names: Iterable[str]) -> list[int]:
        return sorted(set.intersection(*(self.pool.numbers(name, split) for name in names)))
