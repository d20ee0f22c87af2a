"""The solvers against closed forms: clean data N(mean, deviation^2), whose denoiser and flow are known exactly."""

import math

import pytest
import torch

from lidar_core import karras_sigmas, sample_ddim, sample_dpmpp_2m

MEAN, DEVIATION = (
    torch.tensor([1.5, -0.4, 3.0], dtype=torch.float64),
    torch.tensor([0.3, 2.0, 0.9], dtype=torch.float64),
)


def gaussian_denoiser(x, sigma):
    noise = sigma[:, None] ** 2
    return (DEVIATION**2 * x + noise * MEAN) / (DEVIATION**2 + noise)


def exact_flow(x, sigma, next_sigma):
    """The solution of dx/dsigma = (x - denoised) / sigma from sigma to next_sigma."""
    return MEAN + (x - MEAN) * ((DEVIATION**2 + next_sigma**2) / (DEVIATION**2 + sigma**2)).sqrt()


def start(rows, sigma, dtype=torch.float64):
    generator = torch.Generator().manual_seed(51)
    return (MEAN + sigma * torch.randn(rows, 3, generator=generator, dtype=torch.float64)).to(dtype)


@pytest.mark.parametrize(("solver", "order"), [(sample_ddim, 1), (sample_dpmpp_2m, 2)])
def test_error_against_the_exact_flow_falls_with_the_order_of_the_solver(solver, order, record_figure):
    x = start(5, 20.0)
    exact = exact_flow(x, 20.0, 0.05)
    errors = []
    for steps in (40, 80, 160, 320):
        # Steps are narrow and wide in turn.
        widths = torch.tensor([1.0, 2.0], dtype=torch.float64).repeat(steps // 2)
        fraction = torch.cat([torch.zeros(1), widths.cumsum(0) / widths.sum()])
        sigmas = 20.0 * (0.05 / 20.0) ** fraction
        errors.append((solver(gaussian_denoiser, x, sigmas) - exact).abs().max().item())
    orders = [math.log2(coarse / fine) for coarse, fine in zip(errors, errors[1:], strict=False)]
    record_figure(
        f"{solver.__name__}: order of convergence (exact {order}), error at 320 steps {errors[-1]:.1e}", orders[-1]
    )
    assert orders[-1] == pytest.approx(order, abs=0.1)


def test_dpmpp_2m_takes_the_prediction_at_the_middle_of_each_step():
    """For a prediction linear in log sigma the extrapolation is exact, whatever the widths of the steps are."""
    sigmas = [8.0, 5.0, 1.0, 0.7, 0.1]

    def prediction(log_sigma):
        return 0.7 - 1.3 * log_sigma

    expected = 4.0
    for step, (sigma, next_sigma) in enumerate(zip(sigmas, sigmas[1:], strict=False)):
        middle = math.log(sigma * next_sigma) / 2 if step > 0 else math.log(sigma)
        expected = next_sigma / sigma * expected + (1 - next_sigma / sigma) * prediction(middle)
    x = torch.full((2, 1), 4.0, dtype=torch.float64)
    levels = torch.tensor(sigmas, dtype=torch.float64)
    samples = sample_dpmpp_2m(lambda x, sigma: prediction(sigma.log())[:, None], x, levels)
    assert samples.flatten().tolist() == pytest.approx([expected] * 2, rel=1e-12)


@pytest.mark.parametrize(("solver", "limit"), [(sample_ddim, 0.2), (sample_dpmpp_2m, 0.02)])
def test_clean_samples_are_those_of_the_exact_flow(solver, limit):
    x = start(4, 30.0)
    samples = solver(gaussian_denoiser, x, karras_sigmas(60, 0.02, 30.0))
    torch.testing.assert_close(samples, exact_flow(x, 30.0, 0.0), rtol=0, atol=limit)


def test_a_drop_of_many_magnitudes_in_one_step_is_fine():
    samples = sample_ddim(gaussian_denoiser, start(2, 1e4), torch.tensor([1e4, 1e-8]))
    torch.testing.assert_close(samples, gaussian_denoiser(start(2, 1e4), torch.tensor([1e4, 1e4])), rtol=0, atol=1e-5)


@pytest.mark.parametrize("solver", [sample_ddim, sample_dpmpp_2m])
def test_a_last_level_of_0_returns_the_last_prediction(solver):
    predictions = []

    def denoiser(x, sigma):
        predictions.append(gaussian_denoiser(x, sigma))
        return predictions[-1]

    samples = solver(denoiser, start(2, 8.0), torch.tensor([8.0, 3.0, 1.0, 0.0]))
    assert len(predictions) == 3
    torch.testing.assert_close(samples, predictions[-1], rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("solver", [sample_ddim, sample_dpmpp_2m])
def test_half_precision_models_are_stepped_in_float32(solver):
    seen = set()

    def denoiser(x, sigma):
        seen.add((x.dtype, sigma.dtype, tuple(sigma.shape)))
        return gaussian_denoiser(x.double(), sigma.double()).to(x.dtype)

    sigmas = karras_sigmas(20, 0.05, 10.0)
    x = start(6, 10.0, torch.bfloat16)
    samples = solver(denoiser, x, sigmas)
    assert samples.dtype == torch.bfloat16
    assert seen == {(torch.bfloat16, torch.float32, (6,))}
    reference = solver(gaussian_denoiser, x.double(), sigmas)
    torch.testing.assert_close(samples.double(), reference, rtol=0.02, atol=0.02)


def test_karras_sigmas_follow_equation_5():
    sigmas = karras_sigmas(5, 0.02, 80.0)
    expected = [(80 ** (1 / 7) + i / 4 * (0.02 ** (1 / 7) - 80 ** (1 / 7))) ** 7 for i in range(5)] + [0.0]
    assert sigmas.dtype == torch.float32
    assert sigmas.tolist() == pytest.approx(expected, rel=1e-6)
    assert karras_sigmas(1, 0.02, 14.5).tolist() == [14.5, 0]


@pytest.mark.parametrize("arguments", [(0, 0.1, 1.0), (5, 0.0, 1.0), (5, 2.0, 1.0), (5, 0.1, math.inf)])
def test_karras_sigmas_refuses_ranges_that_are_none(arguments):
    with pytest.raises(ValueError, match="wanted steps >= 1 and 0 < sigma_min < sigma_max"):
        karras_sigmas(*arguments)


@pytest.mark.parametrize("solver", [sample_ddim, sample_dpmpp_2m])
@pytest.mark.parametrize(
    "sigmas", [[1.0], [], [1.0, 2.0], [2.0, 2.0, 0.0], [3.0, 0.0, -1.0], [math.inf, 1.0], [math.nan, 1.0], [[2.0, 1.0]]]
)
def test_levels_that_do_not_fall_are_refused(solver, sigmas):
    with pytest.raises(ValueError, match="wanted two or more strictly decreasing levels"):
        solver(gaussian_denoiser, start(2, 1.0), torch.tensor(sigmas))


@pytest.mark.parametrize("solver", [sample_ddim, sample_dpmpp_2m])
def test_a_denoiser_that_changes_the_shape_is_refused(solver):
    with pytest.raises(ValueError, match=r"the denoiser returned shape \(2, 1\), wanted that of x, \(2, 3\)"):
        solver(lambda x, sigma: x[:, :1], start(2, 1.0), torch.tensor([1.0, 0.0]))
