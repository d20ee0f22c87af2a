"""Several rewards in one pass: nothing is loaded, resized or embedded twice, and each has its own column."""

import importlib
import json

import pytest
import torch

CLIP = {
    "embed_dim": 8,
    "vision_cfg": {"image_size": 16, "layers": 1, "width": 32, "head_width": 16, "patch_size": 8},
    "text_cfg": {"context_length": 12, "vocab_size": 49408, "width": 16, "heads": 2, "layers": 1},
}
FOLDER_CONFIG = "open_clip_config.json"


@pytest.fixture
def files(pack, tmp_path, monkeypatch):
    """A models folder with a tiny CLIP, its copy, and an aesthetic head for it."""
    import folder_paths
    import open_clip

    torch.manual_seed(3)
    clip = open_clip.CLIP(**CLIP)
    for name in ("clip.pt", "copy.pt"):
        torch.save(clip.state_dict(), tmp_path / name)
    sizes = [8, 6, 5, 4, 3, 1]
    layers = (0, 2, 4, 6, 7)
    head = {}
    for index, given, wanted in zip(layers, sizes, sizes[1:], strict=False):
        head[f"layers.{index}.weight"], head[f"layers.{index}.bias"] = torch.randn(wanted, given), torch.randn(wanted)
    torch.save(head, tmp_path / "head.pth")
    (tmp_path / FOLDER_CONFIG).write_text(json.dumps({"model_cfg": CLIP}))
    extensions = folder_paths.folder_names_and_paths["reward_models"][1]
    monkeypatch.setitem(folder_paths.folder_names_and_paths, "reward_models", ([str(tmp_path)], extensions))
    return tmp_path


@pytest.fixture
def load(node_classes, files):
    def run(kind, file="clip.pt", **others):
        return node_classes["LiDARRewardModelLoader"].execute(kind, file, FOLDER_CONFIG, **others).result[0]

    return run


@pytest.fixture
def family(load):
    """Four rewards on one CLIP file."""
    reference = torch.rand(2, 20, 24, 3)
    return [
        load("CLIP score"),
        load("LAION aesthetic v2", "head.pth", clip_file="clip.pt"),
        load("CLIP image similarity", reference=reference),
        load("CLIP negative prompt", negative_prompt="fog"),
    ]


@pytest.fixture
def scoring(pack, node_classes):
    return importlib.import_module(f"{pack.__name__}.nodes.host.scoring")


IMAGES = torch.rand(5, 20, 30, 3, generator=torch.Generator().manual_seed(6))


def test_rewards_on_one_file_share_one_trunk_and_one_embedding(family, scoring):
    trunks = {id(reward.model.trunk) for reward in family}
    assert len(trunks) == 1
    assert len({id(reward.patcher) for reward in family}) == 1
    looked = []
    visual = family[0].model.trunk.clip.visual
    handle = visual.register_forward_hook(lambda module, given, output: looked.append(len(given[0])))
    together = scoring.score_images(family, IMAGES, "a lamp", 2)
    handle.remove()
    assert sorted(looked) == [1, 1, 1, 2, 2], "three batches once, and the two references one by one"
    apart = [scoring.score_images([reward], IMAGES, "a lamp", 5)[0] for reward in family]
    for one, other in zip(together, apart, strict=True):
        torch.testing.assert_close(one.rewards, other.rewards, atol=1e-5, rtol=0)
    assert len({scores.name for scores in together}) == 4


def test_the_host_loads_a_shared_trunk_once(family, scoring, comfy, monkeypatch):
    import comfy.model_management

    loaded, original = [], comfy.model_management.load_models_gpu
    monkeypatch.setattr(
        comfy.model_management,
        "load_models_gpu",
        lambda models, *args, **kwargs: loaded.extend(models) or original(models, *args, **kwargs),
    )
    scoring.score_images(family, IMAGES, "a lamp", 2)
    assert {id(patcher) for patcher in loaded} == {id(family[0].patcher)}
    entries = [entry.model for entry in comfy.model_management.current_loaded_models]
    assert entries.count(family[0].patcher) == 1


def test_another_file_or_a_replaced_one_is_another_trunk(load, files):
    import os

    first = load("CLIP score")
    assert load("CLIP score", "copy.pt").model.trunk is not first.model.trunk
    assert load("CLIP score").model.trunk is first.model.trunk
    os.utime(files / "clip.pt", ns=(5, 5))
    assert load("CLIP score").model.trunk is not first.model.trunk


def test_a_trunk_goes_with_its_last_reward(load):
    import gc
    import weakref

    first, second = load("CLIP score"), load("CLIP negative prompt", negative_prompt="fog")
    trunk = weakref.ref(first.model.trunk)
    del first
    gc.collect()
    assert trunk() is second.model.trunk
    del second
    gc.collect()
    assert trunk() is None


def test_equal_preprocessing_is_done_once_for_different_trunks(pack, load, scoring, monkeypatch):
    batch_module = importlib.import_module(f"{pack.__name__}.reward_models.image_batch")
    done, original = [], batch_module.preprocess
    monkeypatch.setattr(
        batch_module, "preprocess", lambda images, how: done.append(len(images)) or original(images, how)
    )
    scoring.score_images([load("CLIP score"), load("CLIP score", "copy.pt")], IMAGES, "a lamp", 3)
    assert done == [3, 2]


def test_heads_stay_float32_when_the_host_wants_half_precision(load, scoring, comfy, monkeypatch):
    full = scoring.score_images([load("LAION aesthetic v2", "head.pth", clip_file="clip.pt")], IMAGES, "", 5)[0]
    monkeypatch.setattr(comfy.model_management, "should_use_fp16", lambda *args, **kwargs: True)
    hosted = load("LAION aesthetic v2", "head.pth", clip_file="clip.pt")
    assert next(hosted.model.trunk.parameters()).dtype == torch.float16
    assert {weight.dtype for weight in hosted.model.head.parameters()} == {torch.float32}
    half = scoring.score_images([hosted], IMAGES, "", 5)[0]
    assert half.rewards.dtype == torch.float32
    assert 0 < (half.rewards - full.rewards).abs().max() < 0.05


def test_batches_are_made_smaller_when_memory_is_short(load, scoring, comfy, monkeypatch):
    reward = load("CLIP score")
    sizes = []
    reward.model.trunk.clip.visual.register_forward_hook(lambda module, given, output: sizes.append(len(given[0])))
    truth = scoring.score_images([reward], IMAGES, "a lamp", 5)[0].rewards
    monkeypatch.setattr(comfy.model_management, "get_free_memory", lambda *args: 140 * 2**20)
    short = scoring.score_images([reward], IMAGES, "a lamp", 5)[0].rewards
    assert sizes == [5, 2, 2, 1]
    torch.testing.assert_close(short, truth, atol=1e-5, rtol=0)


def test_one_prompt_for_each_image(load, scoring):
    reward = load("CLIP score")
    prompts = ["a lamp", "fog", "a lamp", "two dogs", "x"]
    together = scoring.score_images([reward], IMAGES, prompts, 2)[0].rewards
    for i, prompt in enumerate(prompts):
        alone = scoring.score_images([reward], IMAGES[i : i + 1], prompt, 1)[0].rewards
        torch.testing.assert_close(together[i : i + 1], alone, atol=1e-5, rtol=0)
    with pytest.raises(ValueError, match="there are 4 prompts for 5 images"):
        scoring.score_images([reward], IMAGES, prompts[:4], 2)
