"""Feynman-Kac steering: particles of a stochastic sampler, resampled by the reward of their predicted clean images.

Singhal et al. 2025, arXiv 2501.06848, with the model itself as the proposal. Every `interval` steps each particle's
denoised prediction is decoded and scored, r_t, and the particles of a group are drawn anew with weights G_t:

    "difference"    G_t = exp(lambda (r_t - r_s))               s the resampling before, r = 0 at the first
    "max"           G_t = exp(lambda max over s >= t of r_s)    and at the end exp(lambda r_0) / product of the G_t

so that, resampled at the end too, the product of all G is exp(lambda r_0) with either. The sampler is DDPM's ancestral one: x_{t-1}
is drawn from q(x_{t-1} | x_t, x0 = denoised), which is the host's euler_ancestral. Simplified: systematic instead of multinomial
resampling (same mean, less variance), never adaptive; the resampling among the finished images is off by default, for who takes the
best of a group only loses by it.
"""

import comfy.samplers
import torch
from comfy.k_diffusion.sampling import default_noise_sampler, get_ancestral_step
from torch import Tensor

from ..world import Task, World

SEED_OFFSET = 2_000_003
"""Keeps the sampler's own noise away from the starting noise of this task and of those with the next seeds."""


def draw(
    world: World, task: Task, *, count: int, steps: int, particles: int | None = None, reward_strength: float = 10.0,
    interval: int = 5, potential: str = "difference", resample_at_end: bool = False,
) -> Tensor:  # fmt: skip
    """Return latents (count, 4, 8, 8): all particles, group after group, unranked.

    particles: the size of a group, `count` if None; it must divide count, and groups do not compete. reward_strength:
    lambda, in units of 1 / reward; 0 is the plain ancestral sampler. interval: in steps. potential: "difference" or "max".
    resample_at_end: also resample the finished images. Decoding and scoring count as the phases "decoding" and "scoring".
    """
    particles = particles or count
    if count % particles or potential not in ("difference", "max"):
        raise ValueError(f"{particles} particles a group must divide {count}; {potential!r} must be difference or max")

    @torch.no_grad()
    def sample(model, x, sigmas, extra_args=None, callback=None, disable=None):
        population = _Population(count, particles, reward_strength, potential, extra_args["seed"])
        noise = default_noise_sampler(x, seed=extra_args["seed"])
        ones, last = x.new_ones(len(x)), len(sigmas) - 2
        for i in range(last + 1):
            denoised = model(x, sigmas[i] * ones, **extra_args)
            down, up = get_ancestral_step(sigmas[i], sigmas[i + 1])
            x = denoised + (x - denoised) * (down / sigmas[i])
            if i < last and (i + 1) % interval == 0 or i == last and resample_at_end:
                latents = world.model.model.process_latent_out(denoised)
                rewards = world.score(world.decode(latents, phase="decoding"), task, phase="scoring")
                x = x[population.resample(rewards, at_end=i == last).to(x.device)]
            if i < last:
                x = x + noise(sigmas[i], sigmas[i + 1]) * up
        return x

    sampler = comfy.samplers.KSAMPLER(sample)
    return world.sample(
        task, task.noise(count), world.sigmas(steps), phase="sampling", sampler=sampler, seed=task.seed + SEED_OFFSET
    )


class _Population:
    """What the particles carry along: their last (or highest) reward and the log of the product of their potentials."""

    def __init__(self, count: int, particles: int, reward_strength: float, potential: str, seed: int):
        self.rewards, self.log_product = torch.zeros(count), torch.zeros(count)
        self.started = False
        self.particles, self.reward_strength, self.potential = particles, reward_strength, potential
        self.generator = torch.Generator().manual_seed(seed + SEED_OFFSET)

    def resample(self, rewards: Tensor, *, at_end: bool) -> Tensor:
        """Return which particle each place takes, (count,), for the rewards (count,) of the predictions."""
        known = self.rewards if self.started else torch.zeros_like(rewards)
        if self.potential == "difference":
            log_weight = self.reward_strength * (rewards - known)
        elif at_end:
            log_weight = self.reward_strength * rewards - self.log_product
        else:
            rewards = torch.maximum(rewards, known) if self.started else rewards
            log_weight = self.reward_strength * rewards
        weights = log_weight.view(-1, self.particles).softmax(dim=1)
        chosen = torch.cat([_systematic(w, self.generator) + self.particles * g for g, w in enumerate(weights)])
        self.rewards, self.log_product = rewards[chosen], (self.log_product + log_weight)[chosen]
        self.started = True
        return chosen


def _systematic(weights: Tensor, generator: torch.Generator) -> Tensor:
    """Return k indices, sorted, of weights (k,) that sum to 1: index i comes k * weights[i] times, rounded up or down."""
    k = len(weights)
    points = (torch.arange(k) + torch.rand(1, generator=generator, dtype=torch.float64)) / k
    return torch.searchsorted(weights.double().cumsum(0), points).clamp(max=k - 1)
