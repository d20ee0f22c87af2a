"""What cannot be computed from the pool: pictures that are steered. Each arm is a part of the pool and says what it costs.

Guided pictures start from rows of the pool (`rows`), so that the pool holds the same pictures without guidance.
"""

from collections.abc import Callable, Mapping
from typing import NamedTuple

import torch

from .funnel import Funnel, Stage
from .pool import ROWS, STEPS, Part, pictures
from .rivals import feynman_kac, text_ascent, universal_guidance
from .world import World, room


class Arm(NamedTuple):
    """A part of the pool, and the funnel whose price is its own."""

    part: Part
    funnel: Funnel


def guided(kind: str, count: int, *, images: int = 4, own_noise: bool = False, steps: int = STEPS, **settings) -> Arm:
    """LiDAR: the first `count` drafts of a kind such as "student 1" guide finals of `steps` steps.

    These start from the noise of the `images` best drafts, or from that of the last rows, which are no drafts.
    settings: of LiDAR Apply Guidance, in place of its defaults.
    """
    name, _, draft_steps = kind.partition(" ")

    def draw(world, task, load):
        found = load(f"{name} drafts")[int(draft_steps)]
        latents, reward = found["latents"][:count], found["reward"][:count]
        rows = torch.arange(ROWS - images, ROWS) if own_noise else _best(reward, images)
        drawn = world.sample(
            task, task.noise(ROWS)[rows], world.sigmas(steps), phase="images",
            model=steer(world, latents, reward, settings),
        )  # fmt: skip
        return pictures(world, task, drawn) | {"rows": rows}

    final = "guided" if steps == STEPS else f"guided {steps}"
    return Arm(draw, (Stage(kind, count), Stage(final, images)))


def guided_after(cut: int, count: int, *, images: int = 4, **settings) -> Arm:
    """LiDAR: the best of `count` candidates at a cut go on from where they stand, guided by the candidates' predictions."""

    def draw(world, task, load):
        found = load("finals")["cuts"][cut]
        latents, reward = found["latents"][:count], found["reward"][:count]
        rows = _best(reward, images)
        start = world.model.model.process_latent_out(found["state"][rows])
        drawn = world.sample(
            task, torch.zeros_like(start), world.sigmas(STEPS)[cut:], phase="images", start=start,
            model=steer(world, latents, reward, settings),
        )  # fmt: skip
        return pictures(world, task, drawn) | {"rows": rows}

    return Arm(draw, (Stage(f"cut {cut}", count), Stage("final", images)))


def rival(name: str, draw_latents: Callable, count: int) -> Arm:
    """A method of benchmarks/rivals, with its own defaults."""

    def draw(world, task, _):
        return pictures(world, task, draw_latents(world, task, count=count, steps=STEPS))

    return Arm(draw, (Stage(name, count),))


def steer(world: World, latents, reward, settings: Mapping):
    """Return the MODEL that these lookaheads guide by the pack's own node."""
    definitions = room("nodes.settings.definitions")
    chosen = {name: definitions.DEFAULTS[name] for name in definitions.GUIDANCE} | dict(settings)
    lookaheads = room("lidar_core").LookaheadSet(latents, reward)
    return room("nodes").LiDARApplyGuidance.execute(world.model, lookaheads, **chosen).result[0]


def _best(reward, images: int):
    return reward.argsort(descending=True, stable=True)[:images]


SHORT = 20
"""Steps of the finals that leave time for drafts where four images are wanted at the price of four."""
BLEND = {
    "guidance_form": "blend",
    "guidance_scale": 0.5,
    "reward_strength": 30.0,
    "effective_dimension": 256.0,
    "end_percent": 0.3,
}
PAPER = {
    "guidance_form": "difference",
    "guidance_scale": 40.0,
    "reward_strength": 30.0,
    "effective_dimension": 0.0,
    "end_percent": 0.1,
}
"""The paper's rule with the strength and window that suit the demo model, as its preset has them."""
RIVALS: dict[str, Arm] = {
    "Feynman-Kac, 4": rival("Feynman-Kac", feynman_kac.draw, 4),
    "Feynman-Kac, 8": rival("Feynman-Kac", feynman_kac.draw, 8),
    "universal guidance": rival("universal guidance", universal_guidance.draw, 4),
    "text ascent": rival("text ascent", text_ascent.draw, 4),
}
"""On every fourth prompt: they take long."""
BLENDED, SHORT_BLENDED = "blend, distilled drafts", "blend, distilled drafts, finals of 20 steps"
BLENDED_8, BLENDED_16 = "blend, distilled drafts, budget 8", "blend, distilled drafts, budget 16"
BLENDED_ONE, BLENDED_ONE_2 = "blend, distilled drafts, one final", "blend, distilled drafts of 2 steps, one final"
DEMO = "demo: blend, 32 drafts of 2 steps, eight wanted"
ARMS: dict[str, Arm] = {
    BLENDED_ONE: guided("student 1", 6, images=1, **BLEND),
    BLENDED_ONE_2: guided("student 2", 15, images=1, **BLEND),
    BLENDED: guided("student 1", 14, **BLEND),
    SHORT_BLENDED: guided("student 1", 19, steps=SHORT, **BLEND),
    BLENDED_8: guided("student 2", 31, images=6, **BLEND),
    BLENDED_16: guided("student 4", 32, images=12, **BLEND),
    "blend, weak drafts": guided("weak 1", 14, **BLEND),
    "blend, drafts of 6 steps": guided("plain 6", 14, **BLEND),
    "paper's form, distilled drafts": guided("student 1", 14, own_noise=True, **PAPER),
    "paper's form, drafts of 6 steps": guided("plain 6", 14, own_noise=True, **PAPER),
    DEMO: guided("student 2", 32, images=8, **BLEND),
}
"""The counts of the first six are what training prompts chose for 1.25 and 2 (one wanted), 4.6, 4, 8 and 16 (four); the last is the demo's."""
