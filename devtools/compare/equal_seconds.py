"""How many pictures best of N may draw in LiDAR's time."""

from __future__ import annotations

import math
from collections.abc import Callable

_TRIES = 6


def count_for(target: float, time_of: Callable[[int], float], *, guess: int, least: int, most: int) -> int:
    """The smallest number of pictures that takes at least `target`, by what `time_of(number)` measures, in any unit.

    Closes in between the largest number found to take less and the smallest found to take as long, in at most six
    measurements; then the latter counts. least, most: what is allowed; guess: where to begin.
    """
    count, measured = min(max(guess, least), most), {}
    for _ in range(_TRIES):
        measured[count] = time_of(count)
        short = max((number for number, took in measured.items() if took < target), default=least - 1)
        enough = min((number for number, took in measured.items() if took >= target), default=most + 1)
        around = {number: measured[number] for number in (short, enough) if number in measured}
        meeting = _meeting(around if len(around) == 2 else measured, target)
        count = max(min(meeting, enough - 1), short + 1)
        if count in measured or count > most or (short in measured and meeting >= enough):
            break
    return enough if enough <= most else min(count, most)


def _meeting(measured: dict[int, float], target: float) -> int:
    """Where the line through the two times nearest to `target` reaches it, rounded up; through nothing if there is one."""
    known = measured if len(measured) > 1 else measured | {0: 0.0}
    (first, took), (second, other) = sorted(known.items(), key=lambda each: abs(each[1] - target))[:2]
    slope = (other - took) / (second - first)
    return math.ceil(first + (target - took) / slope - 1e-9) if slope > 0 else first
