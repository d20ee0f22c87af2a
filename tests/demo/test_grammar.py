"""The demo model's prompts: GenEval's six kinds, the held-out split, and reading a prompt back."""

import pytest

from demo_model.grammar import COLOURS, KINDS, PROMPTS, SHAPES, parse


def test_every_kind_has_prompts_and_enough_are_held_out():
    kinds = {p.kind for p in PROMPTS.values()}
    assert kinds == set(KINDS)
    held_out = [p for p in PROMPTS.values() if p.held_out]
    assert len(held_out) >= 200
    assert {p.kind for p in held_out} == set(KINDS) - {"single object"}


def test_every_word_of_a_held_out_prompt_occurs_in_training():
    seen = {word for p in PROMPTS.values() if not p.held_out for word in p.text.split()}
    assert all(word in seen for p in PROMPTS.values() if p.held_out for word in p.text.split())
    assert all(name in seen for name in (*COLOURS, *SHAPES))


@pytest.mark.parametrize(
    ("text", "shapes", "colours", "relation"),
    [
        ("a circle", ["circle"], [None], None),
        ("Three  orange crosses.", ["cross"] * 3, ["orange"] * 3, None),
        ("an orange square above a blue cross", ["square", "cross"], ["orange", "blue"], "above"),
    ],
)
def test_a_prompt_is_read_back_to_its_meaning(text, shapes, colours, relation):
    prompt = parse(text)
    assert [o.shape for o in prompt.objects] == shapes
    assert [o.colour for o in prompt.objects] == colours
    assert prompt.relation == relation


def test_an_unknown_prompt_is_refused_with_an_example():
    with pytest.raises(ValueError, match="does not hold 'a photo of a cat'.*three red circles"):
        parse("a photo of a cat")
