"""What each part of a method costs: processor seconds a picture, in batches of 16 on one thread, medians over interleaved rounds."""

import time
from collections import defaultdict
from collections.abc import Callable

import numpy as np

from .pool import PLAIN_STEPS, STEPS, STUDENT_STEPS, prompts
from .rivals import feynman_kac, text_ascent, universal_guidance
from .steered import BLEND, SHORT, steer
from .world import World

BATCH, ROUNDS, SLOW_ROUNDS = 16, 7, 2


def measure(world: World, rounds: int = ROUNDS) -> dict[str, float]:
    """Return processor seconds a picture by kind (see funnel.py), of a "look" (decode and score), of a "guided" final and of the rivals."""
    ((number, prompt),) = prompts("training", 1)
    task = world.task(prompt, number)
    noise, sigmas = task.noise(BATCH), world.sigmas
    drafts = world.sample_student(task, noise, 1, phase="")
    rewards = world.score(world.decode(drafts, phase=""), task, phase="")
    guided = steer(world, drafts, rewards, BLEND)
    quick: dict[str, Callable] = {
        "final": lambda: world.sample(task, noise, sigmas(STEPS), phase=""),
        "guided": lambda: world.sample(task, noise, sigmas(STEPS), phase="", model=guided),
        "look": lambda: world.score(world.decode(drafts, phase=""), task, phase=""),
    }
    quick[f"guided {SHORT}"] = lambda: world.sample(task, noise, sigmas(SHORT), phase="", model=guided)
    for steps in PLAIN_STEPS:
        quick[f"plain {steps}"] = lambda steps=steps: world.sample(task, noise, sigmas(steps), phase="")
    for steps in STUDENT_STEPS:
        quick[f"student {steps}"] = lambda steps=steps: world.sample_student(task, noise, steps, phase="")
    slow = {
        "Feynman-Kac": lambda: feynman_kac.draw(world, task, count=BATCH, particles=8, steps=STEPS),
        "universal guidance": lambda: universal_guidance.draw(world, task, count=BATCH, steps=STEPS),
        "text ascent": lambda: text_ascent.draw(world, task, count=BATCH, steps=STEPS),
    }
    found = defaultdict(list)
    for each, times in ((quick, rounds + 1), (slow, SLOW_ROUNDS + 1)):
        for _ in range(times):
            for name, work in each.items():
                began = time.process_time()
                work()
                found[name].append((time.process_time() - began) / BATCH)
    # The first round warms up
    return {name: float(np.median(each[1:])) for name, each in found.items()}
