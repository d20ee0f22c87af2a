"""--held-out takes what the server's own loader offers, and tells what it does not."""

import pytest

from devtools.cache import SetupError
from devtools.compare.held_out import held_out_reward


def test_what_is_not_named_has_the_loaders_default(object_info):
    name, inputs = held_out_reward("PickScore, file=pick.safetensors", object_info)
    assert name == "PickScore, file=pick.safetensors"
    assert inputs == {"kind": "PickScore", "file": "pick.safetensors", "architecture": "ViT-L-14"}
    _, inputs = held_out_reward("contrast,negative_prompt=a=b,clip_file=b.pt,architecture=ViT-H-14", object_info)
    assert inputs["negative_prompt"] == "a=b" and inputs["clip_file"] == "b.pt" and inputs["architecture"] == "ViT-H-14"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("Pick", "this server has no kind 'Pick'; it has auto, PickScore, contrast"),
        ("", "this server has no kind ''"),
        ("PickScore,file=other.pt", "this server has no file 'other.pt'; it has none, pick.safetensors"),
        ("PickScore,pick.safetensors", "got 'pick.safetensors', wanted NAME=VALUE"),
        ("PickScore,model=x", "got 'model=x', wanted NAME=VALUE with a NAME of file, architecture"),
        ("contrast,clip_file=c.pt", "this server has no clip_file 'c.pt'; it has none, b.pt"),
    ],
)
def test_what_the_server_does_not_offer_is_told(object_info, text, told):
    with pytest.raises(SetupError) as error:
        held_out_reward(text, object_info)
    assert told in str(error.value) and "\n" not in str(error.value)
