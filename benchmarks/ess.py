"""Effective sample sizes over a run: how many lookaheads have a say at each noise level, for the paper's form and for ours.

Read from the lines that the guided step logs at DEBUG, so it is what an artist sees.
"""

import logging
from collections import defaultdict

import numpy as np

from .arms import lidar
from .world import World, room

FORMS = {"paper's form": {"preset": "demo (paper)", "end_percent": 1.0}, "recommended": {"end_percent": 1.0}}


def measure(world: World, prompts) -> dict[str, tuple[list[float], list[float], list[float]]]:
    """Return name -> (sigmas, ESS by nearness, ESS by nearness and reward), means over the prompts' four images."""
    return {name: _curve(world, prompts, settings) for name, settings in FORMS.items()}


def _curve(world, prompts, settings):
    found = defaultdict(list)
    logger = room("nodes.host.post_cfg").logger
    handler = logging.Handler()
    handler.emit = lambda record: found[round(record.args[0], 4)].append(record.args[1:3])
    level = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.DEBUG)
    logger.propagate = False
    try:
        for number, prompt in prompts:
            list(lidar(world, world.task(prompt, 1000 * number), budget=0, images=4, **settings))
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)
        logger.propagate = True
    sigmas = sorted(found, reverse=True)
    means = [np.mean(found[sigma], axis=0) for sigma in sigmas]
    return sigmas, [float(mean[0]) for mean in means], [float(mean[1]) for mean in means]
