import os

import pytest

from reward_models.printable import printable


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain name.pt", "plain name.pt"),
        ("模型 🦙 é.pt", "模型 🦙 é.pt"),
        ("a\nb\tc\r\x00\x1b[31m", r"a\nb\tc\r\x00\x1b[31m"),
        (os.fsdecode(b"\xff\x80a"), r"\udcff\udc80a"),
        ("\ud800 \u202egnp \u200b \ufeff", r"\ud800 \u202egnp \u200b \ufeff"),
        (KeyError("x"), "'x'"),
    ],
)
def test_what_cannot_be_shown_is_escaped(text, shown):
    assert printable(text) == shown
    assert printable(text).isprintable()
    printable(text).encode("utf-8")


@pytest.mark.parametrize("text", ["a" * 10**6, "\n" * 10**6, "\ud800" * 150, "b" * 161])
def test_long_texts_lose_their_middle(text):
    shown = printable(text + "end")
    assert len(shown) == 160 and "..." in shown and shown.endswith("end")
    assert len(printable(text, 40)) == 40


def test_a_text_of_just_the_length_is_whole():
    assert printable("a" * 160) == "a" * 160
