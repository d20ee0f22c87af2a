"""A tokenizer.json as open_clip reads it, without the classes of transformers.

A tokenizer.json is data for the package tokenizers. transformers' AutoTokenizer would build classes, and run Python files,
that the folder names. The ids are those of open_clip's HFTokenizer (open_clip/tokenizer.py, MIT).
"""

import json

import torch

from .checked_tokenizer import failures_in_words

SETTINGS_FILE = "tokenizer_config.json"
# What the classes of transformers use where the file does not say
_USUAL = {"pad_token": ("[PAD]", "<pad>"), "sep_token": ("[SEP]", "</s>"), "cls_token": ("[CLS]", "<s>")}
# XLM-V's, with 900,000 words the largest that open_clip's architectures use, has a good half of it
_MOST_MARKS = 6_000_000
_MOST_GROWTH = 256


class FileTokenizer:
    """What open_clip's HFTokenizer computes, from the text of a tokenizer.json and the settings beside it.

    ValueError if either is not sound. mode: None, or "clips" for the class token at the end.
    """

    def __init__(
        self,
        written: bytes,
        settings: dict,
        *,
        context_length: int,
        mode: str | None,
        clean: str,
        strip_sep_token: bool,
    ):
        from open_clip.tokenizer import get_clean_fn
        from tokenizers import Tokenizer

        if sum(written.count(mark) for mark in b"[{,") > _MOST_MARKS:
            raise ValueError("it has more entries than any tokenizer")
        with failures_in_words():
            self._tokenizer = Tokenizer.from_buffer(written)
        if _growth(self._tokenizer.normalizer) > _MOST_GROWTH:
            raise ValueError("its normalizer makes texts too long")
        self._clean = get_clean_fn(clean)
        self._context_length = context_length
        self._clips = mode == "clips"
        self._stripped = self._id("sep_token", settings) if strip_sep_token else None
        self._tokenizer.no_truncation()
        self._tokenizer.no_padding()
        if self._clips:
            self._frame = [self._id(name, settings) for name in ("bos_token", "eos_token", "pad_token", "cls_token")]
            return
        pad = self._id("pad_token", settings)
        sides = [settings.get(name, "right") for name in ("truncation_side", "padding_side")]
        if any(side not in ("left", "right") for side in sides):
            raise ValueError("truncation_side and padding_side must be 'left' or 'right'")
        self._tokenizer.enable_truncation(context_length, direction=sides[0])
        self._tokenizer.enable_padding(
            length=context_length, pad_id=pad, pad_token=self._tokenizer.id_to_token(pad), direction=sides[1]
        )

    def __call__(self, texts: list[str]) -> torch.Tensor:
        """Return (t, context) int64 ids."""
        texts = [self._clean(text) for text in texts]
        encoded = self._tokenizer.encode_batch(texts, add_special_tokens=not self._clips)
        if self._clips:
            return torch.tensor([self._clips_frame(each.ids) for each in encoded])
        ids = torch.tensor([each.ids for each in encoded])
        return ids if self._stripped is None else torch.where(ids == self._stripped, torch.zeros_like(ids), ids)

    def _clips_frame(self, ids: list[int]) -> list[int]:
        begin, end, pad, last = self._frame
        framed = [begin, *ids[: self._context_length - 3], end]
        return [*framed, *[pad] * (self._context_length - 1 - len(framed)), last]

    def _id(self, name: str, settings: dict) -> int:
        """Id of the special token of that name."""
        token = settings.get(name)
        token = token.get("content") if isinstance(token, dict) else token
        choices = [token] if isinstance(token, str) else _USUAL.get(name, ())
        for choice in choices:
            found = self._tokenizer.token_to_id(choice)
            if found is not None:
                return found
        raise ValueError(f"it has no {name}: name one of its words in {SETTINGS_FILE}")


def _growth(normalizer: object) -> float:
    """How many times longer than a text its normalized form may be, by what the file replaces characters with."""
    if normalizer is None:
        return 1
    waiting, growth = [json.loads(normalizer.__getstate__())], 1
    while waiting:
        step = waiting.pop()
        waiting += step.get("normalizers", [])
        if step["type"] == "Replace":  # a pattern may match between any two characters
            growth *= max(1, len(step["content"])) if "String" in step["pattern"] else 1 + len(step["content"])
    return growth
