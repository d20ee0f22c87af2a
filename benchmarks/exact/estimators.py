"""The estimators under test: LiDAR's two forms at the scales and effective dimensions in use, and the lookaheads they get."""

from dataclasses import asdict
from typing import NamedTuple

import torch
from torch import Generator, Tensor

from lidar_core import GUIDANCE_FORMS, Particles, TiltInfo, karras_sigmas, sample_dpmpp_2m

from .mixtures import SIGMA_MAX, World, rotated_noise

DRAFT_STEPS, STEPS = 6, 24


class Estimator(NamedTuple):
    form: str
    """Of GUIDANCE_FORMS."""
    scale: float
    effective_dimension: int = 0
    """Of the D numbers; temperature D / this where D is larger. 0: all, temperature 1."""
    above: float = 0.0
    """The noise level below which the sampler is left alone, as the preset's end_percent does."""


ESTIMATORS = {
    "difference s=1": Estimator("difference", 1.0),
    "difference s=8": Estimator("difference", 8.0),
    "difference s=1 d=256": Estimator("difference", 1.0, 256),
    "blend s=1": Estimator("blend", 1.0),
    "blend s=0.5": Estimator("blend", 0.5),
    "blend s=1 d=256": Estimator("blend", 1.0, 256),
    "blend s=0.5 d=256": Estimator("blend", 0.5, 256),
    "blend s=0.5 early": Estimator("blend", 0.5, above=0.8),
    "blend s=0.5 d=256 early": Estimator("blend", 0.5, 256, above=0.8),
}


def estimators_of(world: World) -> dict[str, Estimator]:
    return {name: e for name, e in ESTIMATORS.items() if e.effective_dimension < world.dimension}


def estimated_move(
    estimator: Estimator, world: World, x, particles: Particles, rewards, denoised, sigma
) -> tuple[Tensor, TiltInfo]:
    """s * shift, (B, m): the only place that calls what is measured."""
    tempered = 0 < estimator.effective_dimension < world.dimension
    tilt = {
        "alpha": torch.ones_like(sigma),
        "sigma": sigma,
        "reward_strength": world.strength,
        "temperature": world.dimension / estimator.effective_dimension if tempered else 1.0,
    }
    shift, info = GUIDANCE_FORMS[estimator.form](x, denoised, particles, rewards, **tilt)
    return estimator.scale * shift, info


def levels(world: World, steps: int) -> Tensor:
    return karras_sigmas(steps, 0.08 * world.prior.spread, SIGMA_MAX)


def draw_lookaheads(world: World, count: int, drafts: bool, generator: Generator) -> tuple[Tensor, Tensor]:
    """(count, m) lookaheads, exact or of 6 steps, and the standard noise that they were drawn with."""
    noise = rotated_noise(count, world.dimension, generator)
    if drafts:
        return sample_dpmpp_2m(world.prior.denoise, SIGMA_MAX * noise, levels(world, DRAFT_STEPS)), noise
    return world.prior.draw(noise, generator), noise


def guided_denoiser(estimator: Estimator, world: World, lookaheads: Tensor, rewards: Tensor):
    particles = Particles(lookaheads)

    def guided(x, sigma):
        denoised = world.prior.denoise(x, sigma)
        if sigma[0] <= estimator.above:
            return denoised
        return denoised + estimated_move(estimator, world, x, particles, rewards, denoised, sigma)[0]

    return guided


def setting(world: World, count: int, drafts: bool) -> dict:
    """The columns that every row begins with."""
    lookaheads = f"{DRAFT_STEPS} steps" if drafts else "exact"
    return {**asdict(world), "count": count, "lookaheads": lookaheads}
