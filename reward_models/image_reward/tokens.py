"""Prompts as the token ids that BERT reads: lower case, WordPiece, a fixed length.

The vocabulary beside this file is that of bert-base-uncased (J. Devlin et al., "BERT", NAACL 2019; Google, Apache-2.0):
30,522 lines, as SHA-256 07eced375cec144d27c900241f3e339478dec958f92fddbc551f295c992038a3 in plain text.
"""

import gzip
import os
import unicodedata
from collections.abc import Sequence
from pathlib import Path

import torch

from ..printable import printable
from ..regular_file import read_small_file

LENGTH = 35
"""Tokens that ImageReward reads of a prompt, the two that frame it included."""

VOCABULARY_FILE = "vocab.txt"
# 70 times that of bert-base-uncased
_LONGEST_VOCABULARY = 16 * 2**20
_SHIPPED = Path(__file__).with_name("bert_base_uncased_vocab.txt.gz")
# BLIP's own, behind the vocabulary: scoring feeds them only if a prompt spells them out
_ADDED = ("[DEC]", "[ENC]")


class PromptTokens:
    """WordPiece tokens of prompts. vocabulary: the words in the order of their ids."""

    def __init__(self, vocabulary: Sequence[str]):
        from tokenizers import BertWordPieceTokenizer

        self._tokenizer = BertWordPieceTokenizer({word: i for i, word in enumerate(vocabulary)}, lowercase=True)
        self._tokenizer.add_special_tokens(list(_ADDED))
        self._tokenizer.enable_truncation(LENGTH)
        self._tokenizer.enable_padding(length=LENGTH)

    def __call__(self, prompts: Sequence[str]) -> tuple[torch.Tensor, torch.Tensor]:
        """Return ids (b, 35) int64 and mask (b, 35) bool, True where there is text. A longer prompt is cut at its end."""
        encoded = [self._tokenizer.encode(_written(prompt)) for prompt in prompts]
        ids = torch.tensor([each.ids for each in encoded])
        return ids, torch.tensor([each.attention_mask for each in encoded], dtype=torch.bool)


def _written(prompt: str) -> str:
    """Drop control, private and unassigned characters, as BERT does: `tokenizers` keeps some, and fails at half a pair."""
    return "".join(char for char in prompt if char in "\t\n\r" or not unicodedata.category(char).startswith("C"))


def read_vocabulary(folder: Path, embeddings: int) -> list[str]:
    """Return vocab.txt of the folder, or else that of bert-base-uncased, if it fits a model with that many word embeddings.

    ValueError: one line that names the file to put there.
    """
    own = folder / VOCABULARY_FILE
    has_own = os.path.lexists(own)
    if has_own:
        text = (
            read_small_file(own, _LONGEST_VOCABULARY)
            .decode("utf-8", "replace")
            .replace("\r\n", "\n")
            .replace("\r", "\n")
        )
        source = printable(own, 400)
    else:
        text, source = gzip.decompress(_SHIPPED.read_bytes()).decode("utf-8"), "bert-base-uncased"
    words = text.removesuffix("\n").split("\n")
    if len(words) + len(_ADDED) != embeddings:
        raise ValueError(
            f"the vocabulary {source} has {len(words)} words, but the model was trained with "
            f"{embeddings - len(_ADDED)}: put its {VOCABULARY_FILE} into {printable(folder, 400)}"
            + (", or none to use that of bert-base-uncased" if has_own else "")
        )
    missing = [word for word in ("[PAD]", "[UNK]", "[CLS]", "[SEP]") if word not in words]
    if missing:
        raise ValueError(
            f"the vocabulary {source} lacks {', '.join(missing)}: put BERT's {VOCABULARY_FILE} into {printable(folder, 400)}"
        )
    return words
