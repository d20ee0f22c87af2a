"""What the rows say: means, paired differences with intervals over prompts, and what a lookahead's score foretells."""

from __future__ import annotations

import math
import random
import statistics
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

from .methods import BEST_OF, GUIDED, METHODS
from .rows_file import Row

Cell = Mapping[str, Row]  # method -> row, of one prompt and seed
_DRAWS = 2000


class Estimate(NamedTuple):
    """A figure over prompts, and the interval that holds it with 95 %."""

    value: float
    low: float
    high: float


def whole_cells(rows: Iterable[Row]) -> list[Cell]:
    """The prompts and seeds that every method has drawn, in the order of the rows; only they can be compared."""
    cells: dict[tuple[str, int], dict[str, Row]] = {}
    for row in rows:
        cells.setdefault((row["prompt"], row["seed"]), {})[row["method"]] = row
    return [cell for cell in cells.values() if len(cell) == len(METHODS)]


def mean_reward(row: Row, reward: str) -> float:
    return statistics.fmean(row["rewards"][reward])


def differences(cells: Iterable[Cell], reward: str, method: str, other: str) -> list[float]:
    """Of each prompt, by how much the method's mean reward exceeds the other's from the same seeds."""
    by_prompt = _by_prompt(cells, lambda cell: mean_reward(cell[method], reward) - mean_reward(cell[other], reward))
    return [statistics.fmean(values) for values in by_prompt]


def estimate(per_prompt: Sequence, figure: Callable[[Sequence], float] = statistics.fmean) -> Estimate:
    """The figure of a list with one entry a prompt, and its percentile bootstrap over prompts (Efron 1979)."""
    draw = random.Random(1)
    drawn = sorted(figure(draw.choices(per_prompt, k=len(per_prompt))) for _ in range(_DRAWS))
    return Estimate(figure(per_prompt), drawn[int(0.025 * _DRAWS)], drawn[int(0.975 * _DRAWS)])


def foretold(cells: Iterable[Cell]) -> Estimate | None:
    """The correlation, within a prompt and seed, of a lookahead's score with that of the finished picture of its noise.

    Pooled over them: sum of covariances / root of the sums of variances. Best of N draws these pictures: its row i has
    lookahead i's noise. None where fewer than two have both, or all are equal.
    """
    by_prompt = _by_prompt((cell for cell in cells if len(_both(cell)) > 1), lambda cell: _moments(_both(cell)))
    per_prompt = [tuple(map(sum, zip(*moments, strict=True))) for moments in by_prompt]
    if not per_prompt or _correlation(per_prompt) is None:
        return None
    return estimate(per_prompt, lambda drawn: _correlation(drawn) or 0.0)


def spread(cells: Iterable[Cell]) -> float | None:
    """The standard deviation of ordinary pictures' reward within a prompt and seed, pooled; None for one picture each."""
    squares = freedom = 0.0
    for cell in cells:
        scores = cell[BEST_OF]["candidates"]
        squares += sum((score - statistics.fmean(scores)) ** 2 for score in scores)
        freedom += len(scores) - 1
    return math.sqrt(squares / freedom) if squares > 0 else None


def _by_prompt(cells: Iterable[Cell], value: Callable) -> list[list]:
    found: dict[str, list] = {}
    for cell in cells:
        found.setdefault(cell[GUIDED]["prompt"], []).append(value(cell))
    return list(found.values())


def _both(cell: Cell) -> list[tuple[float, float]]:
    return list(zip(cell[GUIDED]["lookaheads"], cell[BEST_OF]["candidates"], strict=False))


def _moments(pairs: Sequence[tuple[float, float]]) -> tuple[float, float, float]:
    drafts, finals = zip(*pairs, strict=True)
    draft, final = statistics.fmean(drafts), statistics.fmean(finals)
    return (
        sum((d - draft) * (f - final) for d, f in pairs),
        sum((d - draft) ** 2 for d in drafts),
        sum((f - final) ** 2 for f in finals),
    )


def _correlation(moments: Sequence[tuple[float, float, float]]) -> float | None:
    both, drafts, finals = map(sum, zip(*moments, strict=True))
    return both / math.sqrt(drafts * finals) if drafts * finals > 0 else None
