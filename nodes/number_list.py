"""Numbers that people or other nodes write as text."""

import math
import re


def parse_numbers(text: str, *, what: str) -> list[float]:
    """Return the numbers of a text such as "0.5, 0.3" or "[1, 2]": commas, semicolons, spaces and lines part them.

    what: the input's name, for the message. ValueError for what is no finite number.
    """
    words = [word for word in re.split(r"[\s,;\[\]()]+", text) if word]
    return [parse_number(word, what=what) for word in words]


def parse_number(word: str, *, what: str) -> float:
    """Return the finite number that a word stands for; ValueError names `what`, the input."""
    try:
        number = float(word)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise ValueError(f"{what} has {word!r}, which is no finite number: write numbers such as 0.5, 1, -2")
    return number
