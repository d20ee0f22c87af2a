"""One call of the post-CFG function against the formula of the paper, computed directly in float64."""

import math

import pytest
import torch

SETTINGS = {"start_percent": 0.0, "end_percent": 1.0, "guidance_form": "difference", "effective_dimension": 0.0}
TO_MODEL_SPACE = {
    # Written out from the checkpoints' definitions, so that the node is not compared with the host function it calls.
    "EPS": lambda z: z * 0.13025,
    "V_PREDICTION": lambda z: z * 0.13025,
    "EDM": lambda z: (
        (z - torch.tensor([-1.6574, 1.886, -1.383, 2.5155]).view(1, 4, 1, 1).double())
        * 0.5
        / torch.tensor([8.4927, 5.9022, 6.5498, 5.2299]).view(1, 4, 1, 1).double()
    ),
}


@pytest.fixture
def problem():
    """Six lookaheads in VAE space with uneven rewards, and a function to_input(particles, sigma) -> x of two rows."""
    generator = torch.Generator().manual_seed(23)
    latents = torch.randn(6, 4, 4, 4, generator=generator) * 3 + torch.linspace(-2, 3, 6).view(6, 1, 1, 1)
    rewards = torch.tensor([0.3, -1.2, 2.5, 0.1, 0.9, -0.4])
    noise = torch.randn(2, 4, 4, 4, generator=generator).double()
    return latents, rewards, lambda particles, sigma: particles[[1, 3]] + sigma * noise


@pytest.fixture
def post_cfg_function(nodes_room, problem):
    """post_cfg_function(**settings) -> the post-CFG function that steers with the problem's lookaheads."""
    latents, rewards, _ = problem
    return lambda **settings: nodes_room("host.post_cfg").Guidance(latents, rewards, **SETTINGS | settings).add_shift


@pytest.fixture
def build_sampled(build_model):
    """build_sampled(family) -> the model as a sampler has it, with the patches of its family."""

    def build(family):
        patcher = build_model(family)
        patcher.model.model_sampling = patcher.get_model_object("model_sampling")
        return patcher.model

    return build


def direct_shift(x, particles, rewards, sigma, strength):
    """Theorem 3.3 as it is written, alpha = 1."""
    log_weights = -(x[:, None] - particles[None]).square().flatten(2).sum(2) / (2 * sigma**2)
    weights = torch.softmax(log_weights, 1)
    tilted = torch.softmax(log_weights + strength * rewards.double(), 1)
    return torch.einsum("bn,nchw->bchw", tilted - weights, particles)


@pytest.mark.parametrize("family", TO_MODEL_SPACE)
@pytest.mark.parametrize("sigma", [9.0, 3.0, 0.7])
def test_denoised_moves_by_the_papers_shift_in_model_space(build_model, post_cfg_function, problem, family, sigma):
    latents, rewards, to_input = problem
    particles = TO_MODEL_SPACE[family](latents.double())
    x = to_input(particles, sigma)
    denoised = torch.linspace(-1, 1, x.numel()).view(x.shape)
    add_shift = post_cfg_function(guidance_scale=2.5, reward_strength=4.0)
    args = {
        "input": x.float(),
        "sigma": torch.full((2,), sigma),
        "denoised": denoised,
        "model": build_model(family).model,
    }
    shift = direct_shift(x, particles, rewards, sigma, 4.0)
    assert shift.abs().max() > 0.02, "the case must be one in which something moves"
    torch.testing.assert_close(add_shift(args), (denoised + 2.5 * shift).float(), atol=2e-4, rtol=0)


def test_each_row_moves_by_its_own_noise_level_and_the_noisiest_says_whether_guidance_acts(
    build_model, post_cfg_function, problem
):
    latents, rewards, _ = problem
    particles = latents.double() * 0.13025
    model = build_model("EPS").model
    sigma, middle = torch.tensor([5.0, 1.2]), model.model_sampling.percent_to_sigma(0.5)
    assert 1.2 < middle < 5.0
    noise = torch.randn(2, 4, 4, 4, generator=torch.Generator().manual_seed(24)).double()
    x = particles[[1, 3]] + sigma.double().view(2, 1, 1, 1) * noise
    denoised = torch.linspace(-1, 1, x.numel()).view(x.shape)
    args = {"input": x.float(), "sigma": sigma, "denoised": denoised, "model": model}
    shift = torch.cat([direct_shift(x[[i]], particles, rewards, sigma[i].item(), 4.0) for i in range(2)])
    assert (shift.flatten(1).abs().amax(dim=1) > 0.02).all(), "both rows must move"
    for end in (0.5, 1.0):
        result = post_cfg_function(guidance_scale=1.5, reward_strength=4.0, end_percent=end)(args)
        torch.testing.assert_close(result, (denoised + 1.5 * shift).float(), atol=2e-4, rtol=0)
    from_the_middle = post_cfg_function(guidance_scale=1.5, reward_strength=4.0, start_percent=0.5)
    assert from_the_middle(args) is denoised


def test_one_noise_level_stands_for_all_rows(build_model, post_cfg_function, problem):
    latents, _, to_input = problem
    x = to_input(latents.double() * 0.13025, 3.0).float()
    args = {"input": x, "denoised": torch.zeros_like(x), "model": build_model("EPS").model}
    add_shift = post_cfg_function(guidance_scale=1.0, reward_strength=4.0)
    each = add_shift(args | {"sigma": torch.full((2,), 3.0)})
    assert torch.equal(add_shift(args | {"sigma": torch.full((1,), 3.0)}), each) and each.any()


@pytest.mark.parametrize("form", ["difference", "blend"])
@pytest.mark.parametrize(("effective_dimension", "temperature"), [(0.0, 1.0), (16.0, 4.0), (1.0, 64.0), (500.0, 1.0)])
@pytest.mark.parametrize("family", ["EPS", "EDM"])
def test_form_and_effective_dimension_are_those_of_the_formula(
    build_model, post_cfg_function, problem, family, form, effective_dimension, temperature
):
    """Latents of 64 numbers, of which d count: the log-likelihood is divided by 64 / d, and never by less than 1."""
    latents, rewards, to_input = problem
    particles = TO_MODEL_SPACE[family](latents.double())
    sigma = 2.0
    x = to_input(particles, sigma)
    denoised = torch.linspace(-1, 1, x.numel()).view(x.shape).double()
    add_shift = post_cfg_function(
        guidance_scale=0.4, reward_strength=1.5, guidance_form=form, effective_dimension=effective_dimension
    )
    log_weights = -(x[:, None] - particles[None]).square().flatten(2).sum(2) / (2 * sigma**2) / temperature
    weights = torch.softmax(log_weights, 1)
    tilted = torch.softmax(log_weights + 1.5 * rewards.double(), 1)
    mean = torch.einsum("bn,nchw->bchw", tilted, particles)
    shift = mean - (denoised if form == "blend" else torch.einsum("bn,nchw->bchw", weights, particles))
    assert shift.abs().max() > 0.02, "the case must be one in which something moves"
    args = {
        "input": x.float(),
        "sigma": torch.full((2,), sigma),
        "denoised": denoised.float(),
        "model": build_model(family).model,
    }
    torch.testing.assert_close(add_shift(args), (denoised + 0.4 * shift).float(), atol=2e-4, rtol=0)


def test_a_form_that_is_none_is_refused(post_cfg_function):
    with pytest.raises(ValueError, match=r"^guidance_form is 'difference \(paper\)', wanted difference or blend$"):
        post_cfg_function(guidance_scale=1.0, reward_strength=1.0, guidance_form="difference (paper)")


@pytest.mark.parametrize("form", ["difference", "blend"])
def test_half_precision_is_rounded_once_at_the_end(build_model, post_cfg_function, problem, form):
    """The prediction is what takes most of the move back, so that a shift rounded before would show."""
    latents, _, to_input = problem
    settings = {"guidance_scale": 0.9, "reward_strength": 2.0, "guidance_form": form}
    x = to_input(latents.double() * 0.13025, 2.0).half()
    args = {"input": x, "sigma": torch.full((2,), 2.0), "model": build_model("EPS").model}
    add_shift = post_cfg_function(**settings)
    shift = add_shift(args | {"input": x.float(), "denoised": torch.zeros(x.shape)})
    denoised = -shift.half() if form == "difference" else -9 * shift.half()  # the blend takes 0.9 of it itself
    expected = add_shift(args | {"input": x.float(), "denoised": denoised.float()})
    result = add_shift(args | {"denoised": denoised})
    assert result.dtype == torch.float16
    assert expected.abs().amax() < 0.02 * denoised.abs().amax(), "nearly all must be taken back"
    torch.testing.assert_close(result.float(), expected, rtol=1e-3, atol=1e-7)


def test_result_has_the_dtype_of_denoised_and_nothing_is_changed_in_place(build_model, post_cfg_function, problem):
    latents, rewards, to_input = problem
    kept = latents.clone()
    x = to_input(latents.double() * 0.13025, 2.0).half()
    denoised = torch.zeros_like(x)
    add_shift = post_cfg_function(guidance_scale=1.0, reward_strength=2.0)
    result = add_shift(
        {"input": x, "sigma": torch.full((2,), 2.0), "denoised": denoised, "model": build_model("EPS").model}
    )
    assert result.dtype == torch.float16 and result.abs().max() > 0
    assert torch.equal(latents, kept) and not denoised.any()


@pytest.mark.parametrize(
    ("start", "end", "percent", "acts"),
    [
        (0.0, 0.8, 0.5, True),
        (0.0, 0.8, 0.81, False),
        (0.0, 0.8, 0.79, True),
        (0.3, 0.8, 0.29, False),
        (0.3, 0.8, 0.31, True),
        (0.0, 1.0, 0.999, True),
    ],
)
@pytest.mark.parametrize("family", ["EPS", "V_PREDICTION_EDM", "CONST"])
def test_guidance_acts_only_inside_its_window(
    build_sampled, post_cfg_function, problem, family, start, end, percent, acts
):
    latents, rewards, to_input = problem
    model = build_sampled(family)
    sigma = model.model_sampling.percent_to_sigma(percent)
    x = to_input(latents.double() * 0.13025, sigma).float()
    denoised = torch.zeros_like(x)
    add_shift = post_cfg_function(guidance_scale=1.0, reward_strength=1e4, start_percent=start, end_percent=end)
    result = add_shift({"input": x, "sigma": torch.full((2,), sigma), "denoised": denoised, "model": model})
    assert (result is not denoised) == acts


@pytest.mark.parametrize(("percent", "acts"), [(0.25, True), (0.75, False)])
def test_the_window_begins_with_the_noise_level_of_its_start_and_ends_before_that_of_its_end(
    build_model, post_cfg_function, problem, percent, acts
):
    model = build_model("EPS").model
    sigma = torch.full((2,), model.model_sampling.percent_to_sigma(percent))
    assert sigma[0].item() == model.model_sampling.percent_to_sigma(percent), "it must be exact in float32"
    x = problem[2](problem[0].double() * 0.13025, sigma[0].item()).float()
    denoised = torch.zeros_like(x)
    add_shift = post_cfg_function(guidance_scale=1.0, reward_strength=1e4, start_percent=0.25, end_percent=0.75)
    result = add_shift({"input": x, "sigma": sigma, "denoised": denoised, "model": model})
    assert (result is not denoised) == acts


@pytest.mark.parametrize("family", ["EPS", "CONST"])
def test_guidance_from_percent_0_includes_the_very_first_step(build_sampled, post_cfg_function, problem, family):
    latents, rewards, to_input = problem
    model = build_sampled(family)
    sigma = float(model.model_sampling.sigma_max) * 1.001
    x = to_input(latents.double() * 0.13025, sigma).float()
    denoised = torch.zeros_like(x)
    add_shift = post_cfg_function(guidance_scale=1.0, reward_strength=2.0, end_percent=0.8)
    assert add_shift({"input": x, "sigma": torch.full((2,), sigma), "denoised": denoised, "model": model}).any()


def test_lookaheads_of_another_size_are_an_error_with_both_shapes(build_model, post_cfg_function, problem):
    latents, rewards, _ = problem
    add_shift = post_cfg_function(guidance_scale=1.0, reward_strength=2.0)
    x = torch.zeros(1, 4, 8, 4)
    args = {"input": x, "sigma": torch.ones(1), "denoised": x, "model": build_model("EPS").model}
    with pytest.raises(ValueError, match="4 x 4 x 4 latents .* is 4 x 8 x 4; give LiDAR Sample Lookaheads"):
        add_shift(args)
    packed = torch.zeros(1, 1, 900)
    with pytest.raises(ValueError, match="packed latent of several parts"):
        add_shift(args | {"input": packed, "denoised": packed})


def test_effective_sample_size_is_logged_only_at_debug(
    build_model, nodes_room, post_cfg_function, problem, caplog, monkeypatch
):
    latents, rewards, to_input = problem
    post_cfg = nodes_room("host.post_cfg")
    add_shift = post_cfg_function(guidance_scale=1.0, reward_strength=2.0)
    x = to_input(latents.double() * 0.13025, 5.0).float()
    args = {"input": x, "sigma": torch.full((2,), 5.0), "denoised": x, "model": build_model("EPS").model}
    reads, item = [], torch.Tensor.item
    monkeypatch.setattr(torch.Tensor, "item", lambda tensor: reads.append(1) or item(tensor))
    with caplog.at_level("INFO", logger=post_cfg.logger.name):
        add_shift(args)
    assert not caplog.records
    before = len(reads)
    with caplog.at_level("DEBUG", logger=post_cfg.logger.name):
        add_shift(args)
    assert len(reads) == 2 * before + 4, "numbers for the log wait for the device"
    ess, tilted_ess = caplog.records[0].args[1:3]
    assert 1 <= tilted_ess < ess <= 6 and math.isfinite(ess)
