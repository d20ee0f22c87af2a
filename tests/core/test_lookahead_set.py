import copy
import dataclasses
import pickle

import pytest
import torch

from lidar_core import LookaheadSet, Origin


def make_set(rewards=(0.5, -1.0, 2.0, 0.5), name="warmth", metadata=None):
    latents = torch.arange(len(rewards) * 12, dtype=torch.float32).view(len(rewards), 3, 2, 2) + rewards[0]
    return LookaheadSet(latents, torch.tensor(rewards), name, metadata or {})


@pytest.mark.parametrize(
    ("dtype", "reward_dtype"),
    [(torch.float32, torch.float32), (torch.float64, torch.float16), (torch.bfloat16, torch.float64)],
)
def test_tensors_become_float32_cpu_copies(dtype, reward_dtype):
    latents, rewards = torch.rand(3, 4, 2, dtype=dtype), torch.tensor([1, 2, 3], dtype=reward_dtype)
    kept = latents.clone()
    lookaheads = LookaheadSet(latents, rewards)
    latents.zero_()
    rewards.zero_()
    for tensor in (lookaheads.latents, lookaheads.rewards):
        assert tensor.dtype == torch.float32 and tensor.device.type == "cpu" and tensor.is_contiguous()
    assert torch.equal(lookaheads.latents, kept.float())
    assert lookaheads.rewards.tolist() == [1, 2, 3]
    assert lookaheads.count == 3


def test_gradients_and_strides_stay_behind():
    latents = torch.rand(2, 4, 6, 5).contiguous(memory_format=torch.channels_last).requires_grad_()
    lookaheads = LookaheadSet(latents, torch.tensor([0.0, 1.0]))
    assert not lookaheads.latents.requires_grad and lookaheads.latents.is_contiguous()
    assert torch.equal(lookaheads.latents, latents)


def test_fields_and_metadata_cannot_be_changed():
    metadata = {"prompt": "a red circle"}
    lookaheads = make_set(metadata=metadata)
    metadata["prompt"] = "changed"
    assert lookaheads.metadata["prompt"] == "a red circle"
    with pytest.raises(dataclasses.FrozenInstanceError):
        lookaheads.rewards = torch.zeros(4)
    with pytest.raises(TypeError, match="item assignment"):
        lookaheads.metadata["prompt"] = "changed"


@pytest.mark.parametrize("duplicate", [copy.deepcopy, lambda value: pickle.loads(pickle.dumps(value))])
def test_a_set_can_be_copied_and_pickled(duplicate):
    lookaheads = make_set(metadata={"seed": "7"})
    other = duplicate(lookaheads)
    assert torch.equal(other.latents, lookaheads.latents) and torch.equal(other.rewards, lookaheads.rewards)
    assert (other.reward_name, dict(other.metadata)) == ("warmth", {"seed": "7"})


def test_order_is_best_first_and_equals_keep_their_order():
    assert make_set().order().tolist() == [2, 0, 3, 1]
    # Many: torch sorts a few stably by itself.
    rewards = torch.arange(3000.0) % 3
    lookaheads = LookaheadSet(torch.zeros(3000, 1), rewards)
    expected = sorted(range(3000), key=lambda i: (-rewards[i].item(), i))
    assert lookaheads.order().tolist() == expected


def test_with_rewards_replaces_the_rewards_alone():
    lookaheads = make_set(metadata={"seed": "7"})
    other = lookaheads.with_rewards(torch.tensor([1.0, 2.0, 3.0, 4.0]), "brightness")
    assert (other.reward_name, other.rewards.tolist()) == ("brightness", [1, 2, 3, 4])
    assert torch.equal(other.latents, lookaheads.latents) and other.metadata == lookaheads.metadata
    assert (lookaheads.reward_name, lookaheads.rewards.tolist()) == ("warmth", [0.5, -1, 2, 0.5])
    with pytest.raises(ValueError, match=r"rewards have shape \(3,\), wanted \(4,\)"):
        lookaheads.with_rewards(torch.zeros(3), "brightness")


def test_without_more_each_is_a_row_of_an_unknown_seed_and_its_reward_the_only_score():
    lookaheads = make_set()
    assert lookaheads.origins == tuple(Origin(row) for row in range(4)) and lookaheads.origins[2].seed is None
    assert list(lookaheads.scores) == ["warmth"] and torch.equal(lookaheads.scores["warmth"], lookaheads.rewards)
    assert (lookaheads.combination, lookaheads.pictures) == ((), ())


def test_other_rewards_keep_scores_origins_and_pictures_and_no_combination():
    origins, pictures = [Origin(row, 7) for row in (3, 1, 0, 9)], [b"1", b"2", b"3", b"4"]
    scores = {"warmth": torch.tensor([0.5, 2.0, 3.0, 4.0]), "light": torch.tensor([4.0, 3.0, 2.0, 1.0])}
    lookaheads = LookaheadSet(
        torch.ones(4, 2), torch.ones(4), "both", {}, origins, scores, [("warmth", 1), ("light", 2)], pictures
    )
    other = lookaheads.with_rewards(torch.zeros(4), "picks")
    assert other.origins == tuple(origins) and other.pictures == tuple(pictures) and other.combination == ()
    assert all(torch.equal(other.scores[name], scores[name]) for name in scores)
    with pytest.raises(TypeError, match="item assignment"):
        other.scores["light"] = torch.zeros(4)


@pytest.mark.parametrize(
    ("more", "kind", "message"),
    [
        ({"origins": [Origin(0)]}, ValueError, "there are 1 origins, wanted 3, one for each lookahead"),
        ({"origins": [0, 1, 2]}, TypeError, "origins hold something else, wanted Origin alone"),
        ({"pictures": [b"1", b"2"]}, ValueError, "there are 2 pictures, wanted 3"),
        ({"pictures": ["1", "2", "3"]}, TypeError, "pictures hold something else, wanted bytes alone"),
        ({"scores": {"light": torch.ones(2)}}, ValueError, r"scores have shape \(2,\), wanted \(3,\)"),
        (
            {"scores": {"light": torch.tensor([1.0, torch.inf, 2.0])}},
            ValueError,
            "scores are not finite .* at lookahead no. 2",
        ),
        ({"scores": [torch.ones(3)]}, TypeError, "scores are something else, wanted a mapping"),
        (
            {"combination": [("light", 1.0)]},
            ValueError,
            "a combination names the score 'light', wanted one that is there",
        ),
        (
            {"combination": [("warmth", torch.nan)]},
            ValueError,
            "a weight of a combination is float, wanted a finite number",
        ),
    ],
)
def test_what_goes_with_lookaheads_is_one_for_each(more, kind, message):
    with pytest.raises(kind, match=message):
        LookaheadSet(torch.ones(3, 2), torch.ones(3), "warmth", **more)


@pytest.mark.parametrize(
    ("arguments", "kind", "message"),
    [
        ((-1,), ValueError, "row of a lookahead is out of range, wanted a whole number from 0 to 2147483647"),
        (
            (0, 2**64),
            ValueError,
            "seed of a lookahead is out of range, wanted a whole number from 0 to 18446744073709551615",
        ),
        ((1.0,), TypeError, "row of a lookahead is float, wanted a whole number"),
        ((True,), TypeError, "row of a lookahead is bool, wanted a whole number"),
        ((0, 1, 2), TypeError, "model of a lookahead is int, wanted a text"),
    ],
)
def test_an_origin_is_a_row_a_seed_and_texts(arguments, kind, message):
    with pytest.raises(kind, match=message):
        Origin(*arguments)


LATENTS = torch.ones(3, 4, 2, 2)
REWARDS = torch.tensor([1.0, 2.0, 3.0])


@pytest.mark.parametrize(
    ("latents", "rewards", "message"),
    [
        (torch.ones(0, 4, 2, 2), torch.ones(0), r"latents have shape \(0, 4, 2, 2\), wanted at least one"),
        (torch.ones(3, 0, 2), REWARDS, r"latents have shape \(3, 0, 2\), wanted at least one non-empty"),
        (torch.ones(3), REWARDS, r"latents have shape \(3,\), wanted \(n, \*latent shape\)"),
        (LATENTS, torch.ones(2), r"rewards have shape \(2,\), wanted \(3,\), one for each lookahead"),
        (LATENTS, torch.ones(3, 1), r"rewards have shape \(3, 1\), wanted \(3,\)"),
        (
            LATENTS,
            torch.tensor([1.0, torch.nan, torch.inf]),
            r"rewards are not finite or .* at lookahead no. 2, 3, want",
        ),
        (
            LATENTS,
            torch.full((3,), 1e300, dtype=torch.float64),
            r"rewards are not finite or .* at lookahead no. 1, 2, 3,",
        ),
        (
            torch.cat([LATENTS[:2], LATENTS[:1] / 0]),
            REWARDS,
            r"latents are not finite or .* at lookahead no. 3, wanted",
        ),
        (torch.full((9, 2), torch.nan), torch.ones(9), r"at lookahead no. 1, 2, 3, 4, 5 and 4 more, wanted finite"),
        (LATENTS.int(), REWARDS, r"latents are torch.int32, torch.strided, on cpu, wanted a dense tensor of float16"),
        (LATENTS, REWARDS.to(torch.complex64), r"rewards are torch.complex64, torch.strided, on cpu, wanted a dense"),
        (LATENTS.to_sparse(), REWARDS, r"latents are torch.float32, torch.sparse_coo, on cpu, wanted a dense"),
        (LATENTS.to("meta"), REWARDS, r"latents are torch.float32, torch.strided, on meta, wanted a dense"),
    ],
)
def test_bad_contents_are_refused_with_what_came_and_what_was_wanted(latents, rewards, message):
    with pytest.raises(ValueError, match=message):
        LookaheadSet(latents, rewards)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([[1.0]], REWARDS), "latents is a list, wanted a torch.Tensor"),
        ((LATENTS, [1.0, 2.0, 3.0]), "rewards is a list, wanted a torch.Tensor"),
        ((LATENTS, REWARDS, None), "reward_name is a NoneType, wanted a str"),
        ((LATENTS, REWARDS, "", {"seed": 7}), "metadata has 'seed': int, wanted str"),
        ((LATENTS, REWARDS, "", {"a\n" * 99: b"7"}), r"metadata has '(a\\n){19}a\\\.\.\.: bytes, wanted str"),
        ((LATENTS, REWARDS, "", [("seed", "7")]), "metadata is a list, wanted a mapping of str to str"),
    ],
)
def test_wrong_types_are_refused(arguments, message):
    with pytest.raises(TypeError, match=message):
        LookaheadSet(*arguments)
