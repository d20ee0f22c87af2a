"""Names of files and folders that are no UTF-8 or hold control characters, in the real server: told, shown, saved, never fatal."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest
from PIL import Image

DEMO_CLIP = Path(__file__).resolve().parents[3] / "demo_model" / "weights" / "demo_clip"
CLIP_FILE = "open_clip_model.safetensors"
NAMES = {"not UTF-8": b"caf\xe9", "a line break": b"two\nlines", "right to left": "\u202egnp".encode()}

pytestmark = pytest.mark.skipif(os.name == "nt", reason="Windows has no such names")


@pytest.fixture(params=NAMES)
def strange_name(request) -> str:
    return os.fsdecode(NAMES[request.param])


@pytest.fixture
def folder(server, strange_name):
    """A folder of that name with the demo's CLIP, in the server's models/reward_models."""
    path = Path(server.base_directory, "models", "reward_models", strange_name)
    shutil.copytree(DEMO_CLIP, path, dirs_exist_ok=True)
    yield path
    shutil.rmtree(path)


def graph(
    file: str, kind: str = "CLIP score", architecture: str = "open_clip_config.json", prompt: str = "a circle"
) -> dict:
    return {
        "image": {"class_type": "EmptyImage", "inputs": {"width": 64, "height": 64, "batch_size": 1, "color": 9}},
        "reward": {
            "class_type": "LiDARRewardModelLoader", "inputs": {"kind": kind, "file": file, "architecture": architecture},
        },
        "score": {
            "class_type": "LiDARScoreImages",
            "inputs": {
                "images": ["image", 0], "reward_model": ["reward", 0], "prompt": prompt, "prompt_per_line": False,
                "top_k": 1, "use_threshold": False, "threshold": 0.0, "batch_size": 2, "steady_scores": False,
            },
        },
        "save": {"class_type": "SaveImage", "inputs": {"images": ["score", 0], "filename_prefix": "names"}},
    }  # fmt: skip


def test_a_model_in_a_folder_of_that_name_loads_and_its_name_reaches_page_and_picture(server, folder):
    file = os.path.join(folder.name, CLIP_FILE)
    result = server.queue(graph(file), timeout=60, extra_data={"extra_pnginfo": {}})
    assert result.status == "success", result.message
    shown = [text for node, text in result.texts if node == "reward"]
    assert shown and all(line.isprintable() for text in shown for line in text.split("\n"))
    saved = result.outputs["save"]["images"][0]
    with Image.open(Path(server.base_directory, "output", saved["subfolder"], saved["filename"])) as picture:
        (name,) = json.loads(picture.info["lidar_scores"])["score"]["scores"]
    assert name.isprintable() and name.startswith("CLIP score (")


@pytest.mark.parametrize(
    ("spoil", "request_of"),
    [
        (lambda folder: folder.joinpath(CLIP_FILE).write_bytes(b"\0" * 100), {}),
        (lambda folder: folder.joinpath(CLIP_FILE).write_bytes(b"\0" * 100), {"kind": "auto"}),
        (lambda folder: folder.joinpath("open_clip_config.json").unlink(), {}),
        (lambda folder: None, {"architecture": "ViT-H-14"}),
        (lambda folder: None, {"prompt": " "}),
        (lambda folder: folder.joinpath(CLIP_FILE).unlink(), {}),
    ],
)
def test_what_is_wrong_with_it_is_told_and_the_queue_lives(server, folder, spoil, request_of):
    file = os.path.join(folder.name, CLIP_FILE)
    assert json.dumps(file) in json.dumps(server.object_info("LiDARRewardModelLoader"))
    spoil(folder)
    result = server.queue(graph(file, **request_of), timeout=60)
    assert result.status in ("error", "rejected")
    assert all(line.isprintable() for line in result.message.splitlines())
    assert "LiDAR" in result.message
    assert server.queue(graph("none", kind="brightness", prompt=""), timeout=60).status == "success"
