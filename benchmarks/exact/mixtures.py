"""Worlds in which the truth is known: mixtures of 8 Gaussian modes whose denoiser, reward-tilted law and exact move are closed forms.

The modes lie in a plane, the same at every D; the other D - 2 directions hold only the spread within modes, as detail does
in a picture. Spread is either 0.25 per number, so that more dimensions drown the modes, or 0.25 sqrt(2 / D), so that they
do not. The reward is constant on each mode, or rises besides by 1 per standard deviation along one direction in the plane.

n lookaheads span few of D = 4096 directions, and all that is computed from them is invariant under rotation outside the
plane. So they are drawn in a basis in which lookahead i lies in the first 3 + i coordinates: the same law, exactly
(Bartlett's decomposition), at the price of n + 3 dimensions. tests/core/test_exact_worlds.py compares it with drawing in full.
"""

from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Generator, Tensor

SIGMA_MAX = 80.0
FREE = 3  # coordinates that the basis leaves alone: the plane, and the direction in which x leaves it
CENTRES = torch.tensor(
    [[0.0, 0.4], [2.9, -0.8], [-2.6, 1.3], [1.2, 3.1], [-1.1, -2.7], [3.9, 2.0], [-3.8, -1.6], [1.9, -3.5]]
)
PRIOR = torch.tensor([0.22, 0.06, 0.17, 0.09, 0.13, 0.05, 0.18, 0.10])
REWARDS = torch.tensor([0.3, 2.0, -1.1, 0.9, -0.4, 1.6, -2.0, 0.1])
ANGLES = torch.arange(8.0)
DIRECTIONS = torch.stack([ANGLES.cos(), ANGLES.sin()], dim=1)  # in which the linear reward rises, one per mode


@dataclass(frozen=True)
class Mixture:
    """sum_k weights_k N(centres_k, spread^2 I); only the plane, the first two coordinates, tells the modes apart."""

    weights: Tensor
    centres: Tensor
    """(8, 2)"""
    spread: float

    def denoise(self, x: Tensor, sigma: Tensor) -> Tensor:
        """Return E[z | x], (B, m), for x = z + sigma * noise; x (B, m), sigma (B,)."""
        variance = self.spread**2 + sigma[:, None] ** 2
        distance = (x[:, None, :2] - self.centres.to(x)).square().sum(dim=2)
        share = torch.softmax(self.weights.to(x).log() - distance / (2 * variance), dim=1)
        mean = self.spread**2 * x / variance
        mean[:, :2] += sigma[:, None] ** 2 * (share @ self.centres.to(x)) / variance
        return mean

    def log_density(self, x: Tensor, sigma: Tensor) -> Tensor:
        """Return the log-density of x, (B,), up to a constant per sigma."""
        variance = self.spread**2 + sigma[:, None] ** 2
        distance = (x[:, None, :2] - self.centres.to(x)).square().sum(dim=2) + x[:, 2:].square().sum(1, keepdim=True)
        return torch.logsumexp(self.weights.to(x).log() - distance / (2 * variance), dim=1)

    def draw(self, noise: Tensor, generator: Generator) -> Tensor:
        """Return exact samples, (B, m), with `noise` (B, m), standard normal, within the modes."""
        modes = torch.multinomial(self.weights, len(noise), replacement=True, generator=generator)
        z = self.spread * noise
        z[:, :2] += self.centres[modes]
        return z


@dataclass(frozen=True)
class World:
    """A mixture in `dimension` numbers with its reward, to be tilted by exp(strength * reward)."""

    dimension: int
    drowned: bool = True
    """Spread is 0.25 per number; else 0.25 sqrt(2 / D)."""
    linear: bool = False
    strength: float = 0.7

    @cached_property
    def prior(self) -> Mixture:
        return Mixture(PRIOR, CENTRES, 0.25 if self.drowned else 0.25 * (2 / self.dimension) ** 0.5)

    @cached_property
    def tilted(self) -> Mixture:
        """The law that guidance is to draw from. A reward linear within modes moves each by strength * spread."""
        weights = torch.softmax(PRIOR.log() + self.strength * REWARDS, dim=0)
        moved = self.strength * self.prior.spread * DIRECTIONS if self.linear else 0.0
        return Mixture(weights, CENTRES + moved, self.prior.spread)

    def exact_move(self, x: Tensor, sigma: Tensor) -> Tensor:
        """Return E_tilted[z | x] - E[z | x], (B, m): sigma^2 times the gradient of the expected future reward."""
        return self.tilted.denoise(x, sigma) - self.prior.denoise(x, sigma)

    def modes(self, z: Tensor) -> Tensor:
        return torch.cdist(z[:, :2], CENTRES).argmin(dim=1)

    def rewards(self, z: Tensor) -> Tensor:
        modes = self.modes(z)
        rise = ((z[:, :2] - CENTRES[modes]) * DIRECTIONS[modes]).sum(dim=1) / self.prior.spread
        return REWARDS[modes] + rise if self.linear else REWARDS[modes]

    def mean_reward(self, mixture: Mixture) -> float:
        """Of the prior or the tilted law."""
        inside = self.strength if self.linear and mixture is self.tilted else 0.0
        return (mixture.weights @ REWARDS).item() + inside


def rotated_noise(count: int, dimension: int, generator: Generator) -> Tensor:
    """Standard normal noise of `count` lookaheads, (count, min(dimension, count + FREE)), rotated into few coordinates."""
    if dimension <= count + FREE:
        return torch.randn(count, dimension, generator=generator)
    free = torch.randn(count, FREE, generator=generator)
    rows = torch.randn(count, dimension - FREE, generator=generator)
    triangle = rows[:, :count].tril(-1) + torch.diag(rows.square().triu().sum(dim=1).sqrt())
    return torch.cat([free, triangle], dim=1)
