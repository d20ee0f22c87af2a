"""JSON of unknown origin: every mistake is a ValueError, and nothing beyond the standard is understood."""

import json

from .printable import printable


def read_json(text: bytes) -> object:
    """Parse UTF-8 JSON. ValueError, one line without the file's name: no UTF-8, no JSON, a name twice in one object,
    NaN or Infinity, or too deeply nested. The caller limits the size."""
    try:
        return json.loads(text.decode("utf-8"), object_pairs_hook=_object, parse_constant=_no_constant)
    except UnicodeDecodeError as error:
        raise ValueError(f"not UTF-8 at byte {error.start}") from error
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
    except ValueError as error:
        raise ValueError(printable(error)) from error


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    table = dict(pairs)
    if len(table) < len(pairs):
        seen: set[str] = set()
        twice = next(name for name, _ in pairs if name in seen or seen.add(name))
        raise ValueError(f"the name {printable(twice)} stands twice in one object")
    return table


def _no_constant(word: str) -> object:
    raise ValueError(f"{word} is no JSON")
