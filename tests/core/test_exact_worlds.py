"""The worlds of benchmarks/exact_worlds.py are what they claim: closed forms against autograd, densities and simulation."""

from importlib import import_module

import pytest
import torch


@pytest.fixture
def exact():
    """exact("mixtures") -> that module of benchmarks/exact/."""
    return lambda name: import_module(f"benchmarks.exact.{name}")


@pytest.mark.parametrize("linear", [False, True])
def test_the_exact_move_is_the_gradient_of_the_log_density_ratio(exact, linear):
    world = exact("mixtures").World(6, linear=linear)
    x = 3 * torch.randn(40, 6, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    x.requires_grad_()
    sigma = torch.logspace(-1, 1.5, 40, dtype=torch.float64)
    ratio = world.tilted.log_density(x, sigma) - world.prior.log_density(x, sigma)
    (gradient,) = torch.autograd.grad(ratio.sum(), x)
    assert torch.allclose(world.exact_move(x.detach(), sigma), sigma[:, None] ** 2 * gradient, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("linear", [False, True])
def test_the_tilted_law_is_the_prior_times_the_exponential_of_the_reward(exact, linear):
    world = exact("mixtures").World(3, linear=linear)
    generator = torch.Generator().manual_seed(1)
    z = world.prior.draw(torch.randn(500, 3, generator=generator), generator)
    clean = torch.zeros(500, dtype=torch.float64)
    ratio = world.tilted.log_density(z.double(), clean) - world.prior.log_density(z.double(), clean)
    offset = ratio - world.strength * world.rewards(z)
    assert offset.std() < 1e-5


def test_the_rotated_noise_has_the_inner_products_of_noise_drawn_in_full(exact, record_figure):
    count, dimension, draws = 4, 12, 20000
    generator = torch.Generator().manual_seed(2)
    noise = torch.stack([exact("mixtures").rotated_noise(count, dimension, generator) for _ in range(draws)])
    assert noise.shape == (draws, count, count + 3)
    products = noise @ noise.transpose(1, 2)
    # |z|^2: mean D, variance 2D; z_i z_j: mean 0, variance D; covariance of (z_i z_j) (z_j z_k) (z_k z_i): D
    same = torch.eye(count, dtype=torch.bool)
    assert torch.allclose(products.mean(0), dimension * torch.eye(count), atol=0.15)
    assert torch.allclose(products.var(0), torch.where(same, 2.0 * dimension, 1.0 * dimension), rtol=0.06)
    triple = (products[:, 1, 2] * products[:, 2, 3] * products[:, 3, 1]).mean().item()
    record_figure("rotated noise: mean of a triple product of 12 dimensions (12)", triple)
    assert triple == pytest.approx(dimension, abs=1.5)


def test_the_law_of_the_best_four_agrees_with_drawing_them(exact):
    mixtures, starts = exact("mixtures"), exact("starts")
    generator = torch.Generator().manual_seed(3)
    modes = torch.multinomial(mixtures.PRIOR, 16 * 20000, replacement=True, generator=generator).view(-1, 16)
    best = mixtures.REWARDS[modes].topk(4, dim=1).indices
    drawn = torch.bincount(modes.gather(1, best).flatten(), minlength=8) / best.numel()
    assert torch.allclose(starts.best_of_law(16), drawn, atol=0.01)
