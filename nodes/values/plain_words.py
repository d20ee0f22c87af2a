"""A prompt for a text encoder as plain words, which is what reward models were trained on."""

import re

from ...reward_models.printable import printable

_NOT_WORDS = re.compile(
    r"/\*.{0,500}?\*/ | (?<!:)//[^\n]* | \bBREAK\b | \b(?i:embedding):[^\s,:()\[\]]+ | <[a-z]+:[^<>]*> | "
    r":\s*[-+]?[\d.]+\s*(?=[)\]])",
    re.VERBOSE | re.DOTALL,
)
# Of the dynamic prompts that other packs read: how often, how many, and the separator
_AMOUNT = re.compile(r"([{|])\s*(?:[\d.]+::|[\d-]+\$\$(?:[^{}|$]*\$\$)?)")
_WILDCARD = re.compile(r"(?<!\w)__([\w/*-]{1,100}?)__(?!\w)")
_MARK = re.compile(r"(?<!\\)([(){}\[\]|])")
_BRACED = re.compile(r"(?<!\\)\{[^{}]*\}")


def plain_words(prompt: str) -> str:
    """Return the prompt without what only encoders and their packs read.

    Left out: (weights:1.2), [brackets], BREAK, embedding:names, <lora:names>, // and /* comments */. Choices that nobody
    has made, {red|blue} and [red|blue], become "red or blue", and __wildcards__ their name. Escaped brackets, as in
    "a smile \\(close up\\)", stay as brackets.
    """
    text = _WILDCARD.sub(
        lambda found: re.sub(r"[/*_-]+", " ", found[1]), _AMOUNT.sub(r"\1", _NOT_WORDS.sub(" ", prompt))
    )
    words, depth = [], 0
    for piece in _MARK.split(text):
        if piece in ("{", "["):
            depth += 1
        elif piece in ("}", "]"):
            depth = max(0, depth - 1)
        elif piece == "|":
            words.append(" or " if depth else piece)
        elif piece not in ("(", ")"):
            words.append(piece)
    text = re.sub(r"\\([(){}\[\]|])", r"\1", "".join(words))
    text = re.sub(r"(\s*,)+", ",", re.sub(r"\s+", " ", text))
    return text.strip(" ,")


def unmade_choices(prompt: str) -> list[str]:
    """Return a line for each kind of choice in a prompt that nobody has made: the first {red|blue}, the first __wildcard__."""
    choice = next((found for found in _BRACED.findall(prompt) if "|" in found), None)
    wildcard = _WILDCARD.search(prompt)
    told = []
    if choice:
        told.append(
            f"{printable(choice, limit=40)} in the prompt is read as {printable(plain_words(choice), limit=40)!r}: the page "
            "chooses in CLIP Text Encode alone; an empty prompt takes its choice"
        )
    if wildcard:
        told.append(f"{printable(wildcard[0], limit=40)} in the prompt is read as its name: nothing has filled it in")
    return told
