"""Both forms side by side, and the temperature of both, against float64."""

import math

import pytest
import torch

from lidar_core import GUIDANCE_FORMS, Particles, log_likelihood

FORMS = pytest.mark.parametrize("form", ["difference", "blend"])


def shift_by(form, x, denoised, particles, rewards, **settings):
    return GUIDANCE_FORMS[form](x, denoised, Particles(particles), rewards, **settings)


def in_float64(x, particles, rewards, *, alpha, sigma, reward_strength, temperature):
    """One lookahead at a time: the plain mean, the tilted mean, and the effective sample sizes of both."""
    particles, rewards = particles.double(), rewards.double()
    plain, tilted, sizes = [], [], []
    for row, row_alpha, row_sigma in zip(x.double(), alpha.double(), sigma.double(), strict=True):
        squares = torch.stack([(row - row_alpha * z).square().sum() for z in particles])
        exponent = -squares / (2 * row_sigma**2) / temperature
        w, w_r = torch.softmax(exponent, dim=0), torch.softmax(exponent + reward_strength * rewards, dim=0)
        plain.append(sum(p * z for p, z in zip(w, particles, strict=True)))
        tilted.append(sum(p * z for p, z in zip(w_r, particles, strict=True)))
        sizes.append([1 / w.square().sum(), 1 / w_r.square().sum()])
    return torch.stack(plain), torch.stack(tilted), *torch.tensor(sizes, dtype=torch.float64).T


@pytest.fixture
def problem():
    """x (3, 4, 9, 7) at three noise levels of two kinds, what a model might say of it, six lookaheads and their rewards."""
    generator = torch.Generator().manual_seed(61)
    particles = torch.randn(6, 4, 9, 7, generator=generator) + torch.linspace(-0.4, 0.9, 6).view(6, 1, 1, 1)
    rewards = torch.tensor([0.3, -1.2, 2.5, 0.1, 0.9, -0.4])
    alpha, sigma = torch.tensor([1.0, 0.35, 1.0]), torch.tensor([14.0, 4.5, 10.0])
    noise = torch.randn(3, 4, 9, 7, generator=generator)
    x = alpha.view(-1, 1, 1, 1) * particles[[1, 4, 0]] + sigma.view(-1, 1, 1, 1) * noise
    denoised = 0.6 * torch.randn(3, 4, 9, 7, generator=generator) - 0.2
    return x, denoised, particles, rewards, {"alpha": alpha, "sigma": sigma, "reward_strength": 0.8}


@FORMS
@pytest.mark.parametrize("temperature", [1.0, 5.3, 252 / 16])
def test_either_form_at_any_temperature_equals_float64(problem, form, temperature, record_figure):
    x, denoised, particles, rewards, settings = problem
    plain, tilted, ess, tilted_ess = in_float64(x, particles, rewards, **settings, temperature=temperature)
    assert (tilted_ess > 1.05).all() and (ess > 1.05).all(), "the weights must not be saturated"
    expected = tilted - (plain if form == "difference" else denoised.double())
    shift, info = shift_by(form, x, denoised, particles, rewards, **settings, temperature=temperature)
    error = ((shift.double() - expected).flatten(1).norm(dim=1) / expected.flatten(1).norm(dim=1)).max().item()
    record_figure(f"shift {form}, temperature {temperature:g}, against float64: relative error", error)
    assert error < 1e-4
    torch.testing.assert_close(info.ess.double(), ess, rtol=1e-3, atol=1e-3)
    torch.testing.assert_close(info.tilted_ess.double(), tilted_ess, rtol=1e-3, atol=1e-3)


@FORMS
def test_temperature_is_the_likelihood_of_a_noise_so_much_larger(problem, form):
    """l / T is the likelihood at sigma * sqrt(T): a relation that holds without any reference."""
    x, denoised, particles, rewards, settings = problem
    at_temperature, _ = shift_by(form, x, denoised, particles, rewards, **settings, temperature=6.25)
    wider, _ = shift_by(form, x, denoised, particles, rewards, **(settings | {"sigma": 2.5 * settings["sigma"]}))
    torch.testing.assert_close(at_temperature, wider, rtol=1e-4, atol=1e-5)
    at_one, _ = shift_by(form, x, denoised, particles, rewards, **settings)
    assert (at_one - at_temperature).abs().max() > 0.02, "the case must be one in which temperature matters"


def test_infinite_temperature_leaves_the_rewards_alone_to_weigh(problem):
    x, denoised, particles, rewards, settings = problem
    shift, info = shift_by("blend", x, denoised, particles, rewards, **settings, temperature=math.inf)
    weights = torch.softmax(0.8 * rewards.double(), dim=0)
    mean = torch.einsum("i,ichw->chw", weights, particles.double())
    torch.testing.assert_close((shift + denoised).double(), mean.expand(x.shape), rtol=1e-4, atol=1e-5)
    assert info.ess.tolist() == [6, 6, 6]


def test_whole_blend_ends_inside_the_hull_of_the_lookaheads_and_the_papers_form_need_not():
    """Four lookaheads in three dimensions span a simplex, so that every point has one set of barycentric coordinates."""
    generator = torch.Generator().manual_seed(62)
    particles = torch.tensor([[0.0, 0.1, -0.3], [2.0, 0.4, 0.0], [-0.5, 1.7, 0.6], [0.3, -0.2, 2.9]])
    rewards = torch.tensor([0.4, -0.9, 1.8, 0.2])
    sigma = torch.logspace(-2, 1, 40)
    denoised = 3 * torch.randn(40, 3, generator=generator)
    x = particles[torch.arange(40) % 4] + sigma[:, None] * torch.randn(40, 3, generator=generator)
    settings = {"alpha": torch.ones(40), "sigma": sigma, "reward_strength": 1.5}

    def coordinates(points):
        system = torch.cat((particles.double(), torch.ones(4, 1, dtype=torch.float64)), dim=1).T
        return torch.linalg.solve(system, torch.cat((points.double(), torch.ones(40, 1).double()), dim=1).T).T

    shift, _ = shift_by("blend", x, denoised, particles, rewards, **settings)
    assert coordinates(denoised + shift).min() > -1e-5
    assert coordinates(denoised).min() < -1, "the case must begin outside"
    # A smaller share stays between the model's own prediction and that point, on the straight line.
    part = denoised + 0.3 * shift
    torch.testing.assert_close(part, 0.7 * denoised + 0.3 * (denoised + shift), rtol=1e-5, atol=1e-5)
    at_lookaheads = particles[torch.arange(40) % 4]
    paper, _ = shift_by("difference", x, denoised, particles, rewards, **settings)
    assert coordinates(at_lookaheads + 8 * paper).min() < -0.5


def test_without_rewards_the_blend_leads_to_the_lookaheads_near_x_and_the_papers_form_nowhere(problem):
    x, denoised, particles, rewards, settings = problem
    settings = settings | {"reward_strength": 0.0}
    weights = torch.softmax(
        log_likelihood(x, Particles(particles), alpha=settings["alpha"], sigma=settings["sigma"]), dim=1
    )
    shift, info = shift_by("blend", x, denoised, particles, rewards, **settings)
    mean = torch.einsum("bi,ichw->bchw", weights, particles)
    torch.testing.assert_close(denoised + shift, mean, rtol=1e-5, atol=1e-5)
    assert torch.equal(info.ess, info.tilted_ess)
    assert not shift_by("difference", x, denoised, particles, rewards, **settings)[0].any()


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_blend_has_the_dtype_of_x_and_is_finite_at_every_noise_level(dtype):
    generator = torch.Generator().manual_seed(63)
    particles = 3 * torch.randn(6, 4, 8, 8, generator=generator)
    rewards = torch.tensor([0.3, 2.0, -1.1, 0.9, -40.0, 1.6])
    sigma = torch.tensor([0.0, 1e-38, 1e-20, 1e-3, 1.0, 1.0, 80.0, 1e4])
    alpha = torch.tensor([1.0, 1.0, 1.0, 0.999, 0.0, 1e-8, 1.0, 1.0])
    x = (torch.randn(8, 4, 8, 8, generator=generator) * sigma.view(-1, 1, 1, 1)).to(dtype)
    denoised = torch.randn(8, 4, 8, 8, generator=generator).to(dtype)
    for temperature in (1.0, 16.0):
        shift, info = shift_by(
            "blend",
            x,
            denoised,
            particles,
            rewards,
            alpha=alpha,
            sigma=sigma,
            reward_strength=30.0,
            temperature=temperature,
        )
        assert shift.dtype == dtype and shift.shape == x.shape and shift.isfinite().all()
        assert all(((size >= 1) & (size <= 6)).all() for size in info)


@FORMS
@pytest.mark.parametrize("temperature", [0.0, -1.0, 1e-30, -math.inf, math.nan])
def test_a_temperature_that_is_none_is_refused(problem, form, temperature):
    x, denoised, particles, rewards, settings = problem
    with pytest.raises(ValueError, match=f"^temperature is {temperature}, wanted a number of at least 1e-12$"):
        shift_by(form, x, denoised, particles, rewards, **settings, temperature=temperature)


def test_a_prediction_of_another_shape_and_rewards_of_another_count_are_refused(problem):
    x, denoised, particles, rewards, settings = problem
    with pytest.raises(ValueError, match=r"denoised has shape \(3, 4, 9, 6\), wanted that of x, \(3, 4, 9, 7\)"):
        shift_by("blend", x, denoised[..., :6], particles, rewards, **settings)
    with pytest.raises(ValueError, match=r"rewards have shape \(5,\), wanted one per particle, shape \(6,\)"):
        shift_by("blend", x, denoised, particles, rewards[:5], **settings)
