"""A ComfyUI older than the floor in pyproject.toml: one plain line, and neither nodes nor scripts for the page."""

from __future__ import annotations

import asyncio
import logging
import shutil
from pathlib import Path

PACK = Path(__file__).resolve().parents[2]


def test_host_below_the_floor_gets_one_line_and_nothing_else(comfy, tmp_path, caplog):
    import comfyui_version

    import nodes

    pack = tmp_path / "lidar-with-a-higher-floor"
    pack.mkdir()
    shutil.copy(PACK / "__init__.py", pack)
    project = (PACK / "pyproject.toml").read_text(encoding="utf-8")
    floor = next(line for line in project.splitlines() if line.startswith("requires-comfyui"))
    (pack / "pyproject.toml").write_text(project.replace(floor, 'requires-comfyui = ">=99.1.0"'), encoding="utf-8")

    known, served = dict(nodes.NODE_CLASS_MAPPINGS), dict(nodes.EXTENSION_WEB_DIRS)
    with caplog.at_level(logging.INFO):
        loaded = asyncio.run(nodes.load_custom_node(str(pack), module_parent="custom_nodes"))

    told = [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]
    assert told[0] == (
        f"LiDAR needs ComfyUI 99.1.0 or newer, and this is {comfyui_version.__version__}: nothing of LiDAR was loaded. "
        "Update ComfyUI."
    )
    assert len(told) == 2 and told[1].startswith(f"Skip {pack} module")  # the host's own, for every pack without nodes
    assert not loaded
    assert nodes.NODE_CLASS_MAPPINGS == known and nodes.EXTENSION_WEB_DIRS == served
