import pytest
import torch

from lidar_core import Particles, difference_shift


def shift_of(x, particles, rewards, **settings):
    """difference_shift with a prediction that would show if it were read."""
    return difference_shift(x, torch.full_like(x, torch.nan), particles, rewards, **settings)


def direct_shift(x, particles, rewards, *, alpha, sigma, reward_strength):
    """Theorem 3.3 term by term in float64, one lookahead at a time: (shift, ESS of w, ESS of w_r)."""
    particles, rewards = particles.double(), rewards.double()
    shifts, sizes = [], []
    for row, row_alpha, row_sigma in zip(x.double(), alpha.double(), sigma.double(), strict=True):
        squares = torch.stack([(row - row_alpha * z).square().sum() for z in particles])
        exponent = -squares / (2 * row_sigma**2)
        w = torch.softmax(exponent, dim=0)
        w_r = torch.softmax(exponent + reward_strength * rewards, dim=0)
        shifts.append(sum(d * z for d, z in zip(w_r - w, particles, strict=True)))
        sizes.append([1 / w.square().sum(), 1 / w_r.square().sum()])
    return torch.stack(shifts), *torch.tensor(sizes).T


def relative_errors(actual, expected):
    return (actual.double() - expected).flatten(1).norm(dim=1) / expected.flatten(1).norm(dim=1)


SHAPE = (16, 128, 128)
SIGMAS = [14.6, 5.0, 1.5, 0.5, 0.1]


def alike_lookaheads(generator, sigma):
    """Lookaheads that differ by about two noise levels in all, so that the weights are spread at this sigma."""
    return (
        torch.randn(SHAPE, generator=generator) + 0.6 + 2 * sigma / 512 * torch.randn(50, *SHAPE, generator=generator)
    )


@pytest.mark.parametrize("sigma", SIGMAS)
def test_shift_equals_float64_on_latents_of_image_size(sigma, record_figure):
    generator = torch.Generator().manual_seed(21)
    particles = alike_lookaheads(generator, sigma)
    rewards = torch.randn(50, generator=generator).exp()
    alpha, sigmas = torch.tensor([1.0, 0.6]), torch.tensor([sigma, 0.7 * sigma])
    x = alpha.view(-1, 1, 1, 1) * particles[[3, 17]]
    x = x + sigmas.view(-1, 1, 1, 1) * torch.randn(2, *SHAPE, generator=generator)
    settings = {"alpha": alpha, "sigma": sigmas, "reward_strength": 1.3}

    expected, ess, tilted_ess = direct_shift(x, particles, rewards, **settings)
    assert (ess > 1.3).all(), "the weights must not be saturated"
    shift, info = shift_of(x, Particles(particles), rewards, **settings)
    error = relative_errors(shift, expected).max().item()
    record_figure(
        f"shift against float64, (16,128,128), n = 50, sigma {sigma}, ESS {ess.min():.1f}: relative error (limit 1e-3)",
        error,
    )
    assert error <= 1e-3
    torch.testing.assert_close(info.ess.double(), ess.double(), rtol=1e-3, atol=1e-3)
    torch.testing.assert_close(info.tilted_ess.double(), tilted_ess.double(), rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("sigma", [14.6, 1.5, 0.7, 0.1])
def test_shift_between_two_lookaheads_far_apart_equals_float64(sigma, record_figure):
    """The hardest case for float32: unlike lookaheads, and x exactly as far from one as from another.

    At sigma 0.1 the two squared distances are 4e5 and a difference of 2e-5 moves the result by 1e-3, which is at the
    limit of float32; the error is printed and held to 0.1 there.
    """
    generator = torch.Generator().manual_seed(22)
    particles = torch.randn(SHAPE, generator=generator) + 0.6 + 0.8 * torch.randn(50, *SHAPE, generator=generator)
    rewards = torch.randn(50, generator=generator).exp()
    one, other = particles[4].double(), particles[31].double()
    noise, across = torch.randn(SHAPE, generator=generator).double(), one - other
    noise = noise - (noise * across).sum() / across.square().sum() * across
    x = ((one + other) / 2 + sigma * noise).float()[None]
    settings = {"alpha": torch.ones(1), "sigma": torch.tensor([sigma]), "reward_strength": 0.4}

    expected, ess, _ = direct_shift(x, particles, rewards, **settings)
    assert ess.item() > 1.9, "two lookaheads must share the weight"
    shift, _ = shift_of(x, Particles(particles), rewards, **settings)
    error = relative_errors(shift, expected).item()
    limit = 1e-3 if sigma >= 0.5 else 0.1
    record_figure(f"shift between two unlike lookaheads, sigma {sigma}: relative error (limit {limit:g})", error)
    assert error <= limit


@pytest.mark.parametrize(("sigma", "limit"), [(1.5, 5e-4), (0.5, 4e-3)])
def test_shift_between_two_lookaheads_alike_among_unlike_ones_equals_float64(sigma, limit, record_figure):
    """Four pairs that differ by two noise levels in all, as samples of one mode may; the nearness of either is 1e5."""
    generator = torch.Generator().manual_seed(32)
    particles = torch.randn(SHAPE, generator=generator) + 0.6 + 0.8 * torch.randn(50, *SHAPE, generator=generator)
    rewards = torch.linspace(-1.0, 2.4, 50)
    rows = []
    for first in range(4):
        across = torch.randn(SHAPE, generator=generator).double()
        particles[-1 - first] = particles[first] + (2 * sigma / across.norm() * across).float()
        across = particles[-1 - first].double() - particles[first].double()
        noise = torch.randn(SHAPE, generator=generator).double()
        noise = noise - (noise * across).sum() / across.square().sum() * across
        rows.append((particles[first].double() + across / 2 + sigma * noise).float())
    settings = {"alpha": torch.ones(4), "sigma": torch.full((4,), sigma), "reward_strength": 0.4}

    x = torch.stack(rows)
    expected, ess, _ = direct_shift(x, particles, rewards, **settings)
    assert (ess > 1.9).all(), "two lookaheads must share the weight"
    shift, _ = shift_of(x, Particles(particles), rewards, **settings)
    error = relative_errors(shift, expected).max().item()
    record_figure(f"shift between two alike among unlike ones, sigma {sigma}: relative error (limit {limit:g})", error)
    assert error <= limit


def test_saturated_weights_give_the_best_minus_the_nearest():
    generator = torch.Generator().manual_seed(23)
    particles = torch.randn(7, 4, 32, 32, generator=generator)
    rewards = torch.tensor([0.1, -2.0, 0.7, 3.0, 0.2, 2.9, -1.0])
    x = particles[[1]] + 2.0 * torch.randn(1, 4, 32, 32, generator=generator)
    shift, info = shift_of(
        x, Particles(particles), rewards, alpha=torch.ones(1), sigma=torch.full((1,), 2.0), reward_strength=1e5
    )
    torch.testing.assert_close(shift, particles[[3]] - particles[[1]], rtol=1e-5, atol=1e-5)
    assert info.ess.item() == info.tilted_ess.item() == 1


def test_shift_is_the_gradient_of_the_log_expected_reward(record_figure):
    """(alpha / sigma^2) * shift = grad_x [logsumexp(l + lambda r) - logsumexp(l)], by autograd in float64."""
    generator = torch.Generator().manual_seed(24)
    particles = torch.randn(9, 2, 3, 3, generator=generator) + 0.4
    rewards = torch.tensor([0.3, 2.0, -1.1, 0.9, -0.4, 1.6, -2.0, 0.1, 0.65])
    alpha, sigma, reward_strength = torch.tensor([1.0, 0.3, 0.85, 1.0]), torch.tensor([8.0, 0.7, 1.9, 2.7]), 0.8
    x = (alpha.view(-1, 1, 1, 1) * particles[:4] + sigma.view(-1, 1, 1, 1)).double().requires_grad_()

    difference = x[:, None] - alpha.double().view(-1, 1, 1, 1, 1) * particles.double()
    exponent = -difference.square().flatten(2).sum(2) / (2 * sigma.double()[:, None] ** 2)
    tilted = exponent + reward_strength * rewards.double()
    (gradient,) = torch.autograd.grad((tilted.logsumexp(1) - exponent.logsumexp(1)).sum(), x)

    shift, info = shift_of(
        x.detach(), Particles(particles), rewards, alpha=alpha, sigma=sigma, reward_strength=reward_strength
    )
    assert (info.ess > 1.2).all(), "the weights must not be saturated"
    assert shift.dtype == torch.float64
    actual = (alpha / sigma**2).double().view(-1, 1, 1, 1) * shift
    error = relative_errors(actual, gradient).max().item()
    record_figure("(alpha / sigma^2) * shift against autograd in float64: relative error (float32 inside)", error)
    assert error < 1e-5


def test_at_alpha_0_the_shift_goes_from_the_mean_to_the_reward_weighted_mean():
    generator = torch.Generator().manual_seed(25)
    particles, x = torch.randn(4, 2, 5, generator=generator), torch.randn(2, 2, 5, generator=generator)
    rewards = torch.tensor([1.0, -0.5, 2.0, 0.2])
    shift, info = shift_of(
        x, Particles(particles), rewards, alpha=torch.zeros(2), sigma=torch.ones(2), reward_strength=1.5
    )
    weights = torch.softmax(1.5 * rewards.double(), dim=0)
    expected = torch.einsum("i,ijk->jk", weights - 0.25, particles.double()).expand(2, 2, 5)
    torch.testing.assert_close(shift.double(), expected, rtol=1e-5, atol=1e-6)
    assert info.ess.tolist() == [4, 4]
    torch.testing.assert_close(info.tilted_ess.double(), (1 / weights.square().sum()).expand(2), rtol=1e-5, atol=0)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32])
@pytest.mark.parametrize("reward_strength", [0.0, 1.5, 5000.0, -3.0])
def test_shift_is_finite_at_every_noise_level(dtype, reward_strength):
    generator = torch.Generator().manual_seed(26)
    particles = 3 * torch.randn(6, 4, 8, 8, generator=generator)
    rewards = torch.tensor([0.3, 2.0, -1.1, 0.9, -40.0, 1.6])
    sigma = torch.tensor([0.0, 1e-38, 1e-20, 1e-3, 1.0, 1.0, 80.0, 1e4])
    alpha = torch.tensor([1.0, 1.0, 1.0, 0.999, 0.0, 1e-8, 1.0, 1.0])
    x = torch.randn(8, 4, 8, 8, generator=generator) * sigma.view(-1, 1, 1, 1)
    shift, info = shift_of(
        x.to(dtype), Particles(particles), rewards, alpha=alpha, sigma=sigma, reward_strength=reward_strength
    )
    assert shift.dtype == dtype and shift.shape == x.shape
    assert shift.isfinite().all()
    for size in info:
        assert ((size >= 1) & (size <= 6)).all()


def test_at_sigma_0_only_lookaheads_at_the_same_distance_are_told_apart_by_reward():
    particles = torch.tensor([[1.0, 0.0], [-1.0, 0.0], [0.0, 3.0]])
    rewards = torch.tensor([0.0, 1.0, 100.0])
    settings = {"alpha": torch.ones(2), "sigma": torch.zeros(2), "reward_strength": 2.0}
    x = torch.tensor([[0.0, 0.0], [0.4, 0.1]])
    shift, _ = shift_of(x, Particles(particles), rewards, **settings)
    favoured = torch.sigmoid(torch.tensor(2.0))
    torch.testing.assert_close(shift, torch.stack([torch.stack([1 - 2 * favoured, torch.tensor(0.0)]), torch.zeros(2)]))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_input_is_only_rounded_at_the_ends(dtype):
    generator = torch.Generator().manual_seed(27)
    particles = torch.randn(5, 4, 16, 16, generator=generator) * 0.1
    rewards = torch.tensor([0.5, -1.0, 2.0, 0.1, 0.9])
    x = (particles[[2, 0]] + 4.0 * torch.randn(2, 4, 16, 16, generator=generator)).to(dtype)
    settings = {"alpha": torch.tensor([1.0, 0.7]), "sigma": torch.tensor([4.0, 5.0]), "reward_strength": 1.1}
    expected, ess, _ = direct_shift(x, particles, rewards, **settings)
    assert (ess > 1.5).all(), "the weights must not be saturated"
    shift, _ = shift_of(x, Particles(particles), rewards, **settings)
    torch.testing.assert_close(shift, expected.to(dtype), rtol=torch.finfo(dtype).eps, atol=1e-6)


@pytest.mark.parametrize("dtype", [torch.float16, torch.float64])
def test_rewards_of_any_dtype_are_weighed_in_float32(dtype):
    generator = torch.Generator().manual_seed(33)
    particles, x = torch.randn(4, 2, 5, generator=generator), 3 * torch.randn(2, 2, 5, generator=generator)
    rewards = torch.tensor([0.5, -60000.0, 0.25, 1.125], dtype=dtype)  # exact in either
    settings = {"alpha": torch.ones(2), "sigma": torch.tensor([3.0, 2.0]), "reward_strength": 2.5}
    expected, _, _ = direct_shift(x, particles, rewards, **settings)
    shift, info = shift_of(x, Particles(particles), rewards, **settings)
    assert (relative_errors(shift, expected) < 1e-5).all()
    assert shift.dtype == info.ess.dtype == info.tilted_ess.dtype == torch.float32


@pytest.mark.parametrize(
    ("rewards", "reward_strength"),
    [([0.2, 1.4, -0.3], 0.0), ([0.1, 0.1, 0.1], 3.0), ([1e6, 1e6, 1e6], 5000.0)],
)
def test_shift_is_exactly_zero_without_anything_to_prefer(rewards, reward_strength):
    generator = torch.Generator().manual_seed(28)
    particles, x = torch.randn(3, 2, 4, generator=generator), torch.randn(2, 2, 4, generator=generator)
    shift, info = shift_of(
        x,
        Particles(particles),
        torch.tensor(rewards),
        alpha=torch.ones(2),
        sigma=torch.tensor([2.0, 0.9]),
        reward_strength=reward_strength,
    )
    assert shift.count_nonzero() == 0
    assert info.ess.tolist() == info.tilted_ess.tolist()


def test_one_lookahead_cannot_steer():
    shift, info = shift_of(
        torch.full((2, 3), 0.7),
        Particles(torch.tensor([[1.0, -4.0, 2.0]])),
        torch.tensor([5.0]),
        alpha=torch.ones(2),
        sigma=torch.tensor([1.0, 0.3]),
        reward_strength=5000.0,
    )
    assert shift.count_nonzero() == 0 and info.ess.tolist() == [1, 1]


def test_a_common_offset_of_the_rewards_changes_nothing():
    generator = torch.Generator().manual_seed(29)
    particles, x = torch.randn(4, 6, generator=generator), torch.randn(3, 6, generator=generator)
    rewards = torch.tensor([0.5, -0.25, 1.75, 0.125])
    settings = {"alpha": torch.ones(3), "sigma": torch.tensor([3.0, 1.0, 2.0]), "reward_strength": 2.0}
    plain, _ = shift_of(x, Particles(particles), rewards, **settings)
    moved, _ = shift_of(x, Particles(particles), rewards + 2.0**18, **settings)
    assert torch.equal(plain, moved)


def test_a_large_common_offset_of_the_lookaheads_costs_no_digits():
    generator = torch.Generator().manual_seed(31)
    particles = 3000 + torch.randn(5, 40, generator=generator)
    x = particles[[1, 3]] + 6 * torch.randn(2, 40, generator=generator)
    rewards = torch.tensor([0.5, -1.0, 2.0, 0.1, 0.9])
    settings = {"alpha": torch.tensor([1.0, 0.999]), "sigma": torch.tensor([6.0, 7.0]), "reward_strength": 0.01}
    expected, ess, _ = direct_shift(x, particles, rewards, **settings)
    assert (ess > 1.2).all(), "the weights must not be saturated"
    shift, _ = shift_of(x, Particles(particles), rewards, **settings)
    assert (relative_errors(shift, expected) < 1e-3).all()


def test_inputs_are_left_as_they_were():
    generator = torch.Generator().manual_seed(30)
    inputs = [torch.randn(2, 3, generator=generator), torch.randn(4, 3, generator=generator), torch.rand(4)]
    before = [tensor.clone() for tensor in inputs]
    x, particles, rewards = inputs[0], Particles(inputs[1]), inputs[2]
    settings = {"alpha": torch.ones(2), "sigma": torch.ones(2), "reward_strength": 2.0}
    first, _ = shift_of(x, particles, rewards, **settings)
    assert all(torch.equal(now, then) for now, then in zip(inputs, before, strict=True))
    assert torch.equal(shift_of(x, particles, rewards, **settings)[0], first)


def test_rewards_of_another_count_are_refused():
    with pytest.raises(ValueError, match=r"rewards have shape \(3,\), wanted one per particle, shape \(4,\)"):
        shift_of(
            torch.zeros(2, 5),
            Particles(torch.zeros(4, 5)),
            torch.zeros(3),
            alpha=torch.ones(2),
            sigma=torch.ones(2),
            reward_strength=1.0,
        )
