"""The thumbnails of the templates: what a run of them gives, or their graph where they want files of models.

`python3 dev.py python -m devtools.templates.thumbnails [part of a name ...]` runs them. The graphs come from pictures that
`LIDAR_SCREENSHOTS=output/screenshots python3 dev.py test tests/browser/test_templates.py` has kept.
"""

from __future__ import annotations

import io
import json
import math
import sys
from typing import Any

from PIL import Image, ImageDraw, ImageFont

from ..comfy_client import ComfyClient, RunResult
from ..environment import REPOSITORY
from ..workflow_to_prompt import workflow_to_prompt
from .__main__ import TEMPLATES, running_server

FOLDER = REPOSITORY / "workflows"
GRAPHS = REPOSITORY / "output" / "screenshots"
SIZE = (640, 400)
_TITLE, _GAP, _BACKGROUND, _INK = 34, 10, "#1d1d20", "#e8e8ec"


def main() -> int:
    with running_server() as client:
        object_info = client.object_info()
        for name in filter(lambda each: any(part in each for part in sys.argv[1:] or [""]), TEMPLATES):
            workflow = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
            if any(node["type"] == "LiDARLoadDemoModel" for node in workflow["nodes"]):
                picture = side_by_side(results(client, workflow_to_prompt(workflow, object_info), titles(workflow)))
            else:
                graph = Image.open(GRAPHS / f"{name}, Nodes 2.0, 1600x1000, opened.png")
                picture = graph.crop((195, 135, 1405, 891)).resize(SIZE, Image.Resampling.LANCZOS)
            picture.convert("RGB").save(FOLDER / f"{name}.jpg", quality=88)
    return 0


def titles(workflow: dict[str, Any]) -> dict[str, str]:
    return {str(node["id"]): node.get("title", node["type"]) for node in workflow["nodes"]}


def results(client: ComfyClient, prompt: dict[str, Any], title_of: dict[str, str]) -> dict[str, list[Image.Image]]:
    """The pictures of each node that shows some, by its title; the lookaheads where one looks first or nothing else is shown."""
    (sampler,) = [key for key, node in prompt.items() if node["class_type"] in ("LiDARKSampler", "LiDARMeasureDrafts")]
    shows = [key for key, node in prompt.items() if node["class_type"] in ("SaveImage", "PreviewImage")]
    if not shows or prompt[sampler]["inputs"].get("look_first"):
        prompt["sheet"] = {"class_type": "PreviewImage", "inputs": {"images": [sampler, 2]}}
        shows, title_of = ["sheet", *shows], title_of | {"sheet": "Lookaheads, best first"}
    result = client.queue(prompt, timeout=1800)
    if prompt[sampler]["inputs"].get("look_first"):  # and now as with a click on the best
        (sheet,) = (json.loads(out["lidar_sheet"][0]) for out in result.outputs.values() if "lidar_sheet" in out)
        prompt[sampler]["inputs"]["picks"] = str(sheet["numbers"][0])
        result = client.queue(prompt, timeout=1800)
    if result.status != "success":
        raise RuntimeError(result.message)
    return {title_of[key]: _pictures(client, result, key) for key in shows}


def _pictures(client: ComfyClient, result: RunResult, node: str) -> list[Image.Image]:
    return [Image.open(io.BytesIO(client.view(image))).convert("RGB") for image in result.outputs[node]["images"]]


def side_by_side(panels: dict[str, list[Image.Image]]) -> Image.Image:
    """Each panel's title, and below it its pictures as large as they fit."""
    whole = Image.new("RGB", SIZE, _BACKGROUND)
    width = (SIZE[0] - _GAP) // len(panels) - _GAP
    font = ImageFont.load_default(20)
    for place, (title, pictures) in enumerate(panels.items()):
        left = _GAP + place * (width + _GAP)
        ImageDraw.Draw(whole).text((left, 6), title, _INK, font)
        room = (width, SIZE[1] - _TITLE - _GAP)
        columns, scale = max(
            ((columns, _scale(pictures, columns, room)) for columns in range(1, len(pictures) + 1)),
            key=lambda found: found[1],
        )
        for number, picture in enumerate(pictures):
            size = (round(picture.width * scale) - 4, round(picture.height * scale) - 4)
            how = Image.Resampling.NEAREST if scale > 1 else Image.Resampling.LANCZOS
            at = (left + number % columns * (size[0] + 4), _TITLE + number // columns * (size[1] + 4))
            whole.paste(picture.resize(size, how), at)
    return whole


def _scale(pictures: list[Image.Image], columns: int, room: tuple[int, int]) -> float:
    """How much larger pictures can be shown in so many columns."""
    rows = math.ceil(len(pictures) / columns)
    return min(room[0] / (columns * pictures[0].width), room[1] / (rows * pictures[0].height))


if __name__ == "__main__":
    sys.exit(main())
