"""Names and texts out of files and links, made fit for a message, a page, a picture or a log."""


def printable(text: object, *, longest: int = 200) -> str:
    """Return the text on one line of characters that every encoding and font can take, cut at `longest` characters.

    Lone surrogates (a file name that is not UTF-8 has them) and control characters are written as escapes.
    """
    shown = "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode() for character in str(text)
    )
    return shown if len(shown) <= longest else shown[: longest - 1] + "…"
