"""The arms of the demo bench: every method as it is run, and with what settings.

An arm is a generator over one prompt: it yields a `Snapshot` for each budget that it reaches, with what it has drawn and
spent so far. Budgets count vanilla images: 8 is the time of eight images of 25 steps.
"""

import copy
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict
from typing import NamedTuple

import torch
from torch import Tensor

from .world import SHAPE, Cost, Task, World, room

STEPS = 25
CHUNK = 16  # images at once, of every arm
BUDGETS = (4, 8, 16, 32)


class Snapshot(NamedTuple):
    """The images that an arm offers at a budget, and what they have cost."""

    budget: int
    latents: Tensor
    """(k, 4, 8, 8)"""
    images: Tensor
    """(k, 64, 64, 3) in [0, 1]"""
    rewards: Tensor | None
    """(k,) what the arm has seen of the guiding reward; None if it never looks: then its first images are taken."""
    cost: Cost


Arm = Callable[[World, Task], Iterator[Snapshot]]


def vanilla(world: World, task: Task, *, steps: int = STEPS, budget: int = 4) -> Iterator[Snapshot]:
    """Four images, not scored."""
    latents = world.sample(task, task.noise(4), world.sigmas(steps), phase="final")
    yield Snapshot(budget, latents, world.decode(latents, phase="final"), None, copy.deepcopy(world.cost))


def best_of_n(world: World, task: Task, *, steps: int, sizes: Mapping[int, int]) -> Iterator[Snapshot]:
    """Independent images, scored; `sizes` says how many there are at each budget."""
    noise, parts, done = task.noise(max(sizes.values())), [], 0
    for budget, size in sizes.items():
        parts.append(_draw(world, task, noise[done:size], steps, "final"))
        done = size
        latents, images, rewards = (torch.cat(each) for each in zip(*parts, strict=True))
        yield Snapshot(budget, latents, images, rewards, copy.deepcopy(world.cost))


def rival(world: World, task: Task, *, draw: Callable, budget: int, **settings) -> Iterator[Snapshot]:
    """A method of benchmarks/rivals: its images, scored at the end."""
    latents = draw(world, task, **settings)
    images = world.decode(latents, phase="final")
    yield Snapshot(budget, latents, images, world.score(images, task, phase="scoring"), copy.deepcopy(world.cost))


def lidar(world: World, task: Task, *, budget: int, count: int, images: int, steps: int = STEPS, **settings):
    """LiDAR through this pack's nodes: `count` lookaheads, `images` guided ones; settings of a LookaheadConfig."""
    nodes = room("nodes")
    config = room("nodes.lookahead_config").LookaheadConfig(**settings)
    noise = task.noise(count)
    latents, seen, rewards = _draw(world, task, noise, config.steps, "lookaheads")
    with world.spending("guidance set-up"):
        scored = room("lidar_core").LookaheadSet(latents, rewards)
        guided = nodes.LiDARApplyGuidance.execute(
            world.model, scored,
            **{name: value for name, value in asdict(config).items() if name in GUIDANCE},
        ).result[0]  # fmt: skip
    if config.start_from == room("nodes.setting_inputs").BEST_LOOKAHEADS:
        start = noise[scored.order()[:images]]
    else:
        start = task.noise(images, stream=1)
    final = world.sample(task, start, world.sigmas(steps), phase="final", model=guided)
    decoded = world.decode(final, phase="final")
    yield Snapshot(budget, final, decoded, world.score(decoded, task, phase="scoring"), copy.deepcopy(world.cost))


GUIDANCE = ("guidance_scale", "reward_strength", "reward_scale", "start_percent", "end_percent", "effective_dimension")


def _draw(world: World, task: Task, noise: Tensor, steps: int, phase: str) -> tuple[Tensor, Tensor, Tensor]:
    """Latents, images and rewards of noise (n, 4, 8, 8), at most CHUNK images at once."""
    assert noise.shape[1:] == SHAPE
    latents = torch.cat([world.sample(task, part, world.sigmas(steps), phase=phase) for part in noise.split(CHUNK)])
    images = world.decode(latents, phase="decoding")
    return latents, images, world.score(images, task, phase="scoring")
