"""What the page gets from the server to show the presets of LiDAR Lookahead Config."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

PACK = Path(__file__).resolve().parents[2]


@pytest.fixture
def inputs(server):
    """Name -> [type, options] of every widget of LiDAR Lookahead Config."""
    return server.object_info("LiDARLookaheadConfig")["LiDARLookaheadConfig"]["input"]["optional"]


def test_the_values_of_the_presets_come_with_the_first_widget_and_are_what_it_takes(inputs):
    presets = inputs["start_from"][1]["presets"]
    assert {"recommended", "SDXL (paper)", "Flux (paper)", "demo"} <= presets.keys()
    for name, value in (entry for preset in presets.values() for entry in preset.items()):
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
