"""Every shipped workflow fits the nodes as they are now: no unknown class, no missing or refused value."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from devtools.workflow_to_prompt import workflow_to_prompt

WORKFLOWS = sorted((Path(__file__).resolve().parents[2] / "workflows").glob("*.json"))
DEMO = "lidar_demo"


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_every_widget_has_a_value_of_its_type_and_every_needed_socket_a_link(server, path):
    offered = server.object_info()
    prompt = workflow_to_prompt(json.loads(path.read_text(encoding="utf-8")), offered)
    for node_id, node in prompt.items():
        described = offered[node["class_type"]]["input"]
        for name, spec in (described.get("required", {}) | described.get("optional", {})).items():
            where = f"{path.name}, node {node_id} ({node['class_type']}), {name}"
            if name not in node["inputs"]:
                assert name not in described.get("required", {}), f"{where} is missing"
                continue
            value = node["inputs"][name]
            if not isinstance(value, list):
                _check_value(value, spec, where)


def _check_value(value, spec, where) -> None:
    kind, options = spec[0], spec[1] if len(spec) > 1 else {}
    choices = kind if isinstance(kind, list) else options.get("options") if kind == "COMBO" else None
    is_file = isinstance(value, str) and value.endswith((".safetensors", ".bin", ".pt", ".pth", ".ckpt"))
    if choices is not None:
        assert is_file or value in choices, f"{where}: {value!r} is none of {choices}"
    elif kind in ("INT", "FLOAT"):
        assert isinstance(value, (int, float)) and not isinstance(value, bool), f"{where}: {value!r} is no number"
        low, high = options.get("min", value), options.get("max", value)
        assert low <= value <= high, f"{where}: {value} is outside {low} to {high}"
    elif kind == "STRING":
        assert isinstance(value, str), f"{where}: {value!r} is no text"
    elif kind == "BOOLEAN":
        assert isinstance(value, bool), f"{where}: {value!r} is no yes or no"


@pytest.mark.skipif(DEMO not in {path.stem for path in WORKFLOWS}, reason="the demo workflow is not there")
def test_demo_workflow_runs_to_its_end_with_progress_and_previews_in_both_phases(server, record_figure):
    path = next(path for path in WORKFLOWS if path.stem == DEMO)
    prompt = workflow_to_prompt(json.loads(path.read_text(encoding="utf-8")), server.object_info())
    result = server.queue(prompt, timeout=600)
    assert result.status == "success", result.message
    phases = {node: result.class_of(node) for node in result.executed if node not in prompt}
    for phase in ("LiDARSampleLookaheads", "KSampler"):
        node = next(node for node, kind in phases.items() if kind == phase)
        assert any(step.node == node and step.value == step.maximum for step in result.progress), (
            f"{phase}: no progress"
        )
        assert any(preview_node == node for preview_node, _ in result.previews), f"{phase}: no preview"
        record_figure(f"demo workflow in the server: {phase}, seconds", result.seconds[node])
    saved = {
        node["inputs"]["filename_prefix"].rsplit("/", 1)[-1]
        for node in prompt.values()
        if "filename_prefix" in node["inputs"]
    }
    assert saved == {"vanilla", "lookaheads", "guided"}
