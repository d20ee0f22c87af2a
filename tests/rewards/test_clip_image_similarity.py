"""CLIP image similarity against open_clip's own embeddings, with references of other sizes and in any number."""

import pytest
import torch
from open_clip.transform import image_transform
from PIL import Image

from reward_models import load_reward_model
from reward_models.clip_architecture import FOLDER_CONFIG
from reward_models.clip_trunk import load_clip_trunk

KIND = "CLIP image similarity"


@pytest.fixture
def clip_file(tiny_folder):
    return str(tiny_folder / "open_clip_model.safetensors")


@torch.no_grad()
def by_open_clip(clip, images):
    """Unit embeddings in float64 by open_clip's encoder and PIL transform, image by image."""
    transform = image_transform(32, is_train=False)
    bytes_of = [(image.permute(1, 2, 0) * 255).byte().numpy() for image in images]
    embeddings = clip.encode_image(torch.stack([transform(Image.fromarray(each)) for each in bytes_of])).double()
    return embeddings / embeddings.norm(dim=-1, keepdim=True)


def eight_bit(*shape, seed):
    return torch.randint(0, 256, shape, generator=torch.Generator().manual_seed(seed)).float() / 255


def test_references_may_be_of_another_size_than_the_images(tiny_clip, clip_file, pictures):
    images = (pictures * 255).byte().float() / 255
    reference = eight_bit(2, 3, 70, 33, seed=2)
    scores = load_reward_model(KIND, clip_file, FOLDER_CONFIG, reference=reference).score(images, [""] * 3)
    truth = (by_open_clip(tiny_clip, images) @ by_open_clip(tiny_clip, reference).T).mean(dim=1)
    assert scores.dtype == torch.float32 and scores.shape == (3,)
    assert truth.std() > 0.1
    assert (scores - truth).abs().max() < 0.01, "PIL rounds the noise of the references to 8 bits"


def test_the_mean_of_the_cosines_is_taken_not_the_cosine_of_the_mean(clip_file, pictures):
    square = torch.nn.functional.interpolate(pictures, (32, 32))
    one_by_one = [
        load_reward_model(KIND, clip_file, FOLDER_CONFIG, reference=square[i : i + 1]).score(square, [""] * 3)
        for i in range(3)
    ]
    together = load_reward_model(KIND, clip_file, FOLDER_CONFIG, reference=square).score(square, [""] * 3)
    torch.testing.assert_close(together, torch.stack(one_by_one).mean(dim=0), rtol=0, atol=1e-6)
    torch.testing.assert_close(torch.stack(one_by_one), torch.stack(one_by_one).T, rtol=0, atol=1e-6)
    assert (torch.stack(one_by_one).diagonal() - 1).abs().max() < 1e-6


def test_references_are_embedded_once_and_one_by_one(clip_file, pictures):
    model = load_reward_model(KIND, clip_file, FOLDER_CONFIG, reference=pictures.repeat(2, 1, 1, 1))
    seen = []
    model.trunk.clip.visual.register_forward_hook(lambda module, given, output: seen.append(len(given[0])))
    first = model.score(pictures, [""] * 3)
    assert seen == [1] * 6 + [3]
    assert torch.equal(model.score(pictures, [""] * 3), first) and seen == [1] * 6 + [3, 3]


def test_the_prompt_plays_no_part_and_the_name_says_which_clip(clip_file, pictures):
    model = load_reward_model(KIND, clip_file, FOLDER_CONFIG, reference=pictures[:1])
    assert torch.equal(model.score(pictures, ["a", "b", "c"]), model.score(pictures, [""] * 3))
    assert not model.reads_prompt and model.name == "CLIP image similarity (tiny)"


def test_half_precision_trunks_keep_the_order(clip_file, pictures):
    reference = pictures.flip(-1)
    full = load_reward_model(KIND, clip_file, FOLDER_CONFIG, reference=reference).score(pictures, [""] * 3)
    model = load_reward_model(KIND, clip_file, FOLDER_CONFIG, reference=reference)
    model.trunk.half()
    half = model.score(pictures, [""] * 3)
    assert half.dtype == torch.float32
    assert 0 < (half - full).abs().max() < 3e-3


def test_two_models_of_one_trunk_keep_their_own_references(clip_file, pictures):
    trunk = load_clip_trunk(clip_file, FOLDER_CONFIG)
    models = [
        load_reward_model(KIND, clip_file, FOLDER_CONFIG, reference=pictures[i : i + 1], load_clip=lambda *_: trunk)
        for i in range(2)
    ]
    scores = torch.stack([model.score(pictures, [""] * 3) for model in models])
    assert scores.argmax(dim=1).tolist() == [0, 1]


def test_without_a_reference_the_input_is_named(clip_file):
    with pytest.raises(ValueError, match="^CLIP image similarity compares with a picture: connect one to 'reference'$"):
        load_reward_model(KIND, clip_file, FOLDER_CONFIG)
