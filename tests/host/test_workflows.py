"""The shipped workflows against the real server: every node and value is known to it, and each runs to its end."""

from __future__ import annotations

import io
import json
import re
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from devtools.templates.__main__ import TEMPLATES, written
from devtools.workflow_to_prompt import workflow_to_prompt

PACK = Path(__file__).resolve().parents[2]
FOLDER = PACK / "workflows"
NAMES = tuple(TEMPLATES)
DEMO, Z_IMAGE, SEVERAL = NAMES[0], NAMES[2], NAMES[-1]
# Which files are there is each user's own affair
MODEL_FILE_WIDGETS = {"ckpt_name", "lora_name", "file", "clip_file", "unet_name", "clip_name", "vae_name"}
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
def test_a_workflow_is_what_its_template_says(name, object_info):
    if not object_info["SaveImage"]["output"]:
        pytest.skip("this host's Save Image hands no images on, and the templates are written with one that does")
    assert (FOLDER / f"{name}.json").read_text(encoding="utf-8") == written(name, object_info), (
        "write it with `python3 dev.py python -m devtools.templates`"
    )


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
            assert model["directory"] in (
                "checkpoints", "loras", "reward_models", "diffusion_models", "text_encoders", "vae",
            )  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_the_server_offers_it_as_a_template_with_its_thumbnail(name, server):
    def fetch(path: str) -> bytes:
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(server.url + path) as answer:
            return answer.read()

    quoted = urllib.parse.quote(name)
    templates = json.loads(fetch("/workflow_templates"))
    folder = next(folder for folder, names in templates.items() if name in names)
    assert json.loads(fetch(f"/api/workflow_templates/{folder}/{quoted}.json")) == load(name)
    thumbnail = Image.open(io.BytesIO(fetch(f"/api/workflow_templates/{folder}/{quoted}.jpg")))
    assert thumbnail.format == "JPEG"
    assert 256 <= thumbnail.width <= 1024


def test_the_demo_compares_like_with_like(object_info):
    """Both samplers get the same model, prompts, seed and settings, so that LiDAR is the only difference."""
    prompt = workflow_to_prompt(load(DEMO), object_info)
    vanilla, lidar = (
        next(node["inputs"] for node in prompt.values() if node["class_type"] == class_type)
        for class_type in ("KSampler", "LiDARKSampler")
    )
    assert {name: lidar[name] for name in vanilla} == vanilla
    assert lidar["prompt"] == ""  # then it reads the words behind positive


# Which output of LiDAR Load Demo Model stands for which of a loader's, so that a workflow for large models runs without them
STAND_INS = {
    "CheckpointLoaderSimple": (0, 1, 2), "UNETLoader": (0,), "CLIPLoader": (1,), "VAELoader": (2,),
    "LiDARRewardModelLoader": (3,), "LoraLoaderModelOnly": (4,),
}  # fmt: skip


def with_stand_ins(prompt: dict[str, Any]) -> dict[str, Any]:
    """The prompt with the demo model in the place of every file of a model, and pictures of its size."""
    loaders = {
        key: STAND_INS[node["class_type"]]
        for key, node in prompt.items()
        if node["class_type"] in STAND_INS
        and MODEL_FILE_WIDGETS & {k for k, v in node["inputs"].items() if v != "none"}
    }
    for node in prompt.values():
        for name, value in node["inputs"].items():
            if isinstance(value, list) and value[0] in loaders:
                node["inputs"][name] = ["demo", loaders[value[0]][value[1]]]
        if {"width", "height"} <= set(node["inputs"]):
            node["inputs"] |= {"width": 64, "height": 64}
    return {key: node for key, node in prompt.items() if key not in loaders} | {
        "demo": {"class_type": "LiDARLoadDemoModel", "inputs": {}}
    }


def shortened(name: str, object_info) -> dict[str, Any]:
    """The workflow as a prompt with few steps and the demo model, for what is about the wiring."""
    prompt = with_stand_ins(workflow_to_prompt(load(name), object_info))
    for node in prompt.values():
        if node["class_type"] in ("KSampler", "LiDARKSampler", "LiDARMeasureDrafts") and node["inputs"]["steps"] > 8:
            node["inputs"]["steps"] = 4
        if node["class_type"] == "LiDARMeasureDrafts":
            node["inputs"]["pictures"] = 8
    return prompt


def pictures(server, result, prefix: str) -> list[Image.Image]:
    """What the Save Image with this prefix has saved."""
    (images,) = (
        result.outputs[key]["images"]
        for key, node in result.prompt.items()
        if node["inputs"].get("filename_prefix") == prefix
    )
    return [Image.open(io.BytesIO(server.view(image))) for image in images]


@pytest.mark.parametrize("name", NAMES)
def test_a_workflow_runs_to_its_end(name, server, object_info):
    prompt = shortened(name, object_info)
    result = server.queue(prompt)
    assert result.status == "success", result.message
    looks_first = any(node["inputs"].get("look_first") for node in prompt.values())
    saving = [node["inputs"]["filename_prefix"] for node in prompt.values() if node["class_type"] == "SaveImage"]
    for prefix in () if looks_first else saving:
        assert {picture.size for picture in pictures(server, result, prefix)} == {(64, 64)}
    kept = {image["type"] for output in result.outputs.values() for image in output.get("images", ())}
    assert "output" not in kept or not looks_first


def test_the_demo_saves_eight_pictures_of_each_kind(server, object_info):
    result = server.queue(shortened(DEMO, object_info))
    for prefix in ("lidar_demo/vanilla", "lidar_demo/guided"):
        assert len(pictures(server, result, prefix)) == 8


def test_a_few_step_model_without_a_config_begins_with_its_own_steps(server, object_info):
    """The rule for turbo models: of 8 steps at cfg 1 the lookaheads take the first 4, and the best go on for the other 4."""
    prompt = with_stand_ins(workflow_to_prompt(load(Z_IMAGE), object_info))
    result = server.queue(prompt)
    assert result.status == "success", result.message
    most = {result.class_of(step.node): step.maximum for step in result.progress}
    assert "LiDARSampleLookaheads" not in result.executed_classes
    assert (most["LiDARSampleCandidates"], most["LiDARContinueBest"]) == (4, 4)


def test_the_second_opinion_has_a_column_for_each_judge_and_a_line_for_the_pictures_without(server, object_info):
    prompt = shortened("09 A second opinion", object_info)
    result = server.queue(prompt)
    (table,) = (result.outputs[key]["text"][0] for key, node in prompt.items() if node["class_type"] == "PreviewAny")
    assert table.splitlines()[0].split()[2:] == ["CLIP", "score", "(demo_clip)", "sharpness"]
    assert "baseline" in table


def test_the_measuring_workflow_shows_chart_and_report(server, object_info):
    prompt = shortened("10 Measure drafts - does it pay", object_info)
    result = server.queue(prompt)
    (table,) = (result.outputs[key]["text"][0] for key, node in prompt.items() if node["class_type"] == "PreviewAny")
    assert table.startswith("Choose in ") and "8 pictures of one prompt" in table
    (chart,) = (
        result.outputs[key]["images"][0] for key, node in prompt.items() if node["class_type"] == "PreviewImage"
    )
    assert Image.open(io.BytesIO(server.view(chart))).size == (1280, 860)


def test_the_scaling_workflow_runs_to_its_end_on_one_server(server, object_info):
    result = server.queue(workflow_to_prompt(load(SEVERAL), object_info))
    assert result.status == "success", result.message
    assert result.executed_classes.count("LiDARSampleLookaheads") == 2
    told = [text for _, text in result.texts]
    assert (
        "4 lookaheads in output/lidar/several_computers.safetensors" in told and "starts from no. 1 of seed 5" in told
    )
