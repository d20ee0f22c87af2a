"""The model's file as the queued prompt shows it: checkpoint first, then what was laid on it, through reroutes and checks."""

from types import SimpleNamespace

import pytest

CHECKPOINT = {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": "sd_xl_base.safetensors"}}
LORA = {"class_type": "LoraLoader", "inputs": {"model": ["1", 0], "clip": ["1", 1], "lora_name": "lcm.safetensors"}}
CHECKED = {"class_type": "LiDARCheckedInput", "inputs": {"value": ["2", 0], "node": "LiDARKSampler", "input": "model"}}


@pytest.fixture
def found(comfy, node_classes, nodes_room, monkeypatch):
    """found(prompt) -> the model behind the input model of node "draw"."""
    from comfy_execution.graph import DynamicPrompt

    import nodes

    for name, node in node_classes.items():
        monkeypatch.setitem(nodes.NODE_CLASS_MAPPINGS, name, node)

    def run(prompt, link):
        prompt = {**prompt, "draw": {"class_type": "LiDARSampleLookaheads", "inputs": {"model": link}}}
        hidden = SimpleNamespace(dynprompt=DynamicPrompt(prompt), unique_id="draw")
        return nodes_room("host.model_in_prompt").model_in_prompt(hidden, "model")

    return run


def test_files_are_named_in_the_order_in_which_they_were_loaded(found):
    prompt = {"1": CHECKPOINT, "2": LORA, "3": CHECKED}
    assert found(prompt, ["1", 0]) == "sd_xl_base.safetensors"
    assert found(prompt, ["2", 0]) == found(prompt, ["3", 0]) == "sd_xl_base.safetensors, lcm.safetensors"


def test_a_model_without_a_file_is_named_after_its_loader_and_none_without_a_link(found, nodes_room):
    demo = {"1": {"class_type": "LiDARLoadDemoModel", "inputs": {}}}
    assert found(demo, ["1", 0]) == "LiDARLoadDemoModel"
    assert found(demo, ["gone", 0]) == "" and found(demo, "no link") == ""
    assert nodes_room("host.model_in_prompt").model_in_prompt(None, "model") == ""


def test_a_circle_and_odd_values_end(found):
    lora = {"class_type": "LoraLoaderModelOnly", "inputs": {"model": ["1", 0], "lora_name": 7, "strength_model": {}}}
    assert found({"1": lora}, ["1", 0]) == "LoraLoaderModelOnly"
