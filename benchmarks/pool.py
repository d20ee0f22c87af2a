"""The pool: what is drawn once for a prompt. Every method that chooses among seeds is computed from it, for every budget.

Row i is the same noise in every part. A part of a prompt is one file, `<folder>/<part>/<split>-<number>.pt`, so that a run
stops and goes on anywhere; what is there is not drawn again.
"""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from .world import Task, World, room

ROWS, STEPS = 32, 25
CUTS = (3, 6, 8, 10, 12)
"""Steps of a final after which its predicted clean image is scored and its state kept: 12, 24, 32, 40, 48 %."""
STUDENT_STEPS, WEAK_STEPS, PLAIN_STEPS = (1, 2, 4), (1, 2), (6,)
NEARNESS = 0.95
"""Correlation of the noise of the weak drafts with that of the final."""
SPLITS = ("training", "held-out")

Pictures = dict[str, Tensor]
"""latents (k, 4, 8, 8), reward (k,), correct (k,): the guiding reward and the referee's verdict."""
Part = Callable[[World, Task, Callable[[str], dict]], dict]
"""Of the world, the task, and a function that gives another part of the same prompt."""


def prompts(split: str, count: int | None) -> list[tuple[int, object]]:
    """Return (number, prompt) of the prompts that training saw ("training") or never saw ("held-out"), in a fixed shuffled order."""
    every = [p for p in room("demo_model.grammar").PROMPTS.values() if p.held_out == (split == "held-out")]
    return [(int(i), every[i]) for i in np.random.default_rng(0).permutation(len(every))[:count]]


def pictures(world: World, task: Task, latents: Tensor, *, handed_out: bool = True) -> Pictures:
    """Return latents (k, 4, 8, 8) with their reward and, if they may be handed out, the referee's verdicts."""
    images = world.decode(latents, phase="decoding")
    found = {"latents": latents, "reward": world.score(images, task, phase="scoring")}
    return found | {"correct": torch.tensor(world.judge(images, task))} if handed_out else found


def finals(world: World, task: Task, _) -> dict:
    """The finished pictures of all rows; at every cut their state in the model's space and the predicted clean images."""
    states, predicted = {}, {}

    def keep(step: int, denoised: Tensor, x: Tensor, _: int) -> None:
        if step in CUTS:
            states[step] = x.clone()
        if step + 1 in CUTS:
            predicted[step + 1] = world.model.model.process_latent_out(denoised.clone())

    latents = world.sample(task, task.noise(ROWS), world.sigmas(STEPS), phase="finals", callback=keep)
    seen = {
        cut: pictures(world, task, each, handed_out=False) | {"state": states[cut]} for cut, each in predicted.items()
    }
    return pictures(world, task, latents) | {"cuts": seen}


def plain_drafts(world: World, task: Task, _) -> dict[int, Pictures]:
    """Drafts of a few steps by the model itself."""
    noise = task.noise(ROWS)
    drawn = {steps: world.sample(task, noise, world.sigmas(steps), phase="drafts") for steps in PLAIN_STEPS}
    return {steps: pictures(world, task, latents) for steps, latents in drawn.items()}


def student_drafts(world: World, task: Task, _) -> dict[int, Pictures]:
    """Drafts of a few steps by the distilled model."""
    noise = task.noise(ROWS)
    drawn = {steps: world.sample_student(task, noise, steps, phase="drafts") for steps in STUDENT_STEPS}
    return {steps: pictures(world, task, latents) for steps, latents in drawn.items()}


def weak_drafts(world: World, task: Task, _) -> dict[int, Pictures]:
    """The same from noise that is only near the final's, so that they foretell as little as drafts of real models do."""
    noise = NEARNESS * task.noise(ROWS) + (1 - NEARNESS**2) ** 0.5 * task.noise(ROWS, stream=2)
    drawn = {steps: world.sample_student(task, noise, steps, phase="drafts") for steps in WEAK_STEPS}
    return {steps: pictures(world, task, latents, handed_out=False) for steps, latents in drawn.items()}


PARTS: dict[str, Part] = {
    "finals": finals,
    "plain drafts": plain_drafts,
    "student drafts": student_drafts,
    "weak drafts": weak_drafts,
}


class Pool:
    """The folder with the parts that are there."""

    def __init__(self, folder: Path):
        self.folder = folder

    def add(self, world: World, name: str, part: Part, split: str, number: int, prompt) -> None:
        """Draw a part for a prompt if it is not there."""
        path = self._path(name, split, number)
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            task = world.task(prompt, 1000 * number + 500 * (split == "training"))
            torch.save(part(world, task, partial(self.load, split=split, number=number)), path.with_suffix(".partial"))
            path.with_suffix(".partial").replace(path)

    def load(self, name: str, split: str, number: int) -> dict:
        """Return a part of a prompt; FileNotFoundError if it was not drawn."""
        return torch.load(self._path(name, split, number), weights_only=True)

    def numbers(self, name: str, split: str) -> set[int]:
        """Return the numbers of the prompts that have this part."""
        return {int(path.stem.rsplit("-", 1)[1]) for path in (self.folder / name).glob(f"{split}-*.pt")}

    def _path(self, name: str, split: str, number: int) -> Path:
        return self.folder / name / f"{split}-{number}.pt"
