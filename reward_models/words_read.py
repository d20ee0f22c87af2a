"""How much of a prompt a reward model reads: text towers take so many tokens, and tokenizers cut the rest off silently."""

from bisect import bisect_left
from collections.abc import Callable, Sequence

import torch


def words_read(prompt: str, token_ids: Callable[[Sequence[str]], torch.Tensor]) -> int:
    """Return how many words of the prompt, from its beginning, are read; a word counts also if only its beginning is.

    token_ids: b texts -> (b, t) ids, cut at the end. Words behind those that are read change no id.
    """
    words = prompt.split()

    def ids(count: int) -> list[int]:
        return token_ids([" ".join(words[:count])])[0].tolist()

    whole, enough = ids(len(words)), 1
    while enough < len(words) and ids(enough) != whole:
        enough *= 2
    counts, most = range(len(words) + 1), min(enough, len(words))
    return bisect_left(counts, True, lo=enough // 2, hi=most, key=lambda count: ids(count) == whole)
