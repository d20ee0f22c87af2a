"""Prompts as token ids against the tokenizer of the authors' own package, frozen as for test_image_reward.py."""

import hashlib
import json
from pathlib import Path

import pytest
import torch

from reward_models.image_reward.tokens import PromptTokens, read_vocabulary

FROZEN = json.loads((Path(__file__).parent / "references" / "image_reward.json").read_text())


def test_the_shipped_vocabulary_is_that_of_bert_base_uncased():
    words = read_vocabulary(Path("no such folder"), 30524)
    sha256 = hashlib.sha256("".join(f"{word}\n" for word in words).encode()).hexdigest()
    assert sha256 == "07eced375cec144d27c900241f3e339478dec958f92fddbc551f295c992038a3"


@pytest.mark.parametrize("prompt", FROZEN["tricky"], ids=ascii)
def test_token_ids_equal_those_of_the_authors_tokenizer(prompt):
    tokens = PromptTokens(read_vocabulary(Path("no such folder"), 30524))
    ids, mask = tokens([prompt, "another"])
    assert ids[0].tolist() == FROZEN["tricky"][prompt]
    assert torch.equal(mask, ids != 0)


def test_a_vocabulary_beside_the_file_wins_whatever_its_line_ends(tmp_path):
    (tmp_path / "vocab.txt").write_bytes("\r\n".join(FROZEN["words"]).encode())
    words = read_vocabulary(tmp_path, len(FROZEN["words"]) + 2)
    assert words == FROZEN["words"]
    assert PromptTokens(words)(FROZEN["prompts"])[0].tolist() == FROZEN["ids"]
