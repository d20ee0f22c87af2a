"""What starting from the noise of the best lookaheads draws: the best of n, which is not the tilted law."""

import torch
from torch import Generator, Tensor

from lidar_core import sample_dpmpp_2m

from .estimators import STEPS, draw_lookaheads, estimators_of, guided_denoiser, levels, setting
from .mixtures import CENTRES, PRIOR, REWARDS, SIGMA_MAX, World
from .samples import law, total_variation

BEST = 4  # lookaheads to start from
STARTED = ("difference s=1", "blend s=0.5 early", "blend s=0.5 d=256 early")


def measure_starts(world: World, count: int, *, sets: int, seed: int) -> list[dict]:
    """Final samples from the noise of the 4 best of `count` 6-step lookaheads, pooled over sets."""
    generator = Generator().manual_seed(seed)
    chosen = {"unguided": None} | {name: e for name, e in estimators_of(world).items() if name in STARTED}
    found = {name: [] for name in chosen}
    for _ in range(sets):
        lookaheads, noise = draw_lookaheads(world, count, True, generator)
        rewards = world.rewards(lookaheads)
        best = rewards.topk(BEST).indices
        for name, estimator in chosen.items():
            guided = guided_denoiser(estimator, world, lookaheads, rewards) if estimator else world.prior.denoise
            z = sample_dpmpp_2m(guided, SIGMA_MAX * noise[best], levels(world, STEPS))
            same = (world.modes(z) == world.modes(lookaheads[best])).float().mean()
            off = z.square().sum(dim=1) - z[:, :2].square().sum(dim=1)
            off = off + (z[:, :2] - CENTRES[world.modes(z)]).square().sum(dim=1)
            inside = (off.mean() / world.dimension).sqrt() / world.prior.spread
            found[name].append((law(world, z), torch.stack([same, inside])))
    selection = best_of_law(count)
    strengths = torch.linspace(0, 20, 401)
    rows = []
    for name, per_set in found.items():
        pooled = torch.stack([one for one, _ in per_set]).mean(dim=0)
        distances = [total_variation(pooled, torch.softmax(PRIOR.log() + s * REWARDS, dim=0)) for s in strengths]
        closest = min(range(len(distances)), key=distances.__getitem__)
        same, inside = torch.stack([figures for _, figures in per_set]).mean(dim=0).tolist()
        rows.append(
            {
                **setting(world, count, True), "estimator": name,
                "tv": total_variation(pooled, world.tilted.weights),
                "tv_best_of": total_variation(pooled, selection),
                "tv_closest": distances[closest], "closest_strength": strengths[closest].item(),
                "best_mode": pooled[REWARDS.argmax()].item(), "same_mode": same, "spread": inside,
            }
        )  # fmt: skip
    return rows


def best_of_law(count: int) -> Tensor:
    """The share of each mode, (8,), among the best 4 of `count` independent samples, in closed form."""
    order = REWARDS.argsort(descending=True)
    above = PRIOR[order].cumsum(0).clamp(max=1).double()
    drawn = torch.arange(count + 1).double()
    chances = torch.distributions.Binomial(count, above[:, None]).log_prob(drawn).exp()  # (8, count + 1)
    taken = (chances * drawn.clamp(max=BEST)).sum(dim=1) / BEST  # share of the best 4 that are of these modes or better
    shares = torch.empty(8)
    shares[order] = taken.diff(prepend=taken.new_zeros(1)).float()
    return shares
