import pytest
import safetensors
import torch
from safetensors.torch import load_file, save_file

from lidar_core import FORMAT_VERSION, LookaheadSet, from_tensors, to_tensors


@pytest.fixture
def lookaheads():
    latents = torch.randn(3, 16, 4, 6, generator=torch.Generator().manual_seed(41))
    metadata = {"prompt": "zwei rote Würfel", "format": "the caller's own", "reward_name": "not this one"}
    return LookaheadSet(latents, torch.tensor([0.25, -1.5, 3e-9]), "CLIP score", metadata)


def test_a_set_survives_a_safetensors_file(lookaheads, tmp_path):
    tensors, metadata = to_tensors(lookaheads)
    save_file(tensors, tmp_path / "set.safetensors", metadata)
    with safetensors.safe_open(tmp_path / "set.safetensors", "pt") as file:
        loaded = from_tensors(load_file(tmp_path / "set.safetensors"), file.metadata())
    assert torch.equal(loaded.latents, lookaheads.latents) and torch.equal(loaded.rewards, lookaheads.rewards)
    assert loaded.reward_name == "CLIP score"
    assert dict(loaded.metadata) == dict(lookaheads.metadata)


def test_the_file_says_what_it_is(lookaheads):
    tensors, metadata = to_tensors(lookaheads)
    assert set(tensors) == {"latents", "rewards"}
    assert (metadata["format"], metadata["format_version"]) == ("lidar_lookahead_set", str(FORMAT_VERSION))
    assert (metadata["reward_name"], metadata["metadata.reward_name"]) == ("CLIP score", "not this one")


def test_entries_of_other_programs_are_ignored(lookaheads):
    tensors, metadata = to_tensors(lookaheads)
    loaded = from_tensors(tensors | {"preview": torch.zeros(1)}, metadata | {"modelspec.title": "x"})
    assert dict(loaded.metadata) == dict(lookaheads.metadata)


def test_another_version_is_refused_by_both_numbers(lookaheads):
    tensors, metadata = to_tensors(lookaheads)
    with pytest.raises(ValueError, match=f"format version '999', wanted '{FORMAT_VERSION}'"):
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
    with pytest.raises(ValueError, match=r"has tensors \['latents'\], wanted rewards too"):
        from_tensors(tensors, metadata)


def test_contents_are_validated_like_any_set(lookaheads):
    tensors, metadata = to_tensors(lookaheads)
    with pytest.raises(ValueError, match="rewards are not finite .* at lookahead no. 2, wanted"):
        from_tensors(tensors | {"rewards": torch.tensor([1.0, torch.nan, 2.0])}, metadata)
