"""What the page gets from the server to show the presets of LiDAR Lookahead Config."""

from __future__ import annotations

import json
import runpy
from pathlib import Path

import pytest

PACK = Path(__file__).resolve().parents[2]
PRESETS = runpy.run_path(str(PACK / "nodes" / "lookahead_presets.py"))["PRESETS"]


@pytest.fixture
def inputs(server):
    """Name -> [type, options] of every widget of LiDAR Lookahead Config."""
    groups = server.object_info("LiDARLookaheadConfig")["LiDARLookaheadConfig"]["input"]
    return groups["required"] | groups["optional"]


def test_the_values_of_the_presets_come_with_the_node(inputs):
    assert inputs["count"][1]["presets"] == PRESETS
    assert "preset" not in inputs  # the page adds that row, and nothing of it comes back


@pytest.mark.parametrize("preset", PRESETS)
def test_every_value_is_one_that_its_widget_takes(inputs, preset):
    for name, value in PRESETS[preset].items():
        kind, options = inputs[name]
        if kind == "COMBO":
            assert value in options["options"], name
        elif kind == "BOOLEAN":
            assert isinstance(value, bool), name
        else:
            assert options["min"] <= value <= options["max"], name
            assert value == pytest.approx(round(value / options.get("step", 1)) * options.get("step", 1)), name


def test_the_page_loads_the_script(server):
    scripts = json.loads(server.get("/extensions"))
    (script,) = [path for path in scripts if path.endswith("/lookahead_presets.js")]
    served = server.get(script).decode()
    assert served == (PACK / "web" / "lookahead_presets.js").read_text(encoding="utf-8")
