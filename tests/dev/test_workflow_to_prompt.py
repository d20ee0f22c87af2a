"""Workflows in the page's format become the prompt that the page itself would send."""

import pytest

from devtools.workflow_to_prompt import workflow_to_prompt

OBJECT_INFO = {
    "Loader": {
        "display_name": "Load",
        "input": {"required": {"name": [["a.safetensors", "b.safetensors"], {}]}},
        "input_order": {"required": ["name"]},
    },
    "Sampler": {
        "display_name": "Sample",
        "input": {
            "required": {
                "cfg": ["FLOAT", {"default": 8.0}],
                "model": ["MODEL", {}],
                "seed": ["INT", {"control_after_generate": True}],
                "steps": ["INT", {"default": 20}],
            },
            "optional": {"scheduler": ["COMBO", {"options": ["normal", "karras"]}], "text": ["STRING", {}]},
        },
        "input_order": {"required": ["model", "seed", "steps", "cfg"], "optional": ["text", "scheduler"]},
    },
    "Patch": {
        "display_name": "Patch",
        "input": {"required": {"model": ["MODEL", {}]}},
        "input_order": {"required": ["model"]},
    },
}


def option(key, optional=None, **required):
    return {"key": key, "inputs": {"required": required, "optional": optional or {}}}


INNER = [option("i", n=["INT", {"default": 4}]), option("k")]
MODES = [
    option("plain", x=["FLOAT", {"default": 0.5}]),
    option(
        "seeded",
        optional={"flag": ["BOOLEAN", {"default": True}]},
        seed=["INT", {"default": 1}],
        other=["INT", {"default": 2, "control_after_generate": True}],
        model=["MODEL", {}],
        n=["INT", {"default": 9}],
    ),
    option("nested", inner=["COMFY_DYNAMICCOMBO_V3", {"options": INNER}], y=["FLOAT", {"default": 1.5}]),
]
GROWING = {
    "input": {"required": {"reward": ["FLOAT", {"forceInput": True}]}},
    "names": ["reward_1", "reward_2"],
    "min": 1,
}
DYNAMIC = {
    "seed": ["INT", {}],
    "several": ["STRING,FLOAT", {"widgetType": "STRING", "default": "m"}],
    "rewards": ["COMFY_AUTOGROW_V3", {"template": GROWING}],
    "mode": ["COMFY_DYNAMICCOMBO_V3", {"options": MODES}],
    "after": ["INT", {"default": 7}],
}
OBJECT_INFO["Dynamic"] = {
    "display_name": "Dynamic", "input": {"required": DYNAMIC}, "input_order": {"required": list(DYNAMIC)},
}  # fmt: skip


def node(node_id, kind, *, inputs=(), widgets=(), mode=0):
    sockets = [{"name": name, "type": type_, "link": link} for name, type_, link in inputs]
    return {"id": node_id, "type": kind, "inputs": sockets, "widgets_values": list(widgets), "mode": mode}


def chain(*, patch_mode=0, patch_kind="Patch"):
    return {
        "nodes": [
            node(1, "Loader", widgets=["b.safetensors"]),
            node(2, patch_kind, inputs=[("model", "MODEL", 10)], mode=patch_mode),
            node(
                3,
                "Sampler",
                inputs=[("model", "MODEL", 11), ("steps", "INT", None)],
                widgets=[77, "randomize", 30, 2.5, "a cat", "karras"],
            ),
            node(4, "MarkdownNote", widgets=["words"]),
        ],
        "links": [[10, 1, 0, 2, 0, "MODEL"], [11, 2, 0, 3, 0, "MODEL"]],
    }


def test_widget_values_follow_the_schemas_order_and_skip_the_seeds_second_place():
    prompt = workflow_to_prompt(chain(), OBJECT_INFO)
    assert prompt["3"]["inputs"] == {
        "model": ["2", 0], "seed": 77, "steps": 30, "cfg": 2.5, "text": "a cat", "scheduler": "karras",
    }  # fmt: skip
    assert prompt["1"]["inputs"] == {"name": "b.safetensors"}


def test_notes_are_left_out_and_titles_kept():
    prompt = workflow_to_prompt(chain(), OBJECT_INFO)
    assert sorted(prompt) == ["1", "2", "3"]
    assert prompt["3"]["_meta"]["title"] == "Sample"


def test_link_into_a_widget_replaces_its_value_and_keeps_its_place():
    workflow = chain()
    workflow["nodes"][2]["inputs"][1]["link"] = 12
    workflow["links"].append([12, 1, 0, 3, 1, "INT"])
    inputs = workflow_to_prompt(workflow, OBJECT_INFO)["3"]["inputs"]
    assert inputs["steps"] == ["1", 0]
    assert inputs["cfg"] == 2.5


def test_bypassed_node_and_reroute_hand_their_input_on():
    for workflow in (chain(patch_mode=4), chain(patch_kind="Reroute")):
        prompt = workflow_to_prompt(workflow, OBJECT_INFO)
        assert "2" not in prompt
        assert prompt["3"]["inputs"]["model"] == ["1", 0]


def test_muted_node_cuts_the_link():
    prompt = workflow_to_prompt(chain(patch_mode=2), OBJECT_INFO)
    assert "2" not in prompt
    assert "model" not in prompt["3"]["inputs"]


def test_links_of_the_newer_format_are_read():
    workflow = chain()
    names = ("id", "origin_id", "origin_slot", "target_id", "target_slot", "type")
    workflow["links"] = [dict(zip(names, link, strict=True)) for link in workflow["links"]]
    assert workflow_to_prompt(workflow, OBJECT_INFO) == workflow_to_prompt(chain(), OBJECT_INFO)


def test_values_saved_before_a_widget_existed_give_it_its_default():
    workflow = chain()
    workflow["nodes"][2]["widgets_values"] = [77, "fixed", 30]
    inputs = workflow_to_prompt(workflow, OBJECT_INFO)["3"]["inputs"]
    assert inputs == {"model": ["2", 0], "seed": 77, "steps": 30, "cfg": 8.0}


# The order and the names are those of the page itself (app.graph.serialize(), app.graphToPrompt(); frontend 1.47.12)
@pytest.mark.parametrize(
    ("saved", "expected"),
    [
        (["plain", 0.25, 70], {"mode": "plain", "mode.x": 0.25, "after": 70}),
        (
            ["seeded", 1, 2, "randomize", 9, False, 71],
            {"mode": "seeded", "mode.seed": 1, "mode.other": 2, "mode.n": 9, "mode.flag": False, "after": 71},
        ),
        (
            ["nested", "i", 44, 1.25, 72],
            {"mode": "nested", "mode.inner": "i", "mode.inner.n": 44, "mode.y": 1.25, "after": 72},
        ),
        (["nested", "k", 3.5, 1], {"mode": "nested", "mode.inner": "k", "mode.y": 3.5, "after": 1}),
        ([], {"mode": "plain", "mode.x": 0.5, "after": 7}),
    ],
)
def test_dynamic_combo_is_followed_by_the_widgets_of_its_choice(saved, expected):
    workflow = {"nodes": [node(1, "Dynamic", widgets=[3, "randomize", "m0", *saved])], "links": []}
    inputs = workflow_to_prompt(workflow, OBJECT_INFO)["1"]["inputs"]
    assert inputs == {"seed": 3, "several": "m0"} | expected


def test_growing_inputs_and_inputs_of_a_dynamic_combo_are_linked_by_their_full_names():
    sockets = [
        ("rewards.reward_1", "FLOAT", 10), ("rewards.reward_2", "FLOAT", 11), ("several", "STRING,FLOAT", None),
        ("mode.x", "FLOAT", 12),
    ]  # fmt: skip
    workflow = {
        "nodes": [
            node(1, "Loader", widgets=["a.safetensors"]),
            node(2, "Loader", widgets=["b.safetensors"]),
            node(3, "Dynamic", inputs=sockets, widgets=[3, "fixed", "1, 2", "plain", 0.25, 70]),
        ],
        "links": [[10, 2, 0, 3, 0, "FLOAT"], [11, 1, 0, 3, 1, "FLOAT"], [12, 1, 1, 3, 3, "FLOAT"]],
    }
    assert workflow_to_prompt(workflow, OBJECT_INFO)["3"]["inputs"] == {
        "seed": 3, "several": "1, 2", "mode": "plain", "mode.x": ["1", 1], "after": 70,
        "rewards.reward_1": ["2", 0], "rewards.reward_2": ["1", 0],
    }  # fmt: skip


def test_upload_button_is_saved_behind_all_widgets():
    described = {"image": [["x.png"], {"image_upload": True}], "channel": [["alpha", "red"], {}]}
    info = {
        "Mask": {"display_name": "Mask", "input": {"required": described}, "input_order": {"required": list(described)}}
    }
    workflow = {"nodes": [node(1, "Mask", widgets=["x.png", "red", "image"])], "links": []}  # as the page saves it
    assert workflow_to_prompt(workflow, info)["1"]["inputs"] == {"image": "x.png", "channel": "red"}


def test_unknown_node_is_named():
    with pytest.raises(ValueError, match="Node 2 is a PrimitiveNode"):
        workflow_to_prompt(chain(patch_kind="PrimitiveNode"), OBJECT_INFO)
