"""How many words of a prompt are read, against tokenizers that are asked for more tokens than the model takes."""

import open_clip
import pytest
import torch
from tokenizers import BertWordPieceTokenizer

from reward_models import load_reward_model
from reward_models.clip_architecture import FOLDER_CONFIG
from reward_models.image_reward.tokens import LENGTH, PromptTokens
from reward_models.words_read import words_read

PROMPTS = [
    "", "fox", "fox " * 75, "fox " * 76, "fox " * 400, "  a  fox\n" * 30, "supercalifragilistic " * 40, "\u6771\u4eac \U0001f98a " * 50,
    "word " * 74 + "antidisestablishmentarianism", "x," * 300,
]  # fmt: skip
WORDS = [
    "[PAD]",
    "[UNK]",
    "[CLS]",
    "[SEP]",
    *"abcdefghijklmnopqrstuvwxyz,",
    *(f"##{c}" for c in "abcdefghijklmnopqrstuvwxyz"),
    "fox",
]


@pytest.mark.parametrize("prompt", PROMPTS, ids=range(len(PROMPTS)))
def test_clip_reads_the_words_that_begin_within_its_tokens(prompt):
    tokenizer = open_clip.SimpleTokenizer(context_length=77)
    tokens = [len(tokenizer.encode(word)) for word in prompt.split()]
    begins = [sum(tokens[:place]) for place in range(len(tokens))]
    assert words_read(prompt, tokenizer) == sum(begin < 75 for begin in begins)


@pytest.mark.parametrize("prompt", PROMPTS, ids=range(len(PROMPTS)))
def test_image_reward_reads_the_words_that_begin_within_its_tokens(prompt):
    whole = BertWordPieceTokenizer({word: i for i, word in enumerate(WORDS)}, lowercase=True)
    tokens = [len(whole.encode(word, add_special_tokens=False).ids) for word in prompt.split()]
    begins = [sum(tokens[:place]) for place in range(len(tokens))]
    found = words_read(prompt, lambda prompts: PromptTokens(WORDS)(prompts)[0])
    assert found == sum(begin < LENGTH - 2 for begin in begins)


def test_a_clip_of_12_tokens_says_how_much_it_reads(tiny_folder):
    file = str(tiny_folder / "open_clip_model.safetensors")
    model = load_reward_model("CLIP score", file, FOLDER_CONFIG)
    text = "a b c d e f g h i j k l m n o p q r s t u v w x y z"
    read = model.words_read(text)
    assert 3 < read < 26
    pictures, words = torch.rand(1, 3, 16, 16), text.split()
    score = model.score(pictures, [text])
    assert torch.equal(model.score(pictures, [" ".join(words[:read])]), score)
    assert not torch.equal(model.score(pictures, [" ".join(words[: read - 1])]), score)


def test_a_model_that_reads_no_text_reads_all():
    assert load_reward_model("brightness").words_read("fox " * 400) == 400
