"""Merging lookahead sets: the whole comes out, whatever the order of its parts, and nothing unlike is mixed."""

import itertools
from dataclasses import replace

import pytest
import torch

from lidar_core import LookaheadSet, Origin, merge, standardise

COUNT = 12


def part_of(whole, rows):
    return LookaheadSet(
        whole.latents[rows], whole.rewards[rows], whole.reward_name, whole.metadata,
        [whole.origins[row] for row in rows], {name: values[rows] for name, values in whole.scores.items()},
        whole.combination, [whole.pictures[row] for row in rows],
    )  # fmt: skip


@pytest.fixture
def whole():
    draws = torch.Generator().manual_seed(61)
    rewards = torch.randn(COUNT, generator=draws)
    return LookaheadSet(
        torch.randn(COUNT, 4, 3, 5, generator=draws), rewards, "CLIP score", {"prompt": "two cubes", "set": "k7f2"},
        [Origin(row, 9, "model", "euler") for row in range(COUNT)],
        {"CLIP score": rewards, "sharpness": torch.randn(COUNT, generator=draws)},
        pictures=[bytes([row]) * (row + 1) for row in range(COUNT)],
    )  # fmt: skip


def named(sets):
    return {f"set_{number}": each for number, each in enumerate(sets, start=1)}


def equal(one, other):
    assert torch.equal(one.latents, other.latents) and torch.equal(one.rewards, other.rewards)
    assert all(torch.equal(one.scores[name], other.scores[name]) for name in other.scores)
    return (one.origins, one.pictures, one.reward_name) == (other.origins, other.pictures, other.reward_name)


SHUFFLED = [[7, 2, 11], [4, 0, 9], [1, 10, 3], [8, 6, 5]]


def test_four_shuffled_parts_in_any_order_are_the_whole_bit_for_bit(whole):
    parts = [part_of(whole, rows) for rows in SHUFFLED]
    for order in itertools.permutations(parts):
        assert equal(merge(named(order), apart=["set"]), whole)
    assert dict(merge(named(parts), apart=["set"]).metadata) == {"prompt": "two cubes"}
    nested = merge({"set_1": merge(named(parts[2:])), "set_2": merge(named(parts[:2]))})
    assert equal(nested, whole)


def test_combined_rewards_are_weighed_over_all_and_not_over_each_part(whole):
    combination = (("CLIP score", 0.7), ((("sharpness", -1.0),), 0.3))
    rewards = 0.7 * standardise(whole.scores["CLIP score"]) + 0.3 * standardise(-standardise(whole.scores["sharpness"]))
    whole = replace(whole, rewards=rewards, reward_name="both", combination=combination)
    parts = [part_of(whole, rows) for rows in SHUFFLED]
    for part in parts:  # as each server sees it
        spread = part.scores["CLIP score"], part.scores["sharpness"]
        own = 0.7 * standardise(spread[0]) + 0.3 * standardise(-standardise(spread[1]))
        assert not torch.allclose(own, part.rewards, atol=0.05)
        object.__setattr__(part, "rewards", own)
    merged = merge(named(reversed(parts)))
    assert equal(merged, whole) and merged.combination == combination


def test_what_is_there_twice_is_kept_once_also_with_other_last_digits(whole):
    parts = [part_of(whole, [0, 1, 2, 3]), part_of(whole, [3, 2, 5])]
    other = replace(parts[1], latents=parts[1].latents * (1 + 1e-6))
    there, back = merge(named([parts[0], other])), merge(named([other, parts[0]]))
    assert equal(there, back) and [each.row for each in there.origins] == [0, 1, 2, 3, 5]


def test_one_row_of_different_pictures_seeds_or_models_is_several_lookaheads(whole):
    part = part_of(whole, [2, 3])
    from_a_photo = replace(part, latents=part.latents.flip(0))
    other_seed = replace(part, origins=[replace(each, seed=1) for each in part.origins])
    other_model = replace(part, origins=[replace(each, model="other") for each in part.origins])
    merged = merge(named([part, from_a_photo, other_seed, other_model]))
    assert [(each.seed, each.row) for each in merged.origins] == [(1, 2), (1, 3)] + [(9, 2)] * 3 + [(9, 3)] * 3
    assert equal(merged, merge(named([other_model, other_seed, from_a_photo, part])))
    assert torch.equal(merged.latents[:2], part.latents)


def test_lookaheads_of_unknown_seeds_come_last(whole):
    unknown = replace(part_of(whole, [4, 1]), origins=[Origin(4), Origin(1)])
    merged = merge({"set_1": unknown, "set_3": part_of(whole, [5])})
    assert [(each.seed, each.row) for each in merged.origins] == [(9, 5), (None, 1), (None, 4)]


def test_pictures_are_kept_only_where_all_have_them(whole):
    bare = replace(part_of(whole, [0]), pictures=())
    assert merge({"set_1": bare, "set_2": part_of(whole, [1])}).pictures == ()


LONG = "a very long prompt " * 9


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda each: replace(each, latents=each.latents[..., :2]), r"the size of the latents, '?\(4, 3, 5\)'? and '?\(4, 3, 2\)"),
        (lambda each: replace(each, reward_name="HPS"), "the reward, 'CLIP score' and 'HPS'"),
        (lambda each: replace(each, scores={"CLIP score": each.rewards}), "the judges, 'CLIP score, sharpness' and 'CLIP score'"),
        (lambda each: replace(each, combination=[("sharpness", 2)]), "the weights of the judges, .* and .*sharpness"),
        (lambda each: replace(each, metadata={"prompt": "one cube"}), "the prompt, 'two cubes' and 'one cube'"),
        (lambda each: replace(each, metadata={}), "the prompt, 'two cubes' and ''"),
    ],
)  # fmt: skip
def test_sets_that_are_not_alike_are_refused_in_one_line(whole, change, message):
    sets = {"set_2": part_of(whole, [0, 1]), "set_5": change(part_of(whole, [2, 3]))}
    with pytest.raises(ValueError, match=f"^set_2 and set_5 differ in {message}.*, wanted sets that are alike$"):
        merge(sets, apart=["set"])


def test_prompts_that_differ_at_their_end_are_refused_too(whole):
    sets = [replace(part_of(whole, [row]), metadata={"prompt": LONG + end}) for row, end in ((0, "x"), (1, "y"))]
    with pytest.raises(ValueError, match="differ in the prompt"):
        merge(named(sets))


def test_rewards_that_were_made_for_one_set_alone_are_refused(whole):
    picked = part_of(whole, [0, 1]).with_rewards(torch.tensor([3.0, 0.0]), "CLIP score + picks")
    with pytest.raises(
        ValueError, match="^the rewards 'CLIP score \\+ picks' were made for .* one set .* merge first, and pick then$"
    ):
        merge({"set_1": picked, "set_2": replace(picked, origins=[Origin(5, 9), Origin(6, 9)])})
