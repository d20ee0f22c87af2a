"""Prompts as the token ids that BERT reads: lower case, WordPiece, a fixed length.

The vocabulary beside this file is that of bert-base-uncased (J. Devlin et al., "BERT", NAACL 2019; Google, Apache-2.0):
30,522 lines, as SHA-256 07eced375cec144d27c900241f3e339478dec958f92fddbc551f295c992038a3 in plain text.
"""

import gzip
from collections.abc import Sequence
from pathlib import Path

import torch

LENGTH = 35
"""Tokens that ImageReward reads of a prompt, the two that frame it included."""

VOCABULARY_FILE = "vocab.txt"
_SHIPPED = Path(__file__).with_name("bert_base_uncased_vocab.txt.gz")
# Behind the vocabulary BLIP added [DEC] and [ENC], which scoring never feeds
_ADDED = 2


class PromptTokens:
    """WordPiece tokens of prompts. vocabulary: the words in the order of their ids."""

    def __init__(self, vocabulary: Sequence[str]):
        from tokenizers import BertWordPieceTokenizer

        self._tokenizer = BertWordPieceTokenizer({word: i for i, word in enumerate(vocabulary)}, lowercase=True)
        self._tokenizer.enable_truncation(LENGTH)
        self._tokenizer.enable_padding(length=LENGTH)

    def __call__(self, prompts: Sequence[str]) -> tuple[torch.Tensor, torch.Tensor]:
        """Return ids (b, 35) int64 and mask (b, 35) bool, True where there is text. A longer prompt is cut at its end."""
        encoded = self._tokenizer.encode_batch(list(prompts))
        ids = torch.tensor([each.ids for each in encoded])
        return ids, torch.tensor([each.attention_mask for each in encoded], dtype=torch.bool)


def read_vocabulary(folder: Path, embeddings: int) -> list[str]:
    """Return vocab.txt of the folder, or else that of bert-base-uncased, if it fits a model with that many word embeddings.

    ValueError: one line that names the file to put there.
    """
    own = folder / VOCABULARY_FILE
    if own.is_file():
        words, source = own.read_text(encoding="utf-8").splitlines(), str(own)
    else:
        words, source = gzip.decompress(_SHIPPED.read_bytes()).decode("utf-8").splitlines(), "bert-base-uncased"
    if len(words) + _ADDED != embeddings:
        raise ValueError(
            f"the vocabulary {source} has {len(words)} words, but the model was trained with {embeddings - _ADDED}: put its "
            f"{VOCABULARY_FILE} into {folder}"
        )
    missing = [word for word in ("[PAD]", "[UNK]", "[CLS]", "[SEP]") if word not in words]
    if missing:
        raise ValueError(
            f"the vocabulary {source} lacks {', '.join(missing)}: put BERT's {VOCABULARY_FILE} into {folder}"
        )
    return words
