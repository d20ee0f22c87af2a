"""A tokenizer whose every failure is one line, and which never gives an id that the text tower does not know.

An id beyond the table of embeddings is an error on the CPU, and on a GPU it ends the process.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import torch

from .printable import printable


@contextmanager
def failures_in_words() -> Iterator[None]:
    """Within the block, whatever the package tokenizers raises becomes a ValueError of one line.

    It raises bare Exception for what a file makes impossible, and its panics are no Exception at all.
    """
    try:
        yield
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException as error:
        raise ValueError(printable(error)) from error


class CheckedTokenizer:
    """Texts -> (t, context) int64 ids, all of which the text tower knows. file: what to blame if one is not."""

    def __init__(self, tokenize: Callable[[list[str]], torch.Tensor], context_length: int, vocabulary: int, file: str):
        self._tokenize = tokenize
        self._context_length = context_length
        self._vocabulary = vocabulary
        self._file = file

    def __call__(self, texts: Sequence[str]) -> torch.Tensor:
        """Return the ids. ValueError if the tokenizer fails or gives ids beyond the vocabulary of the text tower."""
        try:
            with failures_in_words():
                ids = self._tokenize(list(texts))
        except ValueError as error:
            raise ValueError(f"{self._file} cannot tokenize ({error}): use the tokenizer of this model") from error
        if ids.shape != (len(texts), self._context_length):
            raise ValueError(
                f"{self._file} does not give {self._context_length} tokens: use the tokenizer of this model"
            )
        if ids.numel() and not 0 <= ids.min() <= ids.max() < self._vocabulary:
            raise ValueError(
                f"{self._file} gives the token {int(ids.max())}, but the text tower knows {self._vocabulary}: use the "
                "tokenizer of this model"
            )
        return ids
