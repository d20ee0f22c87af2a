"""A person's favourites and rejects among numbered lookaheads, written as text."""

import re
import unicodedata

import torch

from ...reward_models.printable import printable
from .number_list import parse_number
from .set_name import LENGTH

FAVOURITE, REJECT = 1.0, -1.0


def split_picks(text: str) -> tuple[str, str]:
    """Return the numbers of "3, 7 @k7f2" as text, and the name of the set that they were made for, "" if none is written.

    ValueError for a name that none can be, or with something behind it.
    """
    numbers, mark, name = text.partition("@")
    name = name.strip().lower()
    if mark and not re.fullmatch(f"[a-z0-9]{{{LENGTH}}}", name):
        raise ValueError(
            f"picks has {printable(mark + name, limit=40)!r}: write the name of the set once, at the end, such as "
            "3, 7 @k7f2"
        )
    return numbers.strip(), name


def parse_picks(numbers: str, count: int) -> torch.Tensor:
    """Return a reward for each of `count` lookaheads, (count,) float32, 0 for those that are not named.

    numbers: from 1, as burnt into the ranked pictures, parted by commas, semicolons, spaces or lines, wide ones too. "3" is
    a favourite (1), "-3" a reject (-1), "3=5" gives its own value. ValueError for a number that is not there or named twice.
    """
    numbers = unicodedata.normalize("NFKC", numbers)
    unclear = re.search(r"=\s*-?\d+,\d+(?!\s*[\d=])", numbers)
    if unclear:
        raise ValueError(
            f"picks has {printable(unclear[0], limit=40)!r}, one number or two? Write a value with a point, 3=0.5, or a space "
            "behind the comma, 3=1, 5"
        )
    rewards, named = torch.zeros(count), set()
    for pick in filter(None, re.split(r"[\s,;\u3001]+", re.sub(r"\s*=\s*", "=", numbers))):
        number, _, value = pick.partition("=")
        rejected = number.startswith("-")
        digits = number.removeprefix("-")
        if not digits.isdecimal() or (rejected and value) or ("=" in pick and not value):
            pick = printable(pick, limit=40)
            raise ValueError(f"picks has {pick!r}: write numbers of lookaheads such as 3, 7, -2 or 3=5, 1=-2")
        if not digits.strip("0"):
            raise ValueError("picks names lookahead 0, but their numbers begin at 1: use those on the contact sheet")
        index = int(digits) if len(digits) < 10 else 0
        if not 1 <= index <= count:
            digits = printable(digits, limit=20)
            raise ValueError(f"picks names lookahead {digits}, but there are {count}: use the numbers 1 to {count}")
        if index in named:
            raise ValueError(f"picks names lookahead {index} twice: name each one once")
        named.add(index)
        rewards[index - 1] = parse_number(value, what="picks") if value else REJECT if rejected else FAVOURITE
    return rewards
