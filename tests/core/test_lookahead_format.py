import pytest
import safetensors
import torch
from safetensors.torch import load_file, save_file

from lidar_core import FORMAT_VERSION, LookaheadSet, Origin, from_tensors, to_tensors

ORIGINS = (
    Origin(4, 2**64 - 1, "sd_xl.safetensors, lcm.safetensors", "euler, simple, 4 steps, cfg 1"),
    Origin(0, 7),
    Origin(2),
)
PICTURES = (b"\xff\xd8one", b"\xff\xd8another", b"\xff\xd8\x00")


@pytest.fixture
def lookaheads():
    latents = torch.randn(3, 16, 4, 6, generator=torch.Generator().manual_seed(41))
    metadata = {"prompt": "zwei rote Würfel", "format": "the caller's own", "reward_name": "not this one"}
    rewards = torch.tensor([0.25, -1.5, 3e-9])
    scores = {"CLIP score": rewards, "sharpness \u2028": torch.tensor([9.0, 1 / 3, 1e-30])}
    combination = (("CLIP score", 1.0), ((("CLIP score", 0.1), ("sharpness \u2028", -1 / 3)), 2.0))
    return LookaheadSet(latents, rewards, "CLIP score", metadata, ORIGINS, scores, combination, PICTURES)


def same(one, other):
    assert torch.equal(one.latents, other.latents) and torch.equal(one.rewards, other.rewards)
    assert list(one.scores) == list(other.scores)
    assert all(torch.equal(one.scores[name], other.scores[name]) for name in one.scores)
    for name in ("reward_name", "metadata", "origins", "combination", "pictures"):
        assert getattr(one, name) == getattr(other, name), name
    return True


def test_a_set_survives_a_safetensors_file(lookaheads, tmp_path):
    tensors, metadata = to_tensors(lookaheads)
    save_file(tensors, tmp_path / "set.safetensors", metadata)
    with safetensors.safe_open(tmp_path / "set.safetensors", "pt") as file:
        loaded = from_tensors(load_file(tmp_path / "set.safetensors"), file.metadata())
    assert same(loaded, lookaheads)


def test_a_set_without_pictures_or_scores_survives_too(lookaheads):
    bare = LookaheadSet(lookaheads.latents, lookaheads.rewards, scores={})
    assert same(from_tensors(*to_tensors(bare)), bare)


def test_halves_of_characters_are_escaped_and_others_are_kept(tmp_path):
    odd = LookaheadSet(torch.ones(1, 2), torch.ones(1), "caf\udce9", {"prompt": "\ud800 é 🎨", "\udfff": "x"})
    tensors, metadata = to_tensors(odd)
    save_file(tensors, tmp_path / "set.safetensors", metadata)
    loaded = from_tensors(tensors, metadata)
    assert loaded.reward_name == "caf\\udce9" and dict(loaded.metadata) == {"prompt": "\\ud800 é 🎨", "\\udfff": "x"}


def test_the_file_says_what_it_is(lookaheads):
    tensors, metadata = to_tensors(lookaheads)
    assert {name: (tensor.dtype, tuple(tensor.shape)) for name, tensor in tensors.items()} == {
        "latents": (torch.float32, (3, 16, 4, 6)),
        "rewards": (torch.float32, (3,)),
        "scores": (torch.float32, (2, 3)),
        "pictures": (torch.uint8, (5 + 9 + 3,)),
    }
    assert (metadata["format"], metadata["format_version"]) == ("lidar_lookahead_set", str(FORMAT_VERSION))
    assert (metadata["reward_name"], metadata["metadata.reward_name"]) == ("CLIP score", "not this one")


def test_version_1_stays_readable():
    tensors = {"latents": torch.ones(3, 4, 2, 2), "rewards": torch.tensor([0.5, 2.0, 1.0])}
    metadata = {
        "format": "lidar_lookahead_set", "format_version": "1", "reward_name": "CLIP score", "metadata.prompt": "a lamp",
        "metadata.batch_index": "4 0 2",
    }  # fmt: skip
    loaded = from_tensors(tensors, metadata)
    assert [(each.row, each.seed) for each in loaded.origins] == [(4, None), (0, None), (2, None)]
    assert dict(loaded.metadata) == {"prompt": "a lamp"} and loaded.rewards.tolist() == [0.5, 2, 1]
    assert loaded.scores["CLIP score"].tolist() == [0.5, 2, 1]
    del metadata["metadata.batch_index"]
    assert [each.row for each in from_tensors(tensors, metadata).origins] == [0, 1, 2]
    for rows in ("4 0", "4 0 x", "4 0 -2", "", "4 0 ٣", "1.0 2 3", f"4 0 {10**30}"):
        with pytest.raises(ValueError, match="wanted"):
            from_tensors(tensors, metadata | {"metadata.batch_index": rows})


def test_entries_of_other_programs_are_ignored(lookaheads):
    tensors, metadata = to_tensors(lookaheads)
    loaded = from_tensors(tensors | {"preview": torch.zeros(1)}, metadata | {"modelspec.title": "x"})
    assert dict(loaded.metadata) == dict(lookaheads.metadata)


def test_another_version_is_refused_by_both_numbers(lookaheads):
    tensors, metadata = to_tensors(lookaheads)
    with pytest.raises(ValueError, match=f"format version '999', wanted '{FORMAT_VERSION}' or an older one; update"):
        from_tensors(tensors, metadata | {"format_version": "999"})
    del metadata["format_version"]
    with pytest.raises(ValueError, match=f"format version None, wanted '{FORMAT_VERSION}'"):
        from_tensors(tensors, metadata)


@pytest.mark.parametrize("metadata", [None, {}, {"format": "pt"}])
def test_another_kind_of_file_is_refused(lookaheads, metadata):
    with pytest.raises(ValueError, match="holds no lookahead set: format (None|'pt'), wanted 'lidar_lookahead_set'"):
        from_tensors(to_tensors(lookaheads)[0], metadata)


def test_a_missing_tensor_is_named(lookaheads):
    tensors, metadata = to_tensors(lookaheads)
    del tensors["rewards"]
    with pytest.raises(ValueError, match=r"has tensors \['latents', 'pictures', 'scores'\], wanted rewards too"):
        from_tensors(tensors, metadata)


def test_contents_are_validated_like_any_set(lookaheads):
    tensors, metadata = to_tensors(lookaheads)
    with pytest.raises(ValueError, match="rewards are not finite .* at lookahead no. 2, wanted"):
        from_tensors(tensors | {"rewards": torch.tensor([1.0, torch.nan, 2.0])}, metadata)
