"""Runs the tests of web/lookahead_presets.js under Node.js, where there is one, on a page of three lines."""

import json
import os
import runpy
import shutil
import subprocess
from pathlib import Path

import pytest

PACK = Path(__file__).resolve().parents[2]
PRESETS = runpy.run_path(str(PACK / "nodes" / "lookahead_presets.py"))["PRESETS"]


def test_presets_follow_and_are_left_as_the_page_wants(tmp_path):
    node = shutil.which("node")
    if node is None:
        pytest.skip("Node.js is not installed; nothing else of the tests needs it")
    # As the server serves them: /scripts/app.js and /extensions/<pack>/lookahead_presets.js.
    for folder in ("scripts", "extensions/pack"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "package.json").write_text('{"type": "module"}')
    (tmp_path / "scripts" / "app.js").write_text(
        "export const app = { extensions: [], registerExtension(one) { this.extensions.push(one); } };\n"
    )
    shutil.copy(PACK / "web" / "lookahead_presets.js", tmp_path / "extensions" / "pack")
    shutil.copy(Path(__file__).with_name("lookahead_presets_rules.js"), tmp_path)
    run = subprocess.run(
        [node, "lookahead_presets_rules.js"], cwd=tmp_path, env=os.environ | {"PRESETS": json.dumps(PRESETS)},
        capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert run.returncode == 0, run.stdout + run.stderr
