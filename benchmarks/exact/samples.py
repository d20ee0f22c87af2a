"""What is drawn under guidance: how it falls on the modes, how it spreads within them, how much of it is copied."""

import torch
from torch import Generator, Tensor
from torch.nn.functional import pad

from lidar_core import sample_dpmpp_2m

from .estimators import STEPS, draw_lookaheads, estimators_of, guided_denoiser, levels, setting
from .mixtures import SIGMA_MAX, World

OUTSIDE = 4  # coordinates that stand for all those that no lookahead reaches


def measure_samples(world: World, count: int, drafts: bool, *, sets: int, samples: int, seed: int) -> list[dict]:
    """What 24-step guided samples are like, per estimator; "unguided", and "exact": by the tilted law's own denoiser."""
    generator = Generator().manual_seed(seed)
    found = {}
    for _ in range(sets):
        lookaheads, _ = draw_lookaheads(world, count, drafts, generator)
        width = lookaheads.shape[1]
        rest = world.dimension - width
        if rest > 0:
            lookaheads = pad(lookaheads, (0, OUTSIDE))
        rewards = world.rewards(lookaheads)
        mass = torch.ones(lookaheads.shape[1])
        mass[width:] = rest / OUTSIDE
        noise = torch.randn(samples, len(mass), generator=generator)
        true = world.tilted.draw(torch.randn(samples, len(mass), generator=generator), generator)
        away = nearest(true, lookaheads, mass)
        arms = {"unguided": world.prior.denoise, "exact": world.tilted.denoise}
        for name, estimator in estimators_of(world).items():
            arms[name] = guided_denoiser(estimator, world, lookaheads, rewards)
        for name, denoiser in arms.items():
            z = sample_dpmpp_2m(denoiser, SIGMA_MAX * noise, levels(world, STEPS))
            figures = [spread(world, z, mass), nearest(z, lookaheads, mass) / away, world.rewards(z).mean().item()]
            found.setdefault(name, []).append((law(world, z), torch.tensor(figures)))
    low, high = world.mean_reward(world.prior), world.mean_reward(world.tilted)
    rows = []
    for name, per_set in found.items():
        laws = torch.stack([one for one, _ in per_set])
        inside, copies, reward = torch.stack([figures for _, figures in per_set]).mean(dim=0).tolist()
        rows.append(
            {
                **setting(world, count, drafts), "estimator": name,
                "tv": sum(total_variation(one, world.tilted.weights) for one in laws) / sets,
                "tv_pooled": total_variation(laws.mean(dim=0), world.tilted.weights),
                "spread": inside, "nearest": copies, "reward_gain": (reward - low) / (high - low),
            }
        )  # fmt: skip
    return rows


def law(world: World, z: Tensor) -> Tensor:
    """The share of each mode, (8,)."""
    return torch.bincount(world.modes(z), minlength=8) / len(z)


def total_variation(p: Tensor, q: Tensor) -> float:
    return ((p - q).abs().sum() / 2).item()


def spread(world: World, z: Tensor, mass: Tensor) -> float:
    """Standard deviation about the mean of each mode's samples, over the true one."""
    modes = world.modes(z)
    parts = [z[modes == mode] for mode in modes.unique()]
    squares = sum((((part - part.mean(dim=0)) ** 2) @ mass).sum().item() for part in parts)
    return (squares / ((len(z) - len(parts)) * world.dimension)) ** 0.5 / world.prior.spread


def nearest(z: Tensor, lookaheads: Tensor, mass: Tensor) -> float:
    """Mean distance to the nearest lookahead; mass: of how many dimensions each coordinate tells."""
    return torch.cdist(z * mass.sqrt(), lookaheads * mass.sqrt()).amin(dim=1).mean().item()
