"""The short name of a lookahead set, by which picks know the set that they were made for; and what else is told with a set.

Both are kept in the metadata of the set, so that they go where it goes.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import replace

from ...lidar_core import LookaheadSet

LENGTH = 4
# Neither 0 and o nor 1, i and l, which people confuse
_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"
_NAME, _NOTES, _TOOK = "set", "notes", "model evaluations"
OF_ONE_SET = (_NAME, _NOTES, _TOOK)
"""Keys of the metadata that are a set's own, and no other set of the same lookaheads shares."""


def set_name(drawn_from: str) -> str:
    """Return the name of the set that is drawn from what this text describes: four letters and digits, such as k7f2."""
    number, letters = int.from_bytes(hashlib.sha256(drawn_from.encode("utf-8", "surrogatepass")).digest(), "big"), []
    for _ in range(LENGTH):
        number, which = divmod(number, len(_LETTERS))
        letters.append(_LETTERS[which])
    return "".join(letters)


def named_metadata(name: str, notes: Sequence[str] = (), evaluations: int = 0) -> dict[str, str]:
    """Return the metadata entries for a set of this name; {} where there is nothing to tell.

    notes: lines for people; evaluations: of the model, that its lookaheads took, 0 where that is not known.
    """
    told = {_NAME: name, _NOTES: "\n".join(notes), _TOOK: str(evaluations or "")}
    return {key: value for key, value in told.items() if value}


def merged_metadata(merged: LookaheadSet, sets: Iterable[LookaheadSet]) -> dict[str, str]:
    """Return the entries for a set that was merged from others: a name that follows from what is in it, and all their lines."""
    notes = sorted({note for each in sets for note in notes_of(each)})
    return named_metadata(set_name(repr((sorted(merged.metadata.items()), merged.origins))), notes)


def name_of(lookaheads: LookaheadSet) -> str:
    """Return the name of a set, "" if it has none."""
    return lookaheads.metadata.get(_NAME, "")


def notes_of(lookaheads: LookaheadSet) -> list[str]:
    """Return the lines that are told with a set."""
    return lookaheads.metadata.get(_NOTES, "").split("\n") if _NOTES in lookaheads.metadata else []


def evaluations_of(lookaheads: LookaheadSet) -> int:
    """Return how many evaluations of a model its lookaheads took, 0 where that is not known."""
    told = lookaheads.metadata.get(_TOOK, "")
    return int(told) if told.isdecimal() and len(told) < 16 else 0  # a file may say anything


def told_with(lookaheads: LookaheadSet, text: str) -> list[str]:
    """Return a text about a set with what is told with the set behind its first line, and the set's name after it.

    The page shows two lines on a node: the first should say what was done.
    """
    first, *more = text.split("\n")
    return [first, *notes_of(lookaheads), *more, *([f"set {name_of(lookaheads)}"] if name_of(lookaheads) else [])]


def with_note(lookaheads: LookaheadSet, note: str) -> LookaheadSet:
    """Return the same set with one more line to tell."""
    metadata = lookaheads.metadata | named_metadata("", [*notes_of(lookaheads), note])
    return replace(lookaheads, metadata=metadata)
