"""The number that a value plainly is, whichever package made it: Python's, numpy's, torch's, or a text of one."""

import math
import numbers
from contextlib import suppress


def plain(value):
    """Return Python's own value of a single number of numpy or torch; anything else as it is."""
    return value.item() if getattr(value, "ndim", None) == 0 and hasattr(value, "item") else value


def number(value) -> int | float | None:
    """Return the number that a value plainly is, NaN and infinity among them; None for what is none."""
    value = plain(value)
    if isinstance(value, numbers.Integral):
        return int(value)
    # int first, for a long seed has more digits than a float holds
    kinds = (int, float) if isinstance(value, str) else (float,) if isinstance(value, numbers.Real) else ()
    for kind in kinds:
        with suppress(ValueError, OverflowError):
            return kind(value)
    return None


def whole_number(value) -> int | None:
    """Return the whole number that a value plainly is, as 6.0 is 6; None for what is none."""
    found = number(value)
    return int(found) if found is not None and math.isfinite(found) and found == int(found) else None


def whole_numbers(values) -> list[int] | None:
    """Return the whole numbers of a list, tuple, array or tensor; None where any is none, or they are no row of numbers."""
    try:
        found = [] if isinstance(values, str) else [whole_number(each) for each in values]
    except TypeError:
        return None
    return None if None in found or isinstance(values, str) else found
