"""The contact sheet: what a node tells the page of the images that it ranked, as ui that the host keeps and sends again.

web/contact_sheet.js shows it. One entry is one JSON text, for the host counts entries that are objects as output files.
Thumbnails are files in the host's temporary folder: neither a message nor a saved workflow or picture holds them.
"""

import json
import os
import tempfile
from collections.abc import Mapping, Sequence

import folder_paths
from torch import Tensor

from ..values.picture import picture_of

KEY = "lidar_sheet"
LONGEST_SIDE = 512
"""Pixels of a thumbnail: smaller pictures keep their size."""


def sheet_ui(
    images: Tensor,
    rewards: Tensor,
    order: Tensor,
    facts: Sequence[tuple[str, str]],
    *,
    reward_name: str,
    judges: Mapping[str, Tensor] | None = None,
    **more,
) -> dict[str, list]:
    """Return the ui of a node that ranked the images (n, H, W, C), and write a thumbnail of each.

    order: (n,) indices best first; judges: further scores by name, (n,) each; facts: (what, how much) pairs, also told
    as text. more: sheet_id, of the lookahead set; kept, numbers of the images that are handed on.
    """
    numbers = [index + 1 for index in order.tolist()]
    sheet = {
        "folder": _write_thumbnails(images),
        "reward": reward_name,
        "numbers": numbers,
        "scores": _few_digits(rewards[order]),
        "judges": {name: _few_digits(values[order]) for name, values in (judges or {}).items()},
        "facts": facts,
        **more,
    }
    return part_ui(sheet, facts)


def part_ui(part: Mapping, facts: Sequence[tuple[str, str]]) -> dict[str, list]:
    """Return ui with a part of a sheet, which the page lays over what it has of the same sheet_id."""
    return {KEY: [json.dumps(part)], "text": ["\n".join(" ".join(fact).strip() for fact in facts)]}


def _write_thumbnails(images: Tensor) -> str:
    """Write 1.jpg, 2.jpg, ... in the order of the batch; return the name of their folder in the temporary folder."""
    os.makedirs(folder_paths.get_temp_directory(), exist_ok=True)
    folder = tempfile.mkdtemp(prefix="lidar_sheet_", dir=folder_paths.get_temp_directory())
    for number, image in enumerate(images, start=1):
        picture = picture_of(image)
        picture.thumbnail((LONGEST_SIDE, LONGEST_SIDE), reducing_gap=2.0)
        picture.save(os.path.join(folder, f"{number}.jpg"), quality=85)
    return os.path.basename(folder)


def _few_digits(values: Tensor) -> list[float]:
    return [float(f"{value:.4g}") for value in values.tolist()]
