"""A prompt for a text encoder as plain words, which is what reward models were trained on."""

import re

_EMBEDDING = re.compile(r"\bembedding:[^\s,:()\[\]]+", re.IGNORECASE)
_WEIGHT = re.compile(r"(?<!\\)[(\[]([^()\[\]]*?)(?::\s*[-+]?[\d.]+)?(?<!\\)[)\]]")


def plain_words(prompt: str) -> str:
    """Return the prompt without what only encoders read: (weights:1.2), [brackets], BREAK and embedding:names.

    Escaped brackets, as in "a smile \\(close up\\)", stay as brackets.
    """
    text = re.sub(r"\bBREAK\b", " ", _EMBEDDING.sub(" ", prompt))
    while True:
        lighter = _WEIGHT.sub(r"\1", text)
        if lighter == text:
            break
        text = lighter
    text = re.sub(r"\\([()\[\]])", r"\1", text)
    text = re.sub(r"\s*,(\s*,)+", ",", re.sub(r"\s+", " ", text))
    return text.strip(" ,")
