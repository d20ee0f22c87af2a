"""What several reward models share of one batch: computed once, for each what it asked for."""

import torch

from reward_models import load_reward_model
from reward_models.clip_architecture import FOLDER_CONFIG
from reward_models.clip_trunk import load_clip_trunk
from reward_models.image_batch import ImageBatch
from reward_models.preprocess import Preprocessing, preprocess

PLAIN = Preprocessing((8, 8), (0.1, 0.2, 0.3), (0.5, 0.6, 0.7))


def test_images_are_float32_whatever_was_given():
    given = torch.rand(4, 3, 5, 7, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    batch = ImageBatch(given)
    assert len(batch) == 4 and batch.images.dtype == torch.float32 and batch.device == torch.device("cpu")
    assert torch.equal(batch.images, given.float())


def test_work_is_done_on_the_device_and_kept_with_the_images():
    """The meta device stands for a GPU: results come and go, and what is asked for lies on `device`."""
    batch = ImageBatch(torch.rand(2, 3, 4, 4, device="meta"), torch.device("meta"))
    kept = batch.once("key", lambda: torch.ones(2, device="cpu"))
    assert kept.device.type == "meta" and batch.images.device.type == "meta"


def test_equal_preprocessings_are_computed_once_and_others_apart(pictures):
    batch = ImageBatch(pictures)
    again = Preprocessing((8, 8), (0.1, 0.2, 0.3), (0.5, 0.6, 0.7))
    padded = Preprocessing((8, 8), (0.1, 0.2, 0.3), (0.5, 0.6, 0.7), resize_mode="longest")
    first = batch.preprocessed(PLAIN)
    assert batch.preprocessed(again) is first
    assert torch.equal(first, preprocess(pictures, PLAIN))
    assert torch.equal(batch.preprocessed(padded), preprocess(pictures, padded))
    assert not torch.equal(batch.preprocessed(padded), first)


def test_once_computes_at_the_first_call_alone():
    batch, calls = ImageBatch(torch.rand(1, 3, 2, 2)), []
    for _ in range(3):
        result = batch.once(("a", 1), lambda: calls.append(0) or torch.arange(3.0))
        assert torch.equal(result, torch.arange(3.0))
    assert len(calls) == 1
    assert torch.equal(batch.once(("a", 2), lambda: torch.zeros(1)), torch.zeros(1))


def test_two_trunks_of_equal_preprocessing_do_not_take_each_others_embeddings(tiny_folder, pictures):
    file = str(tiny_folder / "open_clip_model.safetensors")
    first, second = (load_clip_trunk(file, FOLDER_CONFIG) for _ in range(2))
    with torch.no_grad():
        second.clip.visual.proj.copy_(second.clip.visual.proj.flip(-1))
    batch = ImageBatch(pictures)
    one, other = first.embed_images(batch), second.embed_images(batch)
    torch.testing.assert_close(one, other.flip(-1), rtol=0, atol=1e-6)
    assert (one - other).abs().max() > 0.01


def test_pick_score_and_clip_score_share_the_trunk_but_not_the_crop(tiny_folder):
    file = str(tiny_folder / "open_clip_model.safetensors")
    trunk = load_clip_trunk(file, FOLDER_CONFIG)
    pick, clip = (
        load_reward_model(kind, file, FOLDER_CONFIG, load_clip=lambda *_: trunk) for kind in ("PickScore", "CLIP score")
    )
    images = torch.rand(2, 3, 32, 43, generator=torch.Generator().manual_seed(2))  # half a pixel: 5.5
    batch, prompts = ImageBatch(images), ["fog", "a red cube"]
    ratio = pick.score_batch(batch, prompts) / clip.score_batch(batch, prompts)
    moved = clip.score(images[..., 5:37], prompts)
    scale = torch.tensor(trunk.logit_scale).exp()
    assert (ratio / scale - 1).abs().max() > 1e-4
    torch.testing.assert_close(pick.score_batch(batch, prompts), scale * moved, rtol=1e-5, atol=1e-5)
