import dataclasses

import pytest
import torch

from lidar_core import Particles

SHAPES = [(4, 8, 8), (3, 7, 5), (1, 1, 1), (5, 13, 1), (2, 33)]  # whole blocks, a last one in part, less than one


def lookaheads(shape, n=6):
    generator = torch.Generator().manual_seed(41)
    scale = torch.linspace(0.4, 1.7, n).view(-1, *[1] * len(shape))
    return torch.randn(n, *shape, generator=generator) * scale + 0.9


@pytest.mark.parametrize("shape", SHAPES)
def test_each_weight_of_1_gives_its_lookahead_less_the_mean(shape):
    z = lookaheads(shape)
    particles = Particles(z)
    assert (particles.count, particles.shape) == (6, shape)
    centred = z.double() - z.double().mean(dim=0)
    torch.testing.assert_close(particles.mean.double(), z.double().mean(dim=0), rtol=0, atol=1e-6)
    torch.testing.assert_close(particles.weighted_sum(torch.eye(6)).double(), centred, rtol=0, atol=1e-6)


@pytest.mark.parametrize("shape", SHAPES)
def test_products_and_sums_equal_float64(shape):
    z = lookaheads(shape)
    particles = Particles(z)
    centred = (z.double() - z.double().mean(dim=0)).flatten(1)
    generator = torch.Generator().manual_seed(42)
    x, weights = torch.randn(3, *shape, generator=generator) - 0.4, torch.randn(3, 6, generator=generator) + 0.2

    products = particles.inner_products(x)
    assert products.shape[1:] == (3, 6)
    expected = x.double().flatten(1) @ centred.T
    torch.testing.assert_close(products.double().sum(dim=0), expected, rtol=1e-5, atol=1e-4)
    squares = particles.squared_norms.double().sum(dim=0).expand(3, -1)
    torch.testing.assert_close(squares, centred.square().sum(dim=1).expand(3, -1), rtol=1e-5, atol=1e-5)
    sums = particles.weighted_sum(weights)
    assert sums.shape == x.shape
    torch.testing.assert_close(sums.double().flatten(1), weights.double() @ centred, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_every_dtype_becomes_float32(dtype):
    particles = Particles(lookaheads((4, 8, 8)).to(dtype))
    assert {particles.mean.dtype, particles.blocks.dtype, particles.squared_norms.dtype} == {torch.float32}


def peak_bytes(call):
    """The most that was allocated at one time during the call, by the profiler's record of the allocator."""
    with torch.autograd.profiler.profile(profile_memory=True) as profile:
        kept = call()
    live = peak = 0
    for event in profile.kineto_results.events():
        if event.name() == "[memory]":
            live += event.nbytes()
            peak = max(peak, live)
    del kept
    return peak


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16])
@pytest.mark.parametrize("shape", [(4, 64, 64), (3, 65, 67)])
def test_preparing_takes_the_memory_of_one_copy(shape, dtype, monkeypatch, record_figure):
    monkeypatch.setenv("KINETO_LOG_LEVEL", "5")  # else it says on a machine without a GPU that it found none
    z = lookaheads(shape, n=100).to(dtype)
    copies = peak_bytes(lambda: Particles(z)) / (4 * z.numel())
    record_figure(f"preparing 100 lookaheads {shape}, {dtype}: copies of the set in float32 (limit 1.1)", copies)
    assert 1 < copies < 1.1


def test_no_gradient_follows_the_lookaheads():
    particles = Particles(lookaheads((4, 8, 8)).requires_grad_())
    assert not any(part.requires_grad for part in (particles.mean, particles.blocks, particles.squared_norms))


def test_particles_are_a_copy_that_cannot_be_changed():
    z = lookaheads((4, 8, 8))
    before, particles = z.clone(), Particles(z)
    kept = particles.blocks.clone()
    z.add_(1)
    assert torch.equal(particles.blocks, kept)
    assert torch.equal(z, before + 1)
    with pytest.raises(dataclasses.FrozenInstanceError):
        particles.blocks = z


@pytest.mark.parametrize("shape", [(0, 4, 8, 8), (3, 0), (5,), ()])
def test_a_set_without_lookaheads_or_elements_is_refused(shape):
    with pytest.raises(ValueError, match=r"particles have shape \(.*\), wanted \(n, \*S\) with at least one lookahead"):
        Particles(torch.zeros(shape))
