"""The arms of the demo bench: every method as it is run, and with what settings.

An arm is a generator over one prompt: it yields a `Snapshot` for each budget that it reaches, with what it has drawn and
spent so far. Budgets count vanilla images: 8 is the time of eight images of 25 steps, scored.
"""

import copy
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict
from functools import partial
from typing import NamedTuple

import torch
from torch import Tensor

from .rivals import feynman_kac, text_ascent, universal_guidance
from .world import Cost, Task, World, room

STEPS = 25
CHUNK = 16  # images at once, in every arm
GUIDANCE = (
    "guidance_scale", "reward_strength", "reward_scale", "start_percent", "end_percent", "guidance_form",
    "effective_dimension",
)  # fmt: skip


class Snapshot(NamedTuple):
    """The images that an arm offers at a budget, and what they have cost."""

    budget: int
    latents: Tensor
    """(k, 4, 8, 8)"""
    images: Tensor
    """(k, 64, 64, 3) in [0, 1]"""
    scores: Tensor | None
    """(k,) by which the best are taken; None: the first are."""
    cost: Cost


Arm = partial[Iterator[Snapshot]]
"""Of (World, Task); its keywords are the settings."""


def vanilla(world: World, task: Task, *, budget: int, steps: int) -> Iterator[Snapshot]:
    """Four images, not scored."""
    latents = world.sample(task, task.noise(4), world.sigmas(steps), phase="images")
    yield Snapshot(budget, latents, world.decode(latents, phase="decoding"), None, copy.deepcopy(world.cost))


def best_of_n(world: World, task: Task, *, steps: int, sizes: Mapping[int, int]) -> Iterator[Snapshot]:
    """Independent images, scored; `sizes` says how many there are at each budget."""
    noise, parts, done = task.noise(max(sizes.values())), [], 0
    for budget, size in sizes.items():
        parts.append(_draw(world, task, noise[done:size], steps=steps, phase="images", steady=False))
        done = size
        latents, images, scores = (torch.cat(each) for each in zip(*parts, strict=True))
        yield Snapshot(budget, latents, images, scores, copy.deepcopy(world.cost))


def rival(world: World, task: Task, *, budget: int, draw: Callable, **settings) -> Iterator[Snapshot]:
    """A method of benchmarks/rivals: its images, scored at the end."""
    latents = draw(world, task, steps=STEPS, **settings)
    images = world.decode(latents, phase="decoding")
    yield Snapshot(budget, latents, images, world.score(images, task, phase="scoring"), copy.deepcopy(world.cost))


def lidar(
    world: World, task: Task, *, budget: int, images: int, final_steps: int = STEPS, preset: str = "demo", **settings
) -> Iterator[Snapshot]:
    """LiDAR through this pack's nodes: a preset with some settings changed; `images` guided ones of `final_steps`."""
    chosen = {
        **room("nodes.settings.definitions").DEFAULTS,
        **room("nodes.settings.presets").PRESETS[preset],
        **settings,
    }
    config = room("nodes.settings.config").LookaheadConfig(**chosen)
    noise = task.noise(config.count)
    drawn = {"steps": config.steps, "phase": "lookaheads", "steady": config.steady_scores}
    latents, _, rewards = _draw(world, task, noise, **drawn)
    lookaheads = room("lidar_core").LookaheadSet(latents, rewards)
    chosen = {name: value for name, value in asdict(config).items() if name in GUIDANCE}
    guided = room("nodes").LiDARApplyGuidance.execute(world.model, lookaheads, **chosen).result[0]
    from_best = config.start_from == room("nodes.settings.definitions").BEST_LOOKAHEADS
    start = noise[lookaheads.order()[:images]] if from_best else task.noise(images, stream=1)
    final = torch.cat(
        [
            world.sample(task, part, world.sigmas(final_steps), phase="images", model=guided)
            for part in start.split(CHUNK)
        ]
    )
    decoded = world.decode(final, phase="decoding")
    scores = world.score(decoded, task, phase="scoring", steady=config.steady_scores)
    yield Snapshot(budget, final, decoded, scores, copy.deepcopy(world.cost))


def settings_of(arm: Arm) -> str:
    """Return what an arm is run with, its preset's values too, as text that is the same in every process."""
    named = {name: getattr(value, "__module__", value) for name, value in arm.keywords.items()}
    if arm.func is lidar:
        named = {**room("nodes.settings.presets").PRESETS[named.get("preset", "demo")], **named}
    return f"{arm.func.__name__} {named}"


def _draw(world: World, task: Task, noise: Tensor, *, steps: int, phase: str, steady: bool):
    """Latents, images and scores of noise (n, 4, 8, 8), at most CHUNK images at once."""
    latents = torch.cat([world.sample(task, part, world.sigmas(steps), phase=phase) for part in noise.split(CHUNK)])
    images = world.decode(latents, phase="decoding")
    return latents, images, world.score(images, task, phase="scoring", steady=steady)


# Allocations were set by the time that two prompts took, so that LiDAR takes no longer than best of N at the same budget.
ALWAYS: Mapping[str, Arm] = {
    "best of N, 4": partial(best_of_n, steps=STEPS, sizes={4: 4}),
    "best of N, 8": partial(best_of_n, steps=STEPS, sizes={8: 8}),
    "best of N, 16": partial(best_of_n, steps=STEPS, sizes={16: 16}),
    "best of N, 8 steps": partial(best_of_n, steps=8, sizes={4: 11, 8: 22}),
    "LiDAR (one wanted)": partial(lidar, budget=4, count=12, images=2, final_steps=20),
    "LiDAR (four wanted)": partial(lidar, budget=4, count=9, steps=6, images=4, final_steps=12),
    "LiDAR, 8": partial(lidar, budget=8, count=25, images=4, final_steps=20),
    "LiDAR, 8, final images of 8 steps": partial(lidar, budget=8, count=34, images=7, final_steps=8),
    "LiDAR, 16": partial(lidar, budget=16, count=42, images=9, final_steps=20),
    "LiDAR, paper's form": partial(lidar, budget=8, count=16, images=4, preset="demo (paper)"),
}
# On every fourth prompt
SLOW: Mapping[str, Arm] = {
    "best of N, 32": partial(best_of_n, steps=STEPS, sizes={32: 32}),
    "LiDAR, 32": partial(lidar, budget=32, count=80, images=20, final_steps=20),
    "vanilla, 50 steps": partial(vanilla, budget=8, steps=2 * STEPS),
    "Feynman-Kac, 4 particles": partial(rival, budget=4, draw=feynman_kac.draw, count=4),
    "Feynman-Kac, 8 particles": partial(rival, budget=8, draw=feynman_kac.draw, count=8),
    "universal guidance": partial(rival, budget=8, draw=universal_guidance.draw, count=4),
    "text ascent": partial(rival, budget=8, draw=text_ascent.draw, count=4),
}
ARMS: Mapping[str, Arm] = {**ALWAYS, **SLOW}
