import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from lidar_core import Particles, effective_sample_size, log_likelihood


def direct_log_likelihood(x, particles, *, alpha, sigma):
    """Theorem 3.3's exponent, term by term in float64, with the nearest lookahead at 0."""
    difference = x.double()[:, None] - alpha.double().view(-1, *[1] * x.ndim) * particles.double()[None]
    exponent = -difference.square().flatten(2).sum(dim=2) / (2 * sigma.double()[:, None] ** 2)
    return exponent - exponent.amax(dim=1, keepdim=True)


def asymmetric_data(generator, shape=(3, 7, 5), n=6):
    particles = torch.randn(n, *shape, generator=generator) * torch.linspace(0.4, 1.7, n).view(-1, 1, 1, 1) + 0.9
    alpha, sigma = torch.tensor([1.0, 0.35, 0.8, 0.02]), torch.tensor([14.6, 0.65, 3.1, 0.98])
    x = alpha.view(-1, 1, 1, 1) * particles[[4, 0, 2, 2]] + sigma.view(-1, 1, 1, 1) * torch.randn(
        4, *shape, generator=generator
    )
    return x, particles, alpha, sigma


@pytest.mark.parametrize("shape", [(3, 7, 5), (1, 1, 1), (4, 8, 8), (5, 13, 1)])
def test_log_likelihood_equals_the_direct_float64_exponent(shape):
    x, particles, alpha, sigma = asymmetric_data(torch.Generator().manual_seed(11), shape)
    expected = direct_log_likelihood(x, particles, alpha=alpha, sigma=sigma)
    assert expected.min() < -1e-3, "the data must tell the lookaheads apart"
    actual = log_likelihood(x, Particles(particles), alpha=alpha, sigma=sigma)
    assert actual.dtype == torch.float32
    torch.testing.assert_close(actual.double(), expected, rtol=2e-5, atol=2e-5)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_log_likelihood_computes_in_float32_whatever_comes_in(dtype):
    x, particles, alpha, sigma = asymmetric_data(torch.Generator().manual_seed(12))
    x, particles, alpha, sigma = x.to(dtype), particles.to(dtype), alpha.to(dtype), sigma.to(dtype)
    expected = direct_log_likelihood(x, particles, alpha=alpha, sigma=sigma)
    actual = log_likelihood(x, Particles(particles), alpha=alpha, sigma=sigma)
    assert actual.dtype == torch.float32
    torch.testing.assert_close(actual.double(), expected, rtol=2e-5, atol=2e-5)


def test_log_likelihood_differences_survive_a_large_common_offset():
    generator = torch.Generator().manual_seed(13)
    particles = 0.01 * torch.randn(5, 4, 32, 32, generator=generator) + 50.0
    x = particles[[3]] + 0.05 * torch.randn(1, 4, 32, 32, generator=generator)
    alpha, sigma = torch.ones(1), torch.tensor([0.05])
    expected = direct_log_likelihood(x, particles, alpha=alpha, sigma=sigma)
    torch.testing.assert_close(
        log_likelihood(x, Particles(particles), alpha=alpha, sigma=sigma).double(), expected, rtol=1e-3, atol=1e-3
    )


@pytest.mark.parametrize("sigma", [0.0, 1e-38, 1e-20, 1e-3])
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32])
def test_log_likelihood_is_finite_and_picks_the_nearest_as_sigma_vanishes(sigma, dtype):
    particles = torch.tensor([[0.0, 1.0], [2.0, -1.0], [0.5, 0.5]])
    x = torch.tensor([[1.9, -0.8], [0.1, 1.2]], dtype=dtype)
    weights = log_likelihood(x, Particles(particles), alpha=torch.ones(2), sigma=torch.full((2,), sigma))
    assert weights.isfinite().all()
    assert torch.softmax(weights, dim=1).tolist() == [[0, 1, 0], [1, 0, 0]]


def test_lookaheads_at_the_same_distance_share_the_weight_at_sigma_0():
    particles = torch.tensor([[1.0, 0.0], [-1.0, 0.0], [0.0, 3.0]])
    weights = log_likelihood(torch.zeros(1, 2), Particles(particles), alpha=torch.ones(1), sigma=torch.zeros(1))
    assert torch.softmax(weights, dim=1).tolist() == [[0.5, 0.5, 0]]


def test_the_nearest_is_exactly_0_even_among_lookaheads_that_are_nearly_the_same():
    generator = torch.Generator().manual_seed(17)
    particles = 5 * torch.randn(1, 4, 64, 64, generator=generator) * torch.tensor([1, -1, 2] * 20).view(-1, 1, 1, 1)
    particles = particles + 1e-6 * torch.randn(60, 4, 64, 64, generator=generator)
    x = 9 * torch.randn(8, 4, 64, 64, generator=generator)
    for sigma in (1e-20, 1e-3):
        weights = log_likelihood(x, Particles(particles), alpha=torch.full((8,), 0.7), sigma=torch.full((8,), sigma))
        assert weights.isfinite().all()
        assert weights.amax(dim=1).tolist() == [0] * 8


def test_at_alpha_0_all_lookaheads_are_equally_likely():
    particles = torch.randn(5, 2, 3, generator=torch.Generator().manual_seed(1))
    x = torch.randn(2, 2, 3, generator=torch.Generator().manual_seed(2))
    weights = log_likelihood(x, Particles(particles), alpha=torch.zeros(2), sigma=torch.tensor([1.0, 0.0]))
    assert weights.tolist() == [[0] * 5] * 2


def test_a_nan_stays_in_its_own_row():
    x, particles, alpha, sigma = asymmetric_data(torch.Generator().manual_seed(14))
    expected = log_likelihood(x, Particles(particles), alpha=alpha, sigma=sigma)
    x[1, 0, 0, 0] = torch.nan
    actual = log_likelihood(x, Particles(particles), alpha=alpha, sigma=sigma)
    assert actual[1].isnan().all()
    torch.testing.assert_close(actual[[0, 2, 3]], expected[[0, 2, 3]])


class LargestTensor(TorchDispatchMode):
    def __init__(self):
        super().__init__()
        self.bytes = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        result = func(*args, **(kwargs or {}))
        for value in result if isinstance(result, (tuple, list)) else [result]:
            if isinstance(value, torch.Tensor):
                self.bytes = max(self.bytes, value.untyped_storage().nbytes())
        return result


def test_no_temporary_is_larger_than_its_inputs():
    generator = torch.Generator().manual_seed(15)
    x, particles = torch.randn(6, 4, 32, 32, generator=generator), torch.randn(5, 4, 32, 32, generator=generator)
    with LargestTensor() as largest:
        log_likelihood(x, Particles(particles), alpha=torch.ones(6), sigma=torch.full((6,), 0.3))
    assert largest.bytes == x.numel() * 4


def test_effective_sample_size_of_known_weights():
    weights = torch.tensor([[0.5, 0.3, 0.2, 0.0], [0.7, 0.1, 0.1, 0.1], [0.25, 0.25, 0.25, 0.25], [0.0, 1.0, 0.0, 0.0]])
    expected = torch.tensor([1 / 0.38, 1 / 0.52, 4.0, 1.0])
    row_offsets = torch.tensor([[3.0], [-700.0], [1e4], [0.0]])
    torch.testing.assert_close(effective_sample_size(weights.log()), expected)
    torch.testing.assert_close(effective_sample_size(weights.log() + row_offsets), expected, rtol=2e-3, atol=0)


def test_effective_sample_size_stays_between_1_and_n():
    scales = torch.tensor([0.0, 1e-4, 1.0, 30.0, 1e4, 1e37])[:, None]
    log_weights = scales * torch.randn(6, 37, generator=torch.Generator().manual_seed(16))
    sizes = effective_sample_size(log_weights)
    assert ((sizes >= 1) & (sizes <= 37)).all()
    assert sizes[0] == 37 and sizes[-1] == 1
    assert (sizes.diff() <= 0).all() and 1.5 < sizes[2] < 36


def test_effective_sample_size_takes_half_precision():
    weights = torch.tensor([[0.6, 0.3, 0.1]]).log()
    for dtype in (torch.float16, torch.bfloat16):
        size = effective_sample_size(weights.to(dtype))
        assert size.dtype == torch.float32
        torch.testing.assert_close(size, torch.tensor([1 / 0.46]), rtol=1e-2, atol=0)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"x": torch.zeros(2, 4, 8, 8)}, r"x has shape \(2, 4, 8, 8\), wanted \(B, \*S\) with S = \(16, 8, 8\)"),
        ({"x": torch.zeros(16, 8, 8)}, r"x has shape \(16, 8, 8\), wanted"),
        ({"alpha": torch.ones(3)}, r"alpha has shape \(3,\), wanted \(2,\)"),
        ({"sigma": torch.tensor(1.0)}, r"sigma has shape \(\), wanted \(2,\)"),
    ],
)
def test_shapes_that_do_not_fit_are_named(change, message):
    arguments = {"x": torch.zeros(2, 16, 8, 8), "particles": Particles(torch.zeros(3, 16, 8, 8))}
    arguments |= {"alpha": torch.ones(2), "sigma": torch.ones(2)} | change
    with pytest.raises(ValueError, match=message):
        log_likelihood(**arguments)


@pytest.mark.parametrize("log_weights", [torch.zeros(3), torch.zeros(2, 0)])
def test_effective_sample_size_refuses_other_shapes(log_weights):
    with pytest.raises(ValueError, match=r"wanted \(B, n\)"):
        effective_sample_size(log_weights)
