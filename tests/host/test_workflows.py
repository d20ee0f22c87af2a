"""The shipped workflows against the real server: every node and value is known to it, and the demo runs to its end."""

from __future__ import annotations

import io
import json
import re
import urllib.request
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from devtools.workflow_to_prompt import workflow_to_prompt

PACK = Path(__file__).resolve().parents[2]
FOLDER = PACK / "workflows"
NAMES = ("lidar_demo", "lidar_measure", "lidar_rewards", "lidar_sdxl", "lidar_sdxl_modular")
MODEL_FILE_WIDGETS = {"ckpt_name", "lora_name", "file", "clip_file"}  # which files are there is each user's own affair
NOTES = {"MarkdownNote", "Note"}
PROJECT = re.search(r'^name = "(.+)"$', (PACK / "pyproject.toml").read_text(encoding="utf-8"), re.MULTILINE).group(1)


def load(name: str) -> dict[str, Any]:
    return json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))


def real_nodes(workflow: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [node for node in workflow["nodes"] if node["type"] not in NOTES]


def widgets(described: Mapping[str, Any]) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    """(name, kind, options) of each widget, in the page's order; a seed is followed by its control."""
    for group in ("required", "optional"):
        for name in described["input_order"].get(group, ()):
            kind, *rest = described["input"][group][name]
            options = rest[0] if rest else {}
            if isinstance(kind, list):
                kind, options = "COMBO", {"options": kind}
            if kind in ("INT", "FLOAT", "STRING", "BOOLEAN", "COMBO"):
                yield name, kind, options
                if kind == "INT" and (options.get("control_after_generate") or name in ("seed", "noise_seed")):
                    yield "control_after_generate", "COMBO", {"options": ["fixed"]}


@pytest.fixture(scope="module")
def object_info(_running_server):
    return _running_server.object_info()


def test_every_shared_workflow_is_tested_and_has_a_thumbnail():
    assert {path.stem for path in FOLDER.glob("*.json")} == set(NAMES)
    assert {path.stem for path in FOLDER.glob("*.jpg")} == set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_every_node_and_saved_value_is_one_that_the_server_knows(name, object_info):
    for node in real_nodes(load(name)):
        where = f"{name}, node {node['id']} ({node['type']})"
        assert node["type"] in object_info, where
        described = list(widgets(object_info[node["type"]]))
        saved = node.get("widgets_values", [])
        # Widgets that a node got later are appended, and a workflow saved before has no value for them
        assert len(saved) <= len(described), f"{where}: {saved} for {[widget[0] for widget in described]}"
        for value, (widget, kind, options) in zip(saved, described, strict=False):
            if kind == "COMBO" and widget not in MODEL_FILE_WIDGETS:
                assert value in options["options"], f"{where}: {widget} is {value!r}"
            elif kind in ("INT", "FLOAT"):
                assert options["min"] <= value <= options["max"], f"{where}: {widget} is {value!r}"


@pytest.mark.parametrize("name", NAMES)
def test_sockets_are_named_and_typed_as_the_server_has_them(name, object_info):
    workflow = load(name)
    nodes = {node["id"]: node for node in workflow["nodes"]}
    for node in real_nodes(workflow):
        described = object_info[node["type"]]
        known = {given for group in described["input"].values() for given in group}
        # A growing input's sockets are named after it and theirs: rewards.reward_1
        assert {socket["name"].split(".")[0] for socket in node["inputs"]} <= known, node["type"]
        outputs, offered = node["outputs"], described["output"]
        assert [socket["type"] for socket in outputs[: len(offered)]] == offered[: len(outputs)], node["type"]
        assert not any(socket["links"] for socket in outputs[len(offered) :]), node[
            "type"
        ]  # older hosts: Save Image gives none
    for _, source, output, target, socket, kind in workflow["links"]:
        assert nodes[source]["outputs"][output]["type"] == kind
        assert nodes[target]["inputs"][socket]["type"] in (kind, "*")


@pytest.mark.parametrize("name", NAMES)
def test_every_required_input_has_a_value_or_a_link(name, object_info):
    prompt = workflow_to_prompt(load(name), object_info)
    for node_id, node in prompt.items():
        required = object_info[node["class_type"]]["input"].get("required", {})
        given = {each.split(".")[0] for each in node["inputs"]}
        assert set(required) <= given, f"{name}, node {node_id} ({node['class_type']})"


@pytest.mark.parametrize("name", NAMES)
def test_every_node_names_the_pack_that_brings_it(name):
    for node in real_nodes(load(name)):
        expected = PROJECT if node["type"].startswith("LiDAR") else "comfy-core"
        assert node["properties"]["cnr_id"] == expected, node["type"]


@pytest.mark.parametrize("name", NAMES)
def test_every_model_file_comes_with_an_address_that_the_page_offers(name, object_info):
    """The page offers a download where name is the widget's value and the address ends in that name."""
    for node in real_nodes(load(name)):
        names = [widget for widget, _, _ in widgets(object_info[node["type"]])]
        chosen = dict(zip(names, node.get("widgets_values", []), strict=False))
        files = {value for widget, value in chosen.items() if widget in MODEL_FILE_WIDGETS and value != "none"}
        offered = node["properties"].get("models", [])
        assert {model["name"] for model in offered} == files, node["type"]
        for model in offered:
            assert model["url"].startswith("https://huggingface.co/")
            assert model["url"].rsplit("/", 1)[-1] == model["name"]
            assert model["directory"] in ("checkpoints", "loras", "reward_models")


@pytest.mark.parametrize("name", NAMES)
def test_the_server_offers_it_as_a_template_with_its_thumbnail(name, server):
    def fetch(path: str) -> bytes:
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(server.url + path) as answer:
            return answer.read()

    templates = json.loads(fetch("/workflow_templates"))
    folder = next(folder for folder, names in templates.items() if name in names)
    assert json.loads(fetch(f"/api/workflow_templates/{folder}/{name}.json")) == load(name)
    thumbnail = Image.open(io.BytesIO(fetch(f"/api/workflow_templates/{folder}/{name}.jpg")))
    assert thumbnail.format == "JPEG"
    assert 256 <= thumbnail.width <= 1024


def test_the_demo_compares_like_with_like(object_info):
    """Both samplers get the same model, prompts, seed and settings, so that LiDAR is the only difference."""
    prompt = workflow_to_prompt(load("lidar_demo"), object_info)
    vanilla, lidar = (
        next(node["inputs"] for node in prompt.values() if node["class_type"] == class_type)
        for class_type in ("KSampler", "LiDARKSampler")
    )
    assert {name: lidar[name] for name in vanilla} == vanilla
    assert lidar["prompt"] == prompt[lidar["positive"][0]]["inputs"]["text"]


def shortened(name: str, object_info) -> dict[str, Any]:
    """The workflow as a prompt with fewer pictures and steps, for what is about the wiring."""
    prompt = workflow_to_prompt(load(name), object_info)
    for node in prompt.values():
        if node["class_type"] == "EmptyLatentImage":
            node["inputs"]["batch_size"] = 2
        elif node["class_type"] in ("KSampler", "LiDARKSampler"):
            node["inputs"]["steps"] = 4
        elif node["class_type"] == "LiDARMeasureDrafts":
            node["inputs"] |= {"steps": 4, "pictures": 8}
        elif node["class_type"] == "LiDARLookaheadConfig":
            node["inputs"] |= {"count": 4, "steps": 2}
    return prompt


def test_the_rewards_workflow_runs_to_its_end(server, object_info):
    prompt = shortened("lidar_rewards", object_info)
    result = server.queue(prompt)
    assert result.status == "success", result.message
    (table,) = (result.outputs[key]["text"][0] for key, node in prompt.items() if node["class_type"] == "PreviewAny")
    assert table.splitlines()[0].split()[2:] == ["CLIP", "score", "(demo_clip)", "sharpness", "contrast"]
    assert "baseline" in table


def test_the_measuring_workflow_runs_to_its_end(server, object_info):
    prompt = shortened("lidar_measure", object_info)
    result = server.queue(prompt)
    assert result.status == "success", result.message
    (table,) = (result.outputs[key]["text"][0] for key, node in prompt.items() if node["class_type"] == "PreviewAny")
    assert table.startswith("8 pictures of one prompt")
    (chart,) = (
        result.outputs[key]["images"][0] for key, node in prompt.items() if node["class_type"] == "PreviewImage"
    )
    assert Image.open(io.BytesIO(server.view(chart))).size == (1280, 860)


def test_the_demo_runs_to_its_end(server, object_info):
    prompt = shortened("lidar_demo", object_info)
    result = server.queue(prompt)
    assert result.status == "success", result.message
    saved = {
        node["inputs"]["filename_prefix"]: [Image.open(io.BytesIO(server.view(image))) for image in images]
        for node_id, node in prompt.items()
        if node["class_type"] == "SaveImage"
        for images in [result.outputs[node_id]["images"]]
    }
    assert {prefix: len(pictures) for prefix, pictures in saved.items()} == {
        "lidar_demo/vanilla": 2, "lidar_demo/guided": 2, "lidar_demo/lookaheads": 4,
    }  # fmt: skip
    assert {picture.size for picture in saved["lidar_demo/vanilla"] + saved["lidar_demo/guided"]} == {(64, 64)}
