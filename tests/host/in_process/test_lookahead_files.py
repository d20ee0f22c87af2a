"""LiDAR Save, Load and Merge Lookaheads: what is kept comes back, in its place, and steers as it did before."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

SEED = 2602
REWARDS = torch.tensor([0.2, -0.7, 1.9, 0.4, 1.1, 0.9, -0.2, 0.5])


@pytest.fixture(scope="module")
def model(build_model):
    return build_model("EPS")


@pytest.fixture(autouse=True)
def folders(comfy, monkeypatch, tmp_path):
    import folder_paths

    for name in ("output", "input", "temp"):
        (tmp_path / name).mkdir()
        monkeypatch.setattr(folder_paths, f"{name}_directory", str(tmp_path / name))
    return tmp_path


@pytest.fixture
def draw(node_classes, conditioning, model):
    def run(**settings):
        settings = {"seed": SEED, "count": 8, "steps": 2, "cfg": 1.0, "batch_size": 2} | settings
        latent = {"samples": torch.zeros(1, 4, 8, 8)}
        return node_classes["LiDARSampleLookaheads"].execute(model, *conditioning, latent, **settings).result[0]

    return run


def decoded(lookaheads):
    """Soft images of them: a colour from the top to another at the bottom."""
    ends = (lookaheads["samples"].mean(dim=-1)[:, :3, [0, -1]] / 50).sigmoid()
    return torch.nn.functional.interpolate(ends, 16, mode="linear").movedim(1, -1)[:, :, None].expand(-1, -1, 24, -1)


@pytest.fixture
def judge(node_classes):
    """judge(lookaheads) -> the set, scored by two rewards together, two images at a time; they follow from the latents."""
    load = node_classes["LiDARRewardModelLoader"]
    members = {
        f"reward_{number}": load.execute(kind).result[0] for number, kind in ((1, "brightness"), (2, "contrast"))
    }
    both = node_classes["LiDARCombineRewards"].execute(members, "0.7, -0.3").result[0]

    def run(lookaheads, images=None):
        images = decoded(lookaheads) if images is None else images
        return node_classes["LiDARScoreLookaheads"].execute(lookaheads, images, both, batch_size=2).result[0]

    return run


@pytest.fixture
def save(node_classes):
    """save(lookaheads, ...) -> the name by which the file can be loaded."""

    def run(lookaheads, prefix="lookaheads", overwrite=False, **more):
        output = node_classes["LiDARSaveLookaheads"].execute(lookaheads, prefix, overwrite, **more)
        (saved,) = output.ui["latents"]
        assert saved["type"] == "output"
        return f"{saved['subfolder']}/{saved['filename']} [output]"

    return run


@pytest.fixture
def load(node_classes):
    return lambda name: node_classes["LiDARLoadLookaheads"].execute(name).result


@pytest.fixture
def merge(node_classes):
    def run(*sets):
        named = {f"set_{number}": each for number, each in enumerate(sets, start=1)}
        return node_classes["LiDARMergeLookaheads"].execute(named).result

    return run


def equal(one, other):
    assert torch.equal(one.latents, other.latents) and torch.equal(one.rewards, other.rewards)
    assert all(torch.equal(one.scores[name], other.scores[name]) for name in other.scores)
    for name in ("reward_name", "origins", "combination", "pictures"):
        assert getattr(one, name) == getattr(other, name), name
    return dict(one.metadata) == dict(other.metadata)


def test_a_saved_set_comes_back_bit_for_bit(draw, judge, save, load):
    scored = judge(draw())
    latent, images, loaded = load(save(scored))
    assert equal(loaded, scored)
    assert torch.equal(latent["samples"], scored.latents) and latent["batch_index"] == list(range(8))
    assert images.shape == (8, 16, 24, 3)
    assert (images - decoded(latent)).abs().max() < 0.05, "small JPEGs of the same pictures"
    assert [(each.seed, each.row) for each in loaded.origins] == [(SEED, row) for row in range(8)]
    assert loaded.origins[3].sampler == "dpmpp_2m, karras, 2 steps, cfg 1"
    assert set(loaded.scores) == {"brightness", "contrast"}


def test_four_saved_parts_merge_into_the_whole_bit_for_bit(draw, judge, save, load, merge):
    whole = judge(draw())
    parts = [load(save(judge(draw(first_row=first, count=2))))[2] for first in (4, 0, 6, 2)]
    latent, _, merged = merge(*parts)
    other = merge(*reversed(parts), parts[1])[2]
    assert equal(merged, other), "in any order, also with one of them twice"
    named = {"set": merged.metadata["set"]}
    assert len(named["set"]) == 4
    assert torch.equal(merged.latents, whole.latents) and torch.equal(merged.rewards, whole.rewards)
    assert (merged.origins, merged.pictures, merged.reward_name) == (whole.origins, whole.pictures, whole.reward_name)
    assert torch.equal(latent["samples"], whole.latents)


def test_what_was_loaded_and_merged_steers_as_the_whole_did(
    node_classes, draw, judge, save, load, merge, model, conditioning
):
    import nodes

    whole = judge(draw())
    parts = [load(save(judge(draw(first_row=first, count=4))))[2] for first in (4, 0)]
    latent, images, merged = merge(*parts)

    def images_of(lookaheads):
        picked = node_classes["LiDARPickLookaheads"].execute(lookaheads, "2, -3").result[0]
        start, seed = node_classes["LiDARStartFromBest"].execute({"samples": torch.zeros(2, 4, 8, 8)}, picked).result
        guided = node_classes["LiDARApplyGuidance"].execute(model, picked).result[0]
        assert seed == SEED
        return nodes.common_ksampler(guided, seed, 3, 1.0, "euler", "simple", *conditioning, start, 1.0)[0]["samples"]

    assert torch.equal(images_of(merged), images_of(whole))
    again = judge(latent, images)  # from small JPEGs, so nearly
    assert again.origins == whole.origins
    torch.testing.assert_close(again.scores["brightness"], whole.scores["brightness"], atol=0.05, rtol=0)
    again = judge(latent)
    assert torch.equal(again.rewards, whole.rewards)


def test_pictures_are_asked_for_only_where_there_are_some(node_classes, draw, save, load):
    from comfy_execution.graph_utils import ExecutionBlocker

    values = node_classes["LiDARRewardsFromValues"].execute([draw()], REWARDS.tolist()).result[0]
    blocked = load(save(values))[1]
    assert isinstance(blocked, ExecutionBlocker)
    assert blocked.message.startswith(
        "LiDAR Load Lookaheads: its output images is used, but these lookaheads have no pictures: decode"
    )
    images = torch.rand(8, 16, 16, 3)
    assert load(save(values, images=images))[1].shape == (8, 16, 16, 3)
    with pytest.raises(
        ValueError, match="^LiDAR Save Lookaheads: there are 8 lookaheads but 3 images; connect what VAE Decode"
    ):
        save(values, images=images[:3])


def test_no_file_is_overwritten_unasked(draw, judge, save, load, folders):
    first, second = judge(draw()), judge(draw(seed=1))
    names = [save(each, "a/set") for each in (first, second)]
    assert names == ["lidar/a/set_00001_.safetensors [output]", "lidar/a/set_00002_.safetensors [output]"]
    assert equal(load(names[0])[2], first) and equal(load(names[1])[2], second)
    assert [save(each, "a/set.safetensors", overwrite=True) for each in (first, second)] == [
        "lidar/a/set.safetensors [output]"
    ] * 2
    assert equal(load("lidar/a/set.safetensors [output]")[2], second)
    (folders / "output/lidar/a/set_00003_.safetensors").write_bytes(b"somebody else's, made meanwhile")
    assert save(first, "a/set") == "lidar/a/set_00004_.safetensors [output]"
    assert {path.suffix for path in (folders / "output/lidar/a").iterdir()} == {".safetensors"}, "no draft is left"


@pytest.mark.parametrize("prefix", ["../x", "a/../../x", "/etc/x", "..", "a\\..\\..\\x", "x\0y"])
def test_nothing_is_written_outside_of_the_folder(draw, judge, save, folders, prefix):
    before = sorted(folders.rglob("*"))
    with pytest.raises(
        ValueError, match="^LiDAR Save Lookaheads: filename_prefix .* is (outside of output/lidar|no name .*): write "
    ):
        save(judge(draw(count=2)), prefix)
    assert [path for path in sorted(folders.rglob("*")) if "temp" not in path.parts and path not in before] == []


def test_nothing_is_read_outside_of_the_folders(draw, judge, save, load, folders):
    scored = judge(draw(count=2))
    inside = folders / "output" / save(scored).removesuffix(" [output]")
    (folders / "outside.safetensors").write_bytes(inside.read_bytes())
    (folders / "input" / "link.safetensors").symlink_to(folders / "outside.safetensors")
    outside = [
        "../outside.safetensors", "../outside.safetensors [output]", f"{folders}/outside.safetensors", "link.safetensors",
        "lidar/../../outside.safetensors [output]", "..\\outside.safetensors", "x\0.safetensors",
    ]  # fmt: skip
    for name in outside:
        with pytest.raises(
            ValueError,
            match="^LiDAR Load Lookaheads: .* is not there: choose a file of output/lidar or of the input folder",
        ):
            load(name)
    (folders / "input" / "given.safetensors").write_bytes(inside.read_bytes())
    assert equal(load("given.safetensors")[2], scored)


def test_files_are_offered_newest_first_and_by_names_that_load(node_classes, draw, judge, save, load, folders):
    scored = judge(draw(count=2))
    for age, prefix in ((300, "old"), (100, "new"), (200, "deep/er")):
        path = folders / "output" / save(scored, prefix).removesuffix(" [output]")
        os.utime(path, (time.time() - age, time.time() - age))
    (folders / "input" / "given.safetensors").write_bytes(path.read_bytes())
    (folders / "input" / "photo.png").write_bytes(b"")
    (offered,) = (each.options for each in node_classes["LiDARLoadLookaheads"].define_schema().inputs)
    saved = [f"lidar/{name}_00001_.safetensors [output]" for name in ("new", "deep/er", "old")]
    assert offered == ["none", *saved, "given.safetensors"]
    assert all(equal(load(name)[2], scored) for name in offered[1:])
    assert node_classes["LiDARLoadLookaheads"].validate_inputs("none").startswith("no file is chosen: save one")


def test_a_full_disk_is_told_in_one_line(draw, judge, save, monkeypatch):
    def no_room(handle):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", no_room)
    with pytest.raises(
        ValueError, match=r"^LiDAR Save Lookaheads: .* cannot be saved .* \(No space left on device\): free space there"
    ):
        save(judge(draw(count=2)))


KILLED = """
import asyncio, importlib.util, sys, time
host, pack, output = sys.argv[1:]
sys.argv = sys.argv[:1] + ["--cpu", "--output-directory", output]
sys.path[:0] = [host]
spec = importlib.util.spec_from_file_location("the_pack", pack + "/__init__.py")
sys.modules["the_pack"] = module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
import comfy.options
comfy.options.enable_args_parsing()
import utils.extra_config  # as main.py does, before nodes
import folder_paths
folder_paths.set_output_directory(output)
asyncio.run(asyncio.run(module.comfy_entrypoint()).get_node_list())
import torch
files, core = sys.modules["the_pack.nodes.host.lookahead_files"], sys.modules["the_pack.lidar_core"]

class Slow:
    def __init__(self, path, mode):
        self.file = open(path, mode)
    def __enter__(self):
        return self
    def __exit__(self, *error):
        self.file.close()
    def write(self, data):
        self.file.write(data[: len(data) // 2])
        self.file.flush()
        print("half", flush=True)
        time.sleep(600)

files.open = Slow
files.save(core.LookaheadSet(torch.full((64, 16, 64, 64), 2.0), torch.arange(64.0)), "kept", overwrite=True)
"""


def test_a_process_that_is_killed_in_the_middle_of_a_save_leaves_the_old_file_whole(
    host_path, folders, save, load, lidar_core
):
    def of(value):
        return lidar_core.LookaheadSet(torch.full((64, 16, 64, 64), value), torch.arange(64.0))

    name = save(of(1.0), "kept", overwrite=True)
    command = [sys.executable, "-c", KILLED, str(host_path), str(Path(__file__).parents[3]), str(folders / "output")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=folders) as saving:
        for line in saving.stdout:
            if line.strip() == "half":
                saving.kill()
    assert saving.returncode == -signal.SIGKILL
    drafts = [path for path in (folders / "output/lidar").iterdir() if path.suffix == ".tmp"]
    assert [path.stat().st_size > 8_000_000 for path in drafts] == [True], "it was killed half-way"
    latent, _, loaded = load(name)
    assert loaded.count == 64 and bool((latent["samples"] == 1).all()), "the old file is whole"
    assert save(of(3.0), "kept", overwrite=True) == name and bool((load(name)[0]["samples"] == 3).all())
