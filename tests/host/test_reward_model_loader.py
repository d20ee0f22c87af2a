"""The loader node: its folder, its files, its errors, in this process and in the real server."""

import gzip
import importlib
import json
import os

import pytest
import torch

MERGES = ["#version", "r e", "re d</w>"]
TOKENS = 512 + len(MERGES) - 1 + 2
TINY_CLIP = {
    "embed_dim": 8,
    "vision_cfg": {"image_size": 16, "layers": 1, "width": 32, "head_width": 16, "patch_size": 8},
    "text_cfg": {
        "context_length": 12, "vocab_size": TOKENS, "width": 16, "heads": 2, "layers": 1,
        "tokenizer_kwargs": {"bpe_path": "words.gz"},
    },
}  # fmt: skip


def write_tiny_clip(folder, *, seed=0):
    """Write checkpoint, configuration and vocabulary of a random CLIP into folder, and return the checkpoint's path."""
    import open_clip
    from safetensors.torch import save_file

    folder.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(seed)
    clip = open_clip.CLIP(**TINY_CLIP)
    save_file(clip.state_dict(), folder / "tiny.safetensors")
    (folder / "open_clip_config.json").write_text(json.dumps({"model_cfg": TINY_CLIP}))
    (folder / "words.gz").write_bytes(gzip.compress("\n".join(MERGES).encode()))
    return folder / "tiny.safetensors"


@pytest.fixture(scope="module")
def loader(pack):
    return importlib.import_module(f"{pack.__name__}.nodes.reward_model_loader")


@pytest.fixture(scope="module")
def files(pack):
    return importlib.import_module(f"{pack.__name__}.nodes.host.reward_model_files")


@pytest.fixture(scope="module")
def score(pack):
    """score(hosted, images, prompt) -> (n,), two images at a time."""
    scoring = importlib.import_module(f"{pack.__name__}.nodes.host.scoring")
    return lambda hosted, images, prompt: scoring.score_images([hosted], images, prompt, 2)[0].rewards


@pytest.fixture
def folder(loader, tmp_path, monkeypatch):
    """A fresh reward_models folder that the host searches."""
    import folder_paths

    extensions = folder_paths.folder_names_and_paths["reward_models"][1]
    monkeypatch.setitem(folder_paths.folder_names_and_paths, "reward_models", ([str(tmp_path)], extensions))
    monkeypatch.delitem(folder_paths.filename_list_cache, "reward_models", raising=False)
    return tmp_path


def listed():
    import folder_paths

    folder_paths.filename_list_cache.pop("reward_models", None)
    return folder_paths.get_filename_list("reward_models")


def test_only_model_files_are_listed(folder):
    for name in ("a.safetensors", "b.pt", "c.pth", "d.bin", "readme.txt", "words.gz", "open_clip_config.json"):
        (folder / name).write_bytes(b"x")
    assert listed() == ["a.safetensors", "b.pt", "c.pth", "d.bin"]


def test_paths_of_extra_model_paths_are_kept_when_the_folder_is_registered(files, comfy, monkeypatch, tmp_path):
    import folder_paths

    monkeypatch.delitem(folder_paths.folder_names_and_paths, "reward_models")
    folder_paths.add_model_folder_path("reward_models", str(tmp_path))  # what the host does with that file
    assert folder_paths.folder_names_and_paths["reward_models"][1] == set()
    files.register_reward_models_folder()
    files.register_reward_models_folder()
    own = os.path.join(folder_paths.models_dir, "reward_models")
    assert folder_paths.get_folder_paths("reward_models") == [str(tmp_path), own]
    (tmp_path / "notes.txt").write_text("x")
    (tmp_path / "a.pt").write_text("x")
    assert listed() == ["a.pt"]


def test_a_file_is_found_under_either_separator(files, loader, folder):
    (folder / "clip").mkdir()
    (folder / "clip" / "a.pt").write_text("x")
    truth = str(folder / "clip" / "a.pt")
    assert files.resolve_reward_model_file("clip/a.pt") == truth
    assert files.resolve_reward_model_file("clip\\a.pt") == truth
    assert files.resolve_reward_model_file("clip/b.pt") is None
    node = loader.LiDARRewardModelLoader
    assert node.validate_inputs("clip\\a.pt") is True


@pytest.mark.parametrize(
    "name", ["../outside.pt", "..\\outside.pt", "/outside.pt", "inside/../../outside.pt", "", ".", "\0"]
)
def test_no_name_reaches_a_file_outside_the_folder(files, folder, name):
    outside = folder.parent / "outside.pt"
    outside.write_text("x")
    (folder / "inside").mkdir()
    assert (
        files.resolve_reward_model_file(name.replace("/outside.pt", str(outside)) if name == "/outside.pt" else name)
        is None
    )


def test_every_input_has_a_tooltip_and_the_common_architectures_stand_first(loader):
    schema = loader.LiDARRewardModelLoader.define_schema()
    ids = ["kind", "file", "architecture", "clip_file", "negative_prompt", "reference"]
    assert [entry.id for entry in schema.inputs] == ids
    assert [entry.id for entry in schema.inputs if not entry.optional] == ids[:1]
    assert all(len(entry.tooltip) > 40 for entry in schema.inputs)
    assert schema.inputs[1].options[0] == "none"
    assert schema.inputs[2].options[:2] == ["ViT-L-14-quickgelu", "ViT-H-14"]


def test_pixel_rewards_ignore_file_and_architecture(loader, score):
    node = loader.LiDARRewardModelLoader
    hosted = node.execute("brightness", "gone.pt", "ViT-H-14").result[0]
    white = torch.ones(2, 4, 4, 3) * torch.tensor([1.0, 0.25]).view(2, 1, 1, 1)
    torch.testing.assert_close(score(hosted, white, ""), torch.tensor([1.0, 0.25]))


def test_a_clip_in_a_folder_of_its_own_is_loaded(loader, folder, score):
    write_tiny_clip(folder / "mini")
    hosted = loader.LiDARRewardModelLoader.execute(
        "CLIP score", "mini/tiny.safetensors", "open_clip_config.json"
    ).result[0]
    assert hosted.name == "CLIP score (mini)"
    with torch.inference_mode():
        scores = score(hosted, torch.rand(3, 20, 24, 3), "red")
    assert scores.isfinite().all() and scores.abs().max() <= 1


def test_a_replaced_file_or_configuration_changes_the_fingerprint(loader, folder):
    def fingerprint():
        return loader.LiDARRewardModelLoader.fingerprint_inputs(
            "CLIP score", "tiny.safetensors", "open_clip_config.json"
        )

    path = write_tiny_clip(folder)
    first = fingerprint()
    assert first and first == fingerprint()
    os.utime(path, ns=(1, 1))
    second = fingerprint()
    (folder / "open_clip_config.json").write_text("{}")
    third = fingerprint()
    path.unlink()
    assert len({first, second, third, fingerprint()}) == 4


def test_what_is_missing_is_told_before_anything_runs(loader, folder):
    node = loader.LiDARRewardModelLoader
    assert "gone.pt is not there: put one into" in node.validate_inputs("gone.pt")
    assert str(folder) in node.validate_inputs("gone.pt")
    assert node.validate_inputs("none") is True and node.validate_inputs(None) is True, "a kind may need none"
    with pytest.raises(ValueError, match="Load LiDAR Reward Model: CLIP score needs a model file"):
        node.execute("CLIP score", "none", "ViT-H-14")
    with pytest.raises(
        ValueError, match="auto needs a model file: .* or choose a kind that needs none, such as colourfulness"
    ):
        node.execute("auto", "none")


def test_every_load_error_names_the_node_in_one_line(loader, folder):
    (folder / "page.pt").write_text("<!DOCTYPE html><html>")
    write_tiny_clip(folder / "mini")
    cases = {
        ("page.pt", "ViT-H-14"): "page.pt is a web page",
        ("mini/tiny.safetensors", "ViT-S-32"): "tiny.safetensors holds a ViT of width 32",
        ("page.pt", "open_clip_config.json"): "open_clip_config.json is missing",
    }
    for (file, architecture), text in cases.items():
        with pytest.raises((ValueError, FileNotFoundError), match=f"^Load LiDAR Reward Model: .*{text}") as raised:
            loader.LiDARRewardModelLoader.execute("CLIP score", file, architecture)
        assert "\n" not in str(raised.value)


def scoring_prompt(kind, file, architecture, prompt="red"):
    """Score two empty pictures: the loader, and LiDAR Score Lookaheads on host nodes."""
    loader = {"kind": kind, "file": file, "architecture": architecture}
    score = {"lookaheads": ["2", 0], "images": ["3", 0], "reward_model": ["1", 0], "prompt": prompt, "batch_size": 1}
    score["steady_scores"] = False
    return {
        "1": {"class_type": "LiDARRewardModelLoader", "inputs": loader},
        "2": {"class_type": "EmptyLatentImage", "inputs": {"width": 64, "height": 64, "batch_size": 2}},
        "3": {"class_type": "EmptyImage", "inputs": {"width": 64, "height": 64, "batch_size": 2, "color": 0xFF8000}},
        "4": {"class_type": "LiDARScoreLookaheads", "inputs": score},
        "5": {"class_type": "PreviewImage", "inputs": {"images": ["4", 1]}},
    }


def test_server_loads_scores_and_reloads_a_replaced_file(server):
    models = server.base_directory / "models" / "reward_models"
    path = write_tiny_clip(models / "mini")
    prompt = scoring_prompt("CLIP score", "mini\\tiny.safetensors", "open_clip_config.json")
    first = server.queue(prompt, timeout=120)
    assert first.status == "success", first.message
    assert "LiDARRewardModelLoader" in first.executed_classes
    again = server.queue(prompt, timeout=60)
    assert again.status == "success" and "LiDARRewardModelLoader" not in again.executed_classes
    write_tiny_clip(models / "mini", seed=1)
    os.utime(path, ns=(10**18, 10**18))
    replaced = server.queue(prompt, timeout=60)
    assert replaced.status == "success", replaced.message
    assert {"LiDARRewardModelLoader", "LiDARScoreLookaheads"} <= set(replaced.executed_classes)


def test_server_tells_wrong_choices_in_one_line(server):
    models = server.base_directory / "models" / "reward_models"
    write_tiny_clip(models / "other")
    (models / "readme.pt").write_text("This is no model.")
    refused = server.queue(scoring_prompt("CLIP score", "none", "ViT-H-14"), timeout=60)
    assert refused.status == "error" and "CLIP score needs a model file" in refused.message
    gone = server.queue(scoring_prompt("CLIP score", "gone.pt", "ViT-H-14"), timeout=60)
    assert gone.status == "rejected" and len(gone.node_errors["1"]["errors"]) == 1
    assert "file - gone.pt is not there" in gone.message
    wrong_file = server.queue(scoring_prompt("CLIP score", "readme.pt", "ViT-H-14"), timeout=60)
    assert wrong_file.status == "error"
    assert "Load LiDAR Reward Model: readme.pt is no model file" in wrong_file.message
    wrong_architecture = server.queue(scoring_prompt("CLIP score", "other/tiny.safetensors", "ViT-S-32"), timeout=60)
    assert "tiny.safetensors holds a ViT of width 32" in wrong_architecture.message
    no_prompt = scoring_prompt("CLIP score", "other/tiny.safetensors", "open_clip_config.json", prompt=" ")
    assert "prompt" in server.queue(no_prompt, timeout=60).message
