"""LiDAR for ComfyUI: lookahead sample rewards steer an image model at test time (arXiv 2602.03211)."""

import logging
import re
from pathlib import Path


def refusal() -> str:
    """A line for the console where this ComfyUI is older than the floor, which pyproject.toml states; else nothing."""
    project = Path(__file__).with_name("pyproject.toml").read_text(encoding="utf-8")
    wanted = re.search(r'^requires-comfyui = ">=([\d.]+)"', project, re.MULTILINE)[1]
    try:
        from comfyui_version import __version__ as found
    except ImportError:  # a ComfyUI from before it told its version
        found = "0"
    wanted_numbers, found_numbers = ([int(number) for number in re.findall(r"\d+", text)] for text in (wanted, found))
    if found_numbers >= wanted_numbers:
        return ""
    return f"LiDAR needs ComfyUI {wanted} or newer, and this is {found}: nothing of LiDAR was loaded. Update ComfyUI."


if _refusal := refusal():  # neither nodes nor the page's scripts: the host then says that it skipped this pack
    logging.error(_refusal)
else:
    WEB_DIRECTORY = "./web"

    async def comfy_entrypoint():
        # Imported here and not above: pytest imports this file when it collects from the repository root.
        from .nodes import LiDARExtension

        return LiDARExtension()
