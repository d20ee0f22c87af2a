"""One cell: a method's pictures for one prompt and seed, with what they took and what every reward says of them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from . import methods
from .methods import BEST_OF, CANDIDATES, GUIDED, PICTURES, SCORE, Drawing
from .node_schema import default_inputs
from .prompts_file import Prompt
from .server_run import Finished, RunningComfy
from .task import Task


@dataclass(frozen=True)
class Cells:
    """What all cells share. held_out: inputs of the loader by name; batch: pictures at once in best of N."""

    server: RunningComfy
    task: Task
    held_out: Mapping[str, Mapping[str, Any]]
    batch: int
    folder: Path

    @property
    def scoring(self) -> dict[str, Any]:
        return default_inputs(self.server.nodes[SCORE])

    def drawing(self, method: str, text: str, seed: int, *, count: int, wanted: int) -> Drawing:
        if method == BEST_OF:
            size = {"count": count, "wanted": wanted, "batch": self.batch}
            return methods.best_of(self.task, text, seed, **size, scoring=self.scoring)
        draw = methods.guided if method == GUIDED else methods.vanilla
        return draw(self.task, text, seed)

    def row(self, method: str, prompt: Prompt, number: int, *, count: int, wanted: int) -> dict[str, Any]:
        """Draws, judges and saves the pictures of the prompt's seed no. `number`, from 0; returns the row."""
        seed = prompt.first_seed + number
        drawing = self.drawing(method, prompt.text, seed, count=count, wanted=wanted)
        drawn = self.server.run(drawing.graph)
        graph, told = methods.judged(drawing, self.task, prompt.text, self.held_out, self.scoring)
        scores = self.server.run(graph).outputs
        row = {"prompt": prompt.text, "seed": seed, "method": method, "seconds": drawn.seconds}
        row["rewards"] = {name: methods.numbers_told(scores, node_id) for name, node_id in told.items()}
        if method == BEST_OF:
            row["candidates"] = methods.numbers_told(drawn.outputs, CANDIDATES)
        if method == GUIDED:
            row["lookaheads"] = lookahead_rewards(drawn)
        row["pictures"] = self._save(method, prompt, number, drawn)
        return row

    def _save(self, method: str, prompt: Prompt, number: int, drawn: Finished) -> list[str]:
        """In GenEval's layout, so that its evaluation reads the folder of a method as it is."""
        place = self.folder / "pictures" / method.replace(" ", "_") / f"{prompt.first_seed:010}"
        (place / "samples").mkdir(parents=True, exist_ok=True)
        (place / "metadata.jsonl").write_text(json.dumps(prompt.record) + "\n", encoding="utf-8")
        saved = []
        images = drawn.outputs[PICTURES]["images"]
        for index, image in enumerate(images, start=number * len(images)):
            path = place / "samples" / f"{index:04}.png"
            path.write_bytes(self.server.view(image))
            saved.append(path.relative_to(self.folder).as_posix())
        return saved


def lookahead_rewards(drawn: Finished) -> list[float]:
    """The rewards of LiDAR's lookaheads by their number, as their node tells them; [] where there is none."""
    for node_id, output in drawn.outputs.items():
        if node_id.endswith(".LiDARScoreLookaheads") and output.get("lidar_sheet"):
            numbers = json.loads(output["lidar_sheet"][0])["numbers"]  # best first, as the rewards
            return [reward for _, reward in sorted(zip(numbers, output["rewards"], strict=True))]
    return []
