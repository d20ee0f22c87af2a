"""`python3 dev.py python -m devtools.templates`: writes workflows/*.json, by what a ComfyUI with this pack tells of its nodes."""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ..comfy_client import ComfyClient
from ..environment import REPOSITORY, prepare
from ..server import link_pack, start_server
from . import changed_pictures, demo_model, full_size, several_computers
from .board import Board

# The host reads nothing but file names: they are what the template browser shows, in their order where it is sorted
TEMPLATES: Mapping[str, Callable[[Board], None]] = {
    "01 Demo - with and without LiDAR": demo_model.demo,
    "02 Look first, pick, finish": demo_model.look_first,
    "03 From the default graph (Z-Image Turbo)": full_size.z_image,
    "04 SDXL with distilled lookaheads": full_size.sdxl,
    "05 SDXL in parts, for any sampler": full_size.sdxl_in_parts,
    "06 img2img": changed_pictures.img2img,
    "07 Inpainting": changed_pictures.inpainting,
    "08 Several rewards": demo_model.rewards,
    "09 A second opinion": demo_model.second_opinion,
    "10 Measure drafts - does it pay": demo_model.measure,
    "11 App - prompt, pick, finish": demo_model.app,
    "12 Several computers": several_computers.one_set,
}


def written(name: str, object_info: Mapping[str, Any]) -> str:
    """What the file of this template holds."""
    board = Board(object_info)
    TEMPLATES[name](board)
    return json.dumps(board.workflow(), indent=1, ensure_ascii=False) + "\n"


@contextmanager
def running_server() -> Iterator[ComfyClient]:
    """A ComfyUI with this pack, and nothing else in its folders."""
    with tempfile.TemporaryDirectory() as folder:
        base = Path(folder)
        link_pack(base, REPOSITORY)
        server = start_server(
            python=sys.executable, comfyui=prepare().comfyui, base_directory=base, cpu=True,
            log_path=base / "server.log",
        )  # fmt: skip
        try:
            yield ComfyClient(server.url)
        finally:
            server.stop()


def main() -> int:
    with running_server() as client:
        object_info = client.object_info()
    for name in TEMPLATES:
        (REPOSITORY / "workflows" / f"{name}.json").write_text(written(name, object_info), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
