"""Weights, shifts and scaled rewards at the ends of their ranges, against exact rational numbers."""

import math
from decimal import Decimal, localcontext
from fractions import Fraction

import pytest
import torch

from lidar_core import (
    LookaheadSet,
    Particles,
    blend_shift,
    difference_shift,
    effective_sample_size,
    log_likelihood,
    standardise,
)

LOOKAHEADS = [[1.0, -0.5, 0.25], [0.375, 0.75, -1.0], [-0.625, 0.125, 0.5], [0.25, 0.875, 0.75]]
NEAR = [0.5, 0.0625, -0.375]
REWARDS = [0.5, -1.0, 0.75, 0.25]
SMALLEST_SIGMA = Fraction(1, 2**63)  # its square is the smallest normal float32
DENORMAL_STEPS = 1e-44


def scaled(numbers, scale):
    return torch.tensor(numbers, dtype=torch.float64).mul(scale).float()


def exact(tensor):
    """The numbers of a float tensor of one or two dimensions as fractions."""
    return [exact(row) for row in tensor] if tensor.ndim else Fraction(tensor.item())


def softmax(exponents):
    top = max(exponents)
    powers = [math.exp(max(exponent - top, -2000)) for exponent in exponents]
    return [power / math.fsum(powers) for power in powers]


def exact_answer(x, z, rewards, alpha, sigma, strength, temperature):
    """(w, w_r) of one row by Theorem 3.3, the exponents without any rounding."""
    x, z, rewards, alpha = exact(x), exact(z), exact(rewards), exact(alpha)
    likelihoods = [Fraction(0)] * len(z)
    if math.isfinite(sigma) and math.isfinite(temperature):
        level = max(exact(torch.tensor(sigma)), SMALLEST_SIGMA)
        squares = [sum((a - alpha * b) ** 2 for a, b in zip(x, row, strict=True)) for row in z]
        likelihoods = [-square / (2 * level**2) / Fraction(temperature) for square in squares]
    tilted = [each + Fraction(strength) * reward for each, reward in zip(likelihoods, rewards, strict=True)]
    return softmax(likelihoods), softmax(tilted)


def weighted(weights, z):
    return torch.tensor(weights, dtype=torch.float64) @ z.double()


# Scale of x, of z and of the rewards, alpha, sigma, lambda, T: plain is (1, 1, 1, 1.0, 1.0, 1.3, 1.0).
EXTREMES = {
    "nothing": (1, 1, 1, 1.0, 1.0, 1.3, 1.0),
    "largest latents and noise": (1e12, 1e12, 1, 1.0, 1e12, 1.3, 1.0),
    "largest latents, no noise": (1e12, 1e12, 1, 1.0, 0.0, 1.3, 1.0),
    "largest lookaheads, least noise": (1, 1e12, 1, 0.75, 1e-30, 1e12, 1.0),
    "largest x": (1e12, 1, 1, 0.75, 1e6, 1.3, 1.0),
    "largest x, no noise": (1e12, 1, 1, 0.75, 0.0, 1.3, 1.0),
    "small latents": (1e-15, 1e-15, 1, 0.75, 1e-15, 1.3, 1.0),
    "latents whose squares are denormal": (1e-30, 1e-30, 1, 0.75, 1e-30, 1.3, 1.0),
    "denormal latents": (1e-40, 1e-40, 1, 1.0, 0.0, 1.3, 1.0),
    "no noise": (1, 1, 1, 1.0, 0.0, 1e6, 1.0),
    "noise of 1e-30": (1, 1, 1, 0.75, 1e-30, 1e6, 1.0),
    "denormal noise": (1, 1, 1, 1.0, 1e-45, 1.3, 1.0),
    "noise of 1e30": (1e12, 1e12, 1, 1.0, 1e30, 1.3, 1.0),
    "infinite noise": (1e12, 1e12, 1, 1.0, math.inf, 1.3, 1.0),
    "no signal": (1e12, 1e12, 1, 0.0, 1.0, 1.3, 1.0),
    "no signal and no noise": (1, 1, 1, 0.0, 0.0, 1.3, 1.0),
    "hardly any signal": (1, 1e12, 1, 1e-30, 1e-3, 1.3, 1.0),
    "lambda of a million": (1, 1, 1, 1.0, 1.0, 1e6, 1.0),
    "largest lambda and rewards": (1, 1, 1e12, 1.0, 1.0, 1e12, 1.0),
    "largest lambda against": (1, 1, 1e12, 1.0, 1.0, -1e12, 1.0),
    "largest rewards": (1, 1, 1e12, 1.0, 1.0, 1e-12, 1.0),
    "denormal rewards": (1, 1, 1e-44, 1.0, 1.0, 1e12, 1.0),
    "least lambda": (1, 1, 1e12, 1.0, 1.0, 1e-300, 1.0),
    "lowest temperature": (1e-6, 1e-6, 1, 1.0, 1.0, 1.3, 1e-12),
    "lowest temperature, no noise": (1, 1, 1e12, 1.0, 0.0, -1e12, 1e-12),
    "temperature of 1e30": (1e12, 1e12, 1, 1.0, 1e-3, 1.3, 1e30),
    "temperature of 1e300": (1, 1, 1, 1.0, 1.0, 1.3, 1e300),
    "infinite temperature": (1e12, 1e12, 1, 1.0, 0.0, 1.3, math.inf),
}


@pytest.mark.parametrize("case", EXTREMES)
def test_weights_and_shifts_equal_exact_arithmetic(case):
    x_scale, z_scale, reward_scale, alpha, sigma, strength, temperature = EXTREMES[case]
    x, z, rewards = scaled(NEAR, x_scale), scaled(LOOKAHEADS, z_scale), scaled(REWARDS, reward_scale)
    alpha = torch.tensor([alpha])
    level = torch.tensor([sigma])
    w, w_r = exact_answer(x, z, rewards, alpha[0], sigma, strength, temperature)

    particles, tilt = Particles(z), {"reward_strength": strength, "temperature": temperature}
    likelihood = log_likelihood(x[None], particles, alpha=alpha, sigma=level)
    assert likelihood.isfinite().all() and likelihood.amax() == 0
    shift, info = difference_shift(x[None], x[None], particles, rewards, alpha=alpha, sigma=level, **tilt)
    blend, blend_info = blend_shift(x[None], x[None], particles, rewards, alpha=alpha, sigma=level, **tilt)
    size = z.double().norm().item()
    difference = [after - before for after, before in zip(w_r, w, strict=True)]
    torch.testing.assert_close(shift[0].double(), weighted(difference, z), rtol=0, atol=2e-6 * size + DENORMAL_STEPS)
    torch.testing.assert_close(
        blend[0].double(),
        weighted(w_r, z) - x.double(),
        rtol=1e-6,
        atol=2e-6 * (size + x.norm().item()) + DENORMAL_STEPS,
    )
    for sizes, weights in ((info.ess, w), (info.tilted_ess, w_r)):
        assert sizes.item() == pytest.approx(1 / sum(weight**2 for weight in weights), rel=1e-5)
    assert torch.equal(info.ess, blend_info.ess) and torch.equal(info.tilted_ess, blend_info.tilted_ess)


@pytest.mark.parametrize("strength", [1e12, -1e12])
@pytest.mark.parametrize("sigma", [0.0, 1e-30, 1.0, math.inf])
def test_nothing_to_prefer_is_exactly_zero_at_the_ends_too(strength, sigma):
    z, x = scaled(LOOKAHEADS, 1e12), scaled([NEAR], 1e12)
    settings = {"alpha": torch.ones(1), "sigma": torch.tensor([sigma])}
    equal = torch.full((4,), 1e12)
    assert not difference_shift(x, x, Particles(z), equal, reward_strength=strength, **settings)[0].any()
    unequal = scaled(REWARDS, 1e12)
    assert not difference_shift(x, x, Particles(z), unequal, reward_strength=0.0, **settings)[0].any()
    assert not difference_shift(x, x, Particles(z[:1]), unequal[:1], reward_strength=strength, **settings)[0].any()


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf, 3e38, -3e38])
@pytest.mark.parametrize("alpha", [1.0, 0.35, 0.0])
@pytest.mark.parametrize("sigma", [0.0, 1.0, math.inf])
def test_an_x_out_of_range_is_nan_in_its_own_row_or_right(bad, alpha, sigma):
    z, rewards = scaled(LOOKAHEADS, 1), scaled(REWARDS, 1)
    particles, x = Particles(z), scaled([NEAR, NEAR, NEAR], 1)
    settings = {"alpha": torch.full((3,), alpha), "sigma": torch.full((3,), sigma), "reward_strength": 1.3}
    within, _ = difference_shift(x, x, particles, rewards, **settings)
    x[1, 2] = bad
    shift, info = difference_shift(x, x, particles, rewards, **settings)
    blend, _ = blend_shift(x, x.clamp(-9, 9), particles, rewards, **settings)
    assert torch.equal(shift[[0, 2]], within[[0, 2]])
    if math.isfinite(bad) and not shift[1].isnan().all():
        w, w_r = exact_answer(x[1], z, rewards, torch.tensor(alpha), sigma, 1.3, 1.0)
        torch.testing.assert_close(shift[1].double(), weighted(w_r, z) - weighted(w, z), rtol=0, atol=1e-5)
    else:
        assert shift[1].isnan().all() and blend[1].isnan().all() and info.ess[1].isnan()


@pytest.mark.parametrize("value", [1.001e12, -1e30, 3e38, math.inf, -math.inf, math.nan])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_lookaheads_beyond_the_range_are_refused_once_for_all(value, dtype):
    z = torch.tensor(LOOKAHEADS, dtype=dtype)
    z[2, 1] = value
    with pytest.raises(
        ValueError, match=r"^particles have magnitudes up to \S+, wanted finite ones of at most 1e\+12$"
    ):
        Particles(z)
    with pytest.raises(
        ValueError, match=r"^latents are not finite or beyond 1e\+12 at lookahead no\. 3, wanted finite"
    ):
        LookaheadSet(z, torch.tensor(REWARDS))
    rewards = torch.tensor(REWARDS, dtype=dtype)
    rewards[1] = value
    with pytest.raises(
        ValueError, match=r"^rewards are not finite or beyond 1e\+12 at lookahead no\. 2, wanted finite"
    ):
        LookaheadSet(torch.tensor(LOOKAHEADS), rewards)


def test_the_ends_of_the_range_belong_to_it():
    ends = scaled([[1, -1, 0.5], [-1, 1, 1]], 1e12)
    assert Particles(ends).count == 2
    assert LookaheadSet(ends, torch.tensor([1e12, -1e12])).rewards.tolist() == ends[0, :2].tolist()


@pytest.mark.parametrize("strength", [math.inf, -math.inf, math.nan, 1e30, -1.001e12])
def test_a_reward_strength_out_of_range_is_refused(strength):
    with pytest.raises(ValueError, match=r"^reward_strength is \S+, wanted a number from -1e\+12 to 1e\+12$"):
        difference_shift(
            torch.zeros(1, 3),
            torch.zeros(1, 3),
            Particles(torch.tensor(LOOKAHEADS)),
            torch.tensor(REWARDS),
            alpha=torch.ones(1),
            sigma=torch.ones(1),
            reward_strength=strength,
        )


@pytest.mark.parametrize("spread", [3e38, 1e38, 1e-38, 1e-44])
def test_effective_sample_size_of_extreme_log_weights(spread):
    log_weights = torch.stack([scaled(REWARDS, spread), scaled([1.0, 1.0, -1.0, 1.0], spread)])
    expected = [1 / sum(weight**2 for weight in softmax(row)) for row in exact(log_weights)]
    torch.testing.assert_close(effective_sample_size(log_weights), torch.tensor(expected))


def largest(dtype):
    return torch.finfo(dtype).max


@pytest.mark.parametrize(
    ("rewards", "dtype"),
    [
        ([3e38, -3e38], torch.float32),
        ([3e38, -3e38, 1e38, 0.0, -2e38], torch.float32),
        ([largest(torch.float32), -largest(torch.float32), 1e-45, 1.0], torch.float32),
        ([largest(torch.float32), 3.4e38, 3.3e38], torch.float32),
        ([0.0, 1.4e-45, 4.2e-45], torch.float32),
        ([-1.4e-45, 1.4e-45, 0.0, 1.4e-45], torch.float32),
        ([1.2e-38, 1.1e-38, -3e-39], torch.float32),
        ([1e12, 1e12 + 65536, 1e12 + 262144], torch.float32),
        ([largest(torch.float64), -largest(torch.float64), 1e308], torch.float64),
        ([1e300, 2e300, -5e299], torch.float64),
        ([0.0, 5e-324, 1.5e-323], torch.float64),
        ([1.0, 1.0 + 2**-50, 1.0 + 2**-48], torch.float64),
        ([65504.0, -65504.0, 1.0], torch.float16),
        ([0.0, 6e-8, 1.8e-7], torch.float16),
        ([3.3e38, -3.3e38, 1e38], torch.bfloat16),
    ],
)
def test_standardise_holds_for_every_finite_reward(rewards, dtype):
    raw = torch.tensor(rewards, dtype=torch.float64).to(dtype)
    values = exact(raw)
    mean = sum(values) / len(values)
    variance = sum((value - mean) ** 2 for value in values) / len(values)
    with localcontext(prec=60):
        deviation = (Decimal(variance.numerator) / Decimal(variance.denominator)).sqrt()
        offsets = [Decimal((v - mean).numerator) / Decimal((v - mean).denominator) for v in values]
        expected = torch.tensor([float(offset / deviation) for offset in offsets], dtype=torch.float64)
    actual = standardise(raw)
    assert actual.dtype == dtype
    tolerance = 4 * max(torch.finfo(dtype).eps, torch.finfo(torch.float64).eps)
    torch.testing.assert_close(actual.double(), expected, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("value", [3e38, -3e38, 1.4e-45, -0.0])
def test_standardised_equals_are_zeros_at_any_size(value):
    assert standardise(torch.full((3,), value)).tolist() == [0, 0, 0]


@pytest.mark.parametrize("dtype", [torch.float16, torch.float32, torch.float64])
@pytest.mark.parametrize(
    ("bad", "count"),
    [
        ([math.nan], 1),
        ([math.inf], 1),
        ([-math.inf, 1.0], 1),
        ([1.0, -math.inf, 2.0, math.nan], 2),
        ([math.inf] * 3, 3),
    ],
)
def test_standardise_refuses_what_is_not_finite(dtype, bad, count):
    with pytest.raises(ValueError, match=f"^{count} of {len(bad)} rewards are not finite, wanted finite numbers$"):
        standardise(torch.tensor(bad, dtype=dtype))
