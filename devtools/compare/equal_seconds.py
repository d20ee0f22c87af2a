"""How many pictures best of N may draw in LiDAR's time."""

from __future__ import annotations

import math
from collections.abc import Callable

_TRIES = 5


def count_for(seconds: float, seconds_of: Callable[[int], float], *, guess: int, least: int, most: int) -> int:
    """The smallest number of pictures that takes at least `seconds`, by the times that `seconds_of(number)` measures.

    The time of n pictures is taken to grow evenly between two measured numbers; after five measurements the best that is
    known counts. least, most: what is allowed.
    """
    count, measured = min(max(guess, least), most), {}
    for _ in range(_TRIES):
        measured[count] = seconds_of(count)
        nearer = min(max(_meeting(measured, seconds), least), most)
        if nearer in measured:
            break
        count = nearer
    enough = [number for number, took in measured.items() if took >= seconds]
    return min(enough) if enough else min(max(_meeting(measured, seconds), least), most)


def _meeting(measured: dict[int, float], seconds: float) -> int:
    """Where the line through the two measurements nearest to `seconds` reaches it, rounded up; through 0 if there is one."""
    (first, took), *others = sorted(measured.items(), key=lambda each: abs(each[1] - seconds))[:2]
    slope = took / first
    for second, other_took in others:
        rise = (other_took - took) / (second - first)
        slope = rise if rise > 0 else slope
    return math.ceil(first + (seconds - took) / slope - 1e-9)
