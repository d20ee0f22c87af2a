"""The harness itself: the real server starts with this pack, runs a prompt of host nodes and tells what it did."""

from __future__ import annotations

import io

from PIL import Image


def _image_prompt(colour: int, node: str = "PreviewImage") -> dict:
    save = {"images": ["1", 0]} | ({"filename_prefix": "harness/plain"} if node == "SaveImage" else {})
    return {
        "1": {"class_type": "EmptyImage", "inputs": {"width": 24, "height": 16, "batch_size": 1, "color": colour}},
        "2": {"class_type": node, "inputs": save},
    }


def test_server_offers_the_packs_nodes(server, node_classes):
    offered = server.object_info()
    missing = sorted(set(node_classes) - set(offered))
    assert node_classes, "the pack's comfy_entrypoint lists no node"
    assert not missing, f"the server does not offer {missing}; its log:\n{server.log_tail()}"


def test_host_prompt_runs_to_its_end_and_its_image_can_be_fetched(server):
    result = server.queue(_image_prompt(0xFF8000, "SaveImage"), timeout=60)
    assert result.status == "success", result.message
    assert result.executed_classes == ("EmptyImage", "SaveImage")
    image = Image.open(io.BytesIO(server.view(result.outputs["2"]["images"][0])))
    assert image.size == (24, 16)
    assert image.convert("RGB").getpixel((3, 5)) == (0xFF, 0x80, 0x00)


def test_unchanged_nodes_are_reported_as_cached_and_not_as_executed(server):
    server.queue(_image_prompt(0x123456), timeout=60)
    prompt = _image_prompt(0x123456)
    prompt["3"] = {"class_type": "ImageInvert", "inputs": {"image": ["1", 0]}}
    prompt["2"]["inputs"]["images"] = ["3", 0]
    result = server.queue(prompt, timeout=60)
    assert result.status == "success", result.message
    assert "1" in result.cached
    assert result.executed_classes == ("ImageInvert", "PreviewImage")


def test_invalid_prompt_is_rejected_with_the_nodes_error(server):
    prompt = _image_prompt(0)
    prompt["1"]["inputs"]["width"] = 0
    result = server.queue(prompt, timeout=60)
    assert result.status == "rejected"
    assert "1" in result.node_errors
    assert "EmptyImage (1)" in result.message and "width" in result.message


def test_prompt_of_which_only_one_output_is_valid_counts_as_partial(server):
    prompt = _image_prompt(0x00FF00) | {
        "3": {"class_type": "EmptyImage", "inputs": {"width": 0, "height": 16, "batch_size": 1, "color": 0}},
        "4": {"class_type": "PreviewImage", "inputs": {"images": ["3", 0]}},
    }
    result = server.queue(prompt, timeout=60)
    assert result.status == "partial"
    assert "2" in result.outputs and "4" not in result.outputs
    assert "EmptyImage (3)" in result.message


def test_failing_node_is_reported_with_its_message(server):
    broken_pattern = {"string": "a", "regex_pattern": "(", "replace": ""}
    prompt = {
        "1": {"class_type": "RegexReplace", "inputs": broken_pattern},
        "2": {"class_type": "PreviewAny", "inputs": {"source": ["1", 0]}},
    }
    result = server.queue(prompt, timeout=60)
    assert result.status == "error"
    assert "unterminated subpattern" in result.message
    assert result.errors[0]["node_type"] == "RegexReplace"
