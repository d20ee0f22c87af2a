"""How far the estimated move of the denoised prediction is from the exact one, at single noise levels."""

import torch
from torch import Generator, Tensor

from lidar_core import Particles

from .estimators import draw_lookaheads, estimated_move, estimators_of, setting
from .mixtures import FREE, World

NOISE_LEVELS = (0.25, 1.0, 2.0, 4.0, 16.0)
NOISY = 32  # states x per noise level


def measure_moves(world: World, count: int, drafts: bool, *, sets: int, seed: int) -> list[dict]:
    """Bias and standard deviation over `sets` lookahead sets, relative to the exact move's norm; root mean squares over x."""
    generator = Generator().manual_seed(seed)
    free = min(world.dimension, FREE)
    states = {sigma: _noisy_states(world, count, sigma, generator) for sigma in NOISE_LEVELS}
    moves, sizes = {}, {}
    for _ in range(sets):
        lookaheads, _ = draw_lookaheads(world, count, drafts, generator)
        rewards, particles = world.rewards(lookaheads), Particles(lookaheads)
        for sigma, (x, sigmas, denoised) in states.items():
            for name, estimator in estimators_of(world).items():
                if estimator.above > 0:  # the same move, at fewer noise levels
                    continue
                move, info = estimated_move(estimator, world, x, particles, rewards, denoised, sigmas)
                # By symmetry the mean over sets has no part beyond the free coordinates; there all is variance.
                beyond = move[:, free:].square().sum(dim=1, keepdim=True)
                moves.setdefault((sigma, name), []).append(torch.cat([move[:, :free], beyond], dim=1))
                sizes.setdefault((sigma, name), []).append(torch.stack([info.ess.mean(), info.tilted_ess.mean()]))
    rows = []
    for (sigma, name), per_set in moves.items():
        x, sigmas, _ = states[sigma]
        seen = torch.stack(per_set).double()  # (sets, x, free + 1)
        exact = world.exact_move(x.double(), sigmas.double())[:, :free]
        within = seen[:, :, :free].var(dim=0).sum(dim=1)
        bias = (seen[:, :, :free].mean(dim=0) - exact).square().sum(dim=1) - within / sets
        norm = exact.square().sum(dim=1).mean().sqrt().item()
        if norm == 0:  # every x belongs to one mode for certain, and nothing can be measured in units of no move
            continue
        ess, tilted_ess = torch.stack(sizes[sigma, name]).mean(dim=0).tolist()
        rows.append(
            {
                **setting(world, count, drafts), "estimator": name, "sigma": sigma, "exact_norm": norm,
                "bias": bias.mean().clamp(min=0).sqrt().item() / norm,
                "deviation": (within + seen[:, :, free].mean(dim=0)).mean().sqrt().item() / norm,
                "ess": ess, "tilted_ess": tilted_ess,
            }
        )  # fmt: skip
    return rows


def _noisy_states(world: World, count: int, sigma: float, generator: Generator) -> tuple[Tensor, Tensor, Tensor]:
    """x from the true noisy law, in the coordinates of rotated_noise; sigma for each; the denoised prediction."""
    x, sigmas = torch.zeros(NOISY, min(world.dimension, count + FREE)), torch.full((NOISY,), sigma)
    plane = world.prior.draw(torch.randn(NOISY, 2, generator=generator), generator)
    x[:, :2] = plane + sigma * torch.randn(NOISY, 2, generator=generator)
    if world.dimension > 2:  # the basis is turned so that x leaves the plane along the third coordinate
        beyond = torch.randn(NOISY, world.dimension - 2, generator=generator).norm(dim=1)
        x[:, 2] = (world.prior.spread**2 + sigma**2) ** 0.5 * beyond
    return x, sigmas, world.prior.denoise(x, sigmas)
