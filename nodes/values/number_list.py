"""Numbers that people or other nodes write as text or hand over as lists."""

import math
import numbers
import re

from ...lidar_core import LARGEST
from ...reward_models.printable import printable

# Two whole numbers with a bare comma between them, alone: one number with a decimal comma, or a list of two?
_DECIMAL_COMMA = re.compile(r"(?<![\w.,\[(-])-?\d+,\d+(?![\w.,])")


def flat_numbers(values, *, what: str) -> list[float]:
    """Return the numbers in a number, a text, a list, a tensor or lists of these, in order.

    what: the input's name, for the message. ValueError for what is no finite number.
    """
    found, waiting = [], [values]
    while waiting:
        value = waiting.pop()
        value = value.tolist() if hasattr(value, "tolist") else value  # torch and numpy
        if isinstance(value, (list, tuple)):
            waiting.extend(reversed(value))
        elif isinstance(value, str):
            found += parse_numbers(value, what=what)
        elif isinstance(value, numbers.Real):
            found.append(parse_number(str(value), what=what))
        else:
            raise ValueError(
                f"{what} has a {type(value).__name__}, wanted numbers: connect a list of FLOAT, INT or text"
            )
    return found


def parse_numbers(text: str, *, what: str) -> list[float]:
    """Return the numbers of a text such as "0.5, 0.3" or "[1, 2]": commas, semicolons, spaces and lines part them.

    what: the input's name, for the message. ValueError for what is no finite number, and for "0,5", which may be one
    number or two.
    """
    refuse_decimal_comma(text, what=what)
    words = [word for word in re.split(r"[\s,;\[\]()]+", text) if word]
    return [parse_number(word, what=what) for word in words]


def refuse_decimal_comma(text: str, *, what: str) -> None:
    """Raise ValueError where a comma may belong to a number: "0,5", and not "0, 5", "1,2,3" or "[0,5]"."""
    unclear = _DECIMAL_COMMA.search(text)
    if unclear:
        word = printable(unclear[0], limit=40)
        raise ValueError(
            f"{what} has {word!r}, one number or two? Write {word.replace(',', '.')} with a point for one number, or "
            f"{word.replace(',', ', ')} with a space for two"
        )


def parse_number(word: str, *, what: str) -> float:
    """Return the number that a word stands for, from -1e12 to 1e12; ValueError names `what`, the input."""
    try:
        number = float(word)
    except ValueError:
        number = math.nan
    if not abs(number) <= LARGEST:
        word = printable(word, limit=40)
        kind = "too large a number" if math.isfinite(number) else "no finite number"
        raise ValueError(f"{what} has {word!r}, which is {kind}: write numbers such as 0.5, 1, -2")
    return number
