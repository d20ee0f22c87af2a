"""What someone who waits sees of the demo workflow: progress to the end and previews, in both phases."""

from __future__ import annotations

import json
from pathlib import Path

from devtools.workflow_to_prompt import workflow_to_prompt

WORKFLOW = Path(__file__).resolve().parents[2] / "workflows" / "01 Demo - with and without LiDAR.json"


def test_both_phases_show_their_progress_to_the_end_and_previews(server, record_figure):
    prompt = workflow_to_prompt(json.loads(WORKFLOW.read_text(encoding="utf-8")), server.object_info())
    server.forget()
    result = server.queue(prompt, timeout=600)
    assert result.status == "success", result.message
    expanded = {result.class_of(node): node for node in result.executed if node not in prompt}
    for phase in ("LiDARSampleLookaheads", "LiDARSampleInParts"):
        node = expanded[phase]
        assert any(step.node == node and step.value == step.maximum for step in result.progress), (
            f"{phase}: no progress"
        )
        assert any(preview_node == node for preview_node, _ in result.previews), f"{phase}: no preview"
        record_figure(f"demo workflow in the server: {phase}, seconds", result.seconds[node])
