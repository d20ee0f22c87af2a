"""Token ids of a tokenizer.json against open_clip's HFTokenizer, which asks transformers; and what such a file cannot do."""

import json
import random

import pytest
import torch
from open_clip.tokenizer import HFTokenizer
from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import PreTrainedTokenizerFast

from reward_models.checked_tokenizer import CheckedTokenizer
from reward_models.file_tokenizer import FileTokenizer

TEXTS = [
    "", "a", "A red   cube, left of two blue circles!", "naïve café\tÀÉ", "模型 and 🦙 emoji", "&lt;b&gt; html &amp; more", "<mask> [SEP] [PAD]",
    "long " * 60, "under_score-hyphen don't", "\u202e right \x00 left", "x" * 300, "[CLS]",
]  # fmt: skip
CONTEXT = 16


def corpus():
    numbers = random.Random(2)
    words = "a red cube left of two blue circles and the cat sat on mat café naïve long words don't".split()
    return [" ".join(numbers.choices(words, k=9)) for _ in range(200)]


def byte_level_bpe():
    built = Tokenizer(models.BPE())
    built.pre_tokenizer, built.decoder = pre_tokenizers.ByteLevel(add_prefix_space=False), decoders.ByteLevel()
    alphabet, special = pre_tokenizers.ByteLevel.alphabet(), ["<pad>", "<s>", "</s>"]
    built.train_from_iterator(
        corpus(), trainers.BpeTrainer(vocab_size=400, initial_alphabet=alphabet, special_tokens=special)
    )
    return built, {"pad_token": "<pad>", "bos_token": "<s>", "eos_token": "</s>", "cls_token": "<s>"}


def word_piece():
    built = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    built.normalizer, built.pre_tokenizer = normalizers.BertNormalizer(), pre_tokenizers.BertPreTokenizer()
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    built.train_from_iterator(corpus(), trainers.WordPieceTrainer(vocab_size=200, special_tokens=special))
    built.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    names = {
        "pad_token": "[PAD]",
        "unk_token": "[UNK]",
        "cls_token": "[CLS]",
        "sep_token": "[SEP]",
        "mask_token": "[MASK]",
    }
    return built, names | {"bos_token": "[CLS]", "eos_token": "[SEP]"}


def unigram():
    built = Tokenizer(models.Unigram())
    built.normalizer = normalizers.Sequence([normalizers.NFKC(), normalizers.Replace(" ", "▁")])
    built.pre_tokenizer = pre_tokenizers.Metaspace()
    special = ["<pad>", "</s>", "<unk>"]
    built.train_from_iterator(
        corpus(), trainers.UnigramTrainer(vocab_size=120, special_tokens=special, unk_token="<unk>")
    )
    built.post_processor = processors.TemplateProcessing(
        single="$A </s>", pair="$A </s> $B </s>", special_tokens=[("</s>", 1)]
    )
    built.add_special_tokens([AddedToken("<extra>", lstrip=True)])
    return built, {
        "pad_token": "<pad>",
        "eos_token": "</s>",
        "unk_token": "<unk>",
        "sep_token": "</s>",
        "bos_token": "<pad>",
        "cls_token": "</s>",
    }


@pytest.mark.parametrize("side", ["right", "left"])
@pytest.mark.parametrize("options", [
    {"clean": "whitespace"}, {"clean": "canonicalize"}, {"clean": "lower", "strip_sep_token": True}, {"tokenizer_mode": "clips"},
], ids=str)  # fmt: skip
@pytest.mark.parametrize("build", [byte_level_bpe, word_piece, unigram])
def test_ids_are_those_of_open_clip(tmp_path, build, options, side):
    built, names = build()
    if "strip_sep_token" in options and "sep_token" not in names:
        options = options | {"strip_sep_token": False}
    saved = PreTrainedTokenizerFast(tokenizer_object=built, padding_side=side, truncation_side=side, **names)
    saved.save_pretrained(tmp_path)
    truth = HFTokenizer(str(tmp_path), context_length=CONTEXT, local_files_only=True, **options)(TEXTS)
    tokenizer = FileTokenizer(
        (tmp_path / "tokenizer.json").read_bytes(),
        json.loads((tmp_path / "tokenizer_config.json").read_text()),
        context_length=CONTEXT,
        mode=options.get("tokenizer_mode"),
        clean=options.get("clean", "whitespace"),
        strip_sep_token=options.get("strip_sep_token", False),
    )
    found = CheckedTokenizer(tokenizer, CONTEXT, 10_000, "tokenizer.json")(TEXTS)
    assert len({tuple(row) for row in truth.tolist()}) > 7
    assert found.dtype == truth.dtype and torch.equal(found, truth)
    assert torch.equal(tokenizer([TEXTS[2]])[0], truth[2]), "a text does not depend on those beside it"


@pytest.mark.parametrize(
    ("tokenize", "message"),
    [
        (lambda texts: torch.full((len(texts), 4), 10), "gives the token 10, but the text tower knows 10"),
        (lambda texts: torch.full((len(texts), 4), -1), "gives the token -1"),
        (lambda texts: torch.zeros(len(texts), 5, dtype=torch.int64), "does not give 4 tokens"),
        (lambda texts: {}["word\n"], r"cannot tokenize \('word\\n'\)"),
    ],
)
def test_ids_that_the_text_tower_does_not_know_are_refused(tokenize, message):
    with pytest.raises(ValueError, match=f"^the file .*{message}.*: use the tokenizer of this model$") as raised:
        CheckedTokenizer(tokenize, 4, 10, "the file")(["a", "b"])
    assert "\n" not in str(raised.value)
