"""Runs the arms on the demo model's held-out prompts, interleaved, and keeps a row for every snapshot.

Every prompt and arm sees the same noise where it starts from noise of its own. The referee, which no arm sees, and rewards
that did not guide look on. Rows are written as they come, those of an arm on one line of JSON, so that a run can stop and go on.
"""

import json
import random
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch

from .arms import Arm, Snapshot, settings_of
from .world import Cost, Task, World, room

HELD_OUT = ("brightness", "contrast", "colourfulness", "sharpness", "symmetry")


def held_out_prompts(count: int | None) -> list[tuple[int, object]]:
    """Return (number, prompt) of the prompts that training never saw, in a fixed shuffled order."""
    prompts = [prompt for prompt in room("demo_model.grammar").PROMPTS.values() if prompt.held_out]
    return [(int(i), prompts[i]) for i in np.random.default_rng(0).permutation(len(prompts))[:count]]


def run(world: World, arms: Mapping[str, Arm], number: int, prompt, rows: Path, *, images: Path | None = None) -> None:
    """Append a row for every arm and budget of one prompt to `rows`; those that are there are left out.

    number: of the prompt, which gives the seed; images: a file that gets the images of the first budget of every arm.
    """
    done = {(row["prompt"], row["arm"]) for row in read(rows, arms)}
    nodes = room("nodes")
    onlookers = [nodes.LiDARRewardModelLoader.execute(kind).result[0] for kind in HELD_OUT]
    order = [name for name in arms if (prompt.text, name) not in done]
    random.Random(number).shuffle(order)  # no arm always runs after the same other
    shown = {}
    for name in order:
        task = world.task(prompt, 1000 * number)
        world.cost, began, judging, found = Cost(), time.perf_counter(), 0.0, []
        for snapshot in arms[name](world, task):
            paused = time.perf_counter()
            found.append(_row(world, task, name, arms[name], snapshot, onlookers) | {"wall": paused - began - judging})
            judging += time.perf_counter() - paused
            shown.setdefault(name, (snapshot.images, snapshot.scores))
        with rows.open("a") as file:
            # The line's end comes first: one that a stopped run left half-written stays alone
            file.write(f"\n{json.dumps(found)}\n")
    if images is not None and shown:
        kept = torch.load(images)["images"] if images.exists() else {}
        torch.save({"prompt": prompt.text, "images": kept | shown}, images)


def read(rows: Path, arms: Mapping[str, Arm]) -> list[dict]:
    """Return the rows of a file that were measured with the arms' present settings, none if there is no such file."""
    found = []
    for line in rows.read_text().splitlines() if rows.exists() else ():
        try:
            of_one_arm = json.loads(line)
        except json.JSONDecodeError:  # empty, or half-written when a run was stopped
            continue
        found += [row for row in of_one_arm if row["arm"] in arms and row["settings"] == settings_of(arms[row["arm"]])]
    return found


def _row(world: World, task: Task, name: str, arm: Arm, snapshot: Snapshot, onlookers: Sequence) -> dict:
    images, latents, scores = snapshot.images, snapshot.latents, snapshot.scores
    order = list(range(len(images))) if scores is None else scores.argsort(descending=True, stable=True).tolist()
    best = order[:4]
    guiding, *others = room("nodes.host.scoring").score_images(
        [world.reward, *onlookers], images[best], task.text, batch_size=64
    )
    flat = latents[best].flatten(1)
    pairs = torch.nn.functional.pdist(flat).square() / flat.shape[1]
    return {
        "prompt": task.text,
        "kind": task.kind,
        "arm": name,
        "settings": settings_of(arm),
        "budget": snapshot.budget,
        "images": len(images),
        # Of the four best, best first
        "correct": world.judge(images[best], task),
        "reward": guiding.rewards.tolist(),
        "held_out": {name: other.rewards.tolist() for name, other in zip(HELD_OUT, others, strict=True)},
        "distance": float(pairs.mean().sqrt()) if len(best) > 1 else None,
        "cost": asdict(snapshot.cost),
    }
