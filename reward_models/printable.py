"""Names and other words of files as they may stand in a message: one line that every terminal and page can show."""

LIMIT = 160
"""Characters of a name that messages show unless told otherwise."""


def printable(text: object, limit: int = LIMIT) -> str:
    """Return `text` with control characters, halves of characters and invisible marks escaped, and its middle left out
    beyond `limit` characters. File names that are no text (surrogate escapes) come out as `\\udc80` and the like."""
    text = _shortened(str(text), limit)
    return _shortened("".join(char if char.isprintable() else _escaped(char) for char in text), limit)


def _escaped(char: str) -> str:
    return char.encode("unicode_escape").decode("ascii")


def _shortened(text: str, limit: int) -> str:
    head = (limit - 3) // 2
    return text if len(text) <= limit else f"{text[:head]}...{text[head + 3 - limit :]}"
