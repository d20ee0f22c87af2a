"""Guidance inside the host's own sampling loop: exact where a closed form exists, absent where it is switched off."""

import pytest
import torch

FAMILIES = ["EPS", "V_PREDICTION", "V_PREDICTION_EDM", "EDM", "CONST", "CONST_NOISE_SCALE"]
# One step, two evaluations a step, multistep, off-schedule noise levels, ancestral, SDE.
SAMPLERS = ["euler", "heun", "dpmpp_2m", "uni_pc", "dpm_2_ancestral", "euler_ancestral", "dpmpp_sde", "lcm"]

# The host's own SDE samplers draw this warning from torchsde.
pytestmark = pytest.mark.filterwarnings("ignore:Should have t[ab]")


@pytest.fixture(scope="module")
def make_set(lidar_core):
    def make(latents, rewards):
        return lidar_core.LookaheadSet(latents, rewards, "test")

    return make


@pytest.fixture(scope="module")
def sample(comfy, conditioning):
    """sample(model, latent, **changes) -> samples, by the host's own KSampler function."""
    import nodes

    def run(model, latent, *, sampler_name="euler", scheduler="simple", steps=3, cfg=4.0, seed=7, denoise=1.0):
        latent = latent if isinstance(latent, dict) else {"samples": latent}
        return nodes.common_ksampler(
            model, seed, steps, cfg, sampler_name, scheduler, *conditioning, latent, denoise=denoise
        )[0]["samples"]

    return run


@pytest.fixture(scope="module")
def apply(node_classes):
    def run(model, lookaheads, **settings):
        return node_classes["LiDARApplyGuidance"].execute(model, lookaheads, **settings).result[0]

    return run


@pytest.fixture(scope="module")
def random_set(make_set):
    generator = torch.Generator().manual_seed(31)
    return make_set(torch.randn(5, 4, 8, 8, generator=generator) * 6, torch.tensor([0.2, -0.7, 1.9, 0.4, -0.1]))


def with_posterior_mean(model, modes, log_prior):
    """A copy of model that predicts E[z | x] of a distribution on `modes` (VAE space), in closed form and float64."""
    import comfy.model_sampling

    modes = model.model.process_latent_in(modes).double()

    def predict(apply_model, args):
        sigma = args["timestep"].double().view(-1, 1)
        sampling = args["c"]["transformer_options"]["lidar_test_sampling"]
        flow = isinstance(sampling, comfy.model_sampling.CONST)
        alpha, std = (
            (1 - sigma, sigma * getattr(sampling, "noise_scale", 1)) if flow else (torch.ones_like(sigma), sigma)
        )
        distance = (args["input"].double().flatten(1)[:, None] - alpha[:, None] * modes.flatten(1)).square().sum(2)
        weights = torch.softmax(log_prior.double() - distance / (2 * std**2), 1)
        return torch.einsum("bn,n...->b...", weights, modes).float()

    copy = model.clone()
    copy.model_options["transformer_options"]["lidar_test_sampling"] = copy.get_model_object("model_sampling")
    copy.set_model_unet_function_wrapper(predict)
    return copy


@pytest.mark.parametrize("sampler_name", ["euler", "heun", "dpmpp_2m", "uni_pc", "euler_ancestral"])
@pytest.mark.parametrize("family", FAMILIES)
def test_guided_run_is_the_run_of_the_exactly_tilted_model(build_model, sample, apply, make_set, family, sampler_name):
    """With the true modes as lookaheads and s = 1, guidance must turn E[z | x] into that of the tilted distribution."""
    generator = torch.Generator().manual_seed(41)
    modes, rewards = torch.randn(4, 4, 4, 4, generator=generator) * 4, torch.tensor([0.1, 1.4, -0.8, 0.5])
    model = build_model(family)
    plain = with_posterior_mean(model, modes, torch.zeros(4))
    tilted = with_posterior_mean(model, modes, 3.0 * rewards)
    guided = apply(
        plain, make_set(modes, rewards), guidance_scale=1.0, reward_strength=3.0, reward_scale="raw", end_percent=1.0
    )
    latent = torch.zeros(6, 4, 4, 4)
    settings = {"sampler_name": sampler_name, "steps": 5}
    expected = sample(tilted, latent, **settings)
    torch.testing.assert_close(sample(guided, latent, **settings), expected, atol=2e-3, rtol=1e-3)
    assert (expected - sample(plain, latent, **settings)).abs().max() > 1, (
        "the case must be one in which something moves"
    )


@pytest.mark.parametrize("sampler_name", ["euler", "dpmpp_2m", "euler_ancestral"])
@pytest.mark.parametrize("family", FAMILIES)
def test_whole_blend_on_the_true_modes_is_the_run_of_the_exactly_tilted_model(
    build_model, sample, apply, make_set, family, sampler_name
):
    """The same closed form holds for the blend at s = 1, which forgets the model's own prediction: here a wrong one."""
    generator = torch.Generator().manual_seed(41)
    modes, rewards = torch.randn(4, 4, 4, 4, generator=generator) * 4, torch.tensor([0.1, 1.4, -0.8, 0.5])
    model = build_model(family)
    tilted = with_posterior_mean(model, modes, 3.0 * rewards)
    guided = apply(
        with_posterior_mean(model, modes.flip(0) * 0.3, torch.zeros(4)), make_set(modes, rewards), guidance_scale=1.0,
        reward_strength=3.0, reward_scale="raw", end_percent=1.0, guidance_form="blend",
    )  # fmt: skip
    latent = torch.zeros(6, 4, 4, 4)
    settings = {"sampler_name": sampler_name, "steps": 5}
    torch.testing.assert_close(
        sample(guided, latent, **settings), sample(tilted, latent, **settings), atol=2e-3, rtol=1e-3
    )


@pytest.mark.parametrize("sampler_name", SAMPLERS)
@pytest.mark.parametrize("off", [{"guidance_scale": 0.0}, {"reward_strength": 0.0}, {"end_percent": 0.0}], ids=str)
def test_switched_off_guidance_is_the_hosts_result_bit_for_bit(
    build_model, sample, apply, random_set, sampler_name, off
):
    model = build_model("EPS")
    latent = torch.zeros(2, 4, 8, 8)
    patched = apply(model, random_set, **off)
    assert patched is not model
    assert torch.equal(
        sample(patched, latent, sampler_name=sampler_name), sample(model, latent, sampler_name=sampler_name)
    )


@pytest.mark.parametrize("sampler_name", SAMPLERS)
@pytest.mark.parametrize("cfg", [1.0, 4.0])
def test_every_sampler_reaches_the_best_lookahead(build_model, sample, apply, random_set, sampler_name, cfg):
    model = with_posterior_mean(build_model("EPS"), random_set.latents, torch.zeros(random_set.count))
    settings = {"sampler_name": sampler_name, "cfg": cfg, "steps": 6}
    guided = apply(model, random_set, guidance_scale=1.0, reward_strength=1e5, end_percent=0.9)
    nearest = [
        (sample(m, torch.zeros(8, 4, 8, 8), **settings)[:, None] - random_set.latents)
        .flatten(2)
        .norm(dim=2)
        .argmin(dim=1)
        for m in (model, guided)
    ]
    best = random_set.order()[0]
    assert (nearest[1] == best).all()
    assert not (nearest[0] == best).all()


def test_guided_model_can_be_used_again_and_the_original_stays_as_it_was(build_model, sample, apply, random_set):
    model, latent = build_model("EPS"), torch.zeros(1, 4, 8, 8)
    before = sample(model, latent)
    guided = apply(model, random_set, guidance_scale=1.0, reward_strength=1e4)
    first = sample(guided, latent)
    assert torch.equal(sample(model, latent), before)
    assert torch.equal(sample(guided, latent), first)
    assert not torch.equal(first, before)


def test_outside_the_mask_of_an_inpainting_nothing_changes(build_model, sample, apply, make_set):
    generator = torch.Generator().manual_seed(43)
    picture = torch.randn(1, 4, 8, 8, generator=generator) * 4
    mask = torch.zeros(1, 1, 8, 8)
    mask[..., 4:] = 1
    inside = mask.bool().expand_as(picture)
    lookaheads = picture.repeat(3, 1, 1, 1)
    lookaheads[..., 4:] = torch.randn(3, 4, 8, 4, generator=generator) * 4
    guided = apply(
        build_model("EPS"),
        make_set(lookaheads, torch.tensor([0.1, 2.0, -1.0])),
        guidance_scale=1.0,
        reward_strength=1e4,
    )
    latent = {"samples": picture, "noise_mask": mask}
    plain, result = sample(build_model("EPS"), latent, steps=4), sample(guided, latent, steps=4)
    torch.testing.assert_close(result[~inside], picture[~inside], atol=1e-4, rtol=1e-4)
    assert (result - plain)[inside].abs().max() > 0.5


def test_two_sets_can_guide_one_model(build_model, sample, apply, random_set, make_set):
    model, latent = build_model("EPS"), torch.zeros(1, 4, 8, 8)
    other = make_set(random_set.latents.flip(0) * 0.5, torch.tensor([1.0, 0.0, -2.0, 0.3, 0.4]))
    once = apply(model, random_set, guidance_scale=1.0, reward_strength=1e4)
    twice = apply(once, other, guidance_scale=1.0, reward_strength=1e4)
    assert len(twice.model_options["sampler_post_cfg_function"]) == 2
    assert not torch.equal(sample(twice, latent), sample(once, latent))


def test_standardised_rewards_make_scale_and_offset_of_the_reward_irrelevant(
    build_model, sample, apply, random_set, make_set
):
    model, latent = build_model("EPS"), torch.zeros(1, 4, 8, 8)
    shrunk = make_set(random_set.latents, random_set.rewards * 0.02 + 21)
    settings = {"guidance_scale": 1.0, "reward_strength": 40.0}
    expected = sample(apply(model, random_set, **settings), latent)
    torch.testing.assert_close(sample(apply(model, shrunk, **settings), latent), expected, atol=1e-2, rtol=1e-2)
    raw = sample(apply(model, shrunk, reward_scale="raw", **settings), latent)
    assert (raw - expected).abs().max() > 0.1


@pytest.mark.parametrize(
    ("rows", "rewards", "message"),
    [([2], [0.7], "one lookahead cannot steer"), ([0, 1, 2], [0.4] * 3, "all 3 lookaheads have the same reward 0.4")],
)
def test_set_that_cannot_steer_is_announced_and_leaves_the_model_alone(
    build_model, apply, random_set, make_set, caplog, rows, rewards, message
):
    patched = apply(build_model("EPS"), make_set(random_set.latents[rows], torch.tensor(rewards)))
    assert message in caplog.text
    assert "sampler_post_cfg_function" not in patched.model_options


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"start_percent": 0.9, "end_percent": 0.5}, "start_percent 0.9 is above end_percent 0.5"),
        ({"reward_scale": "ranked"}, "reward_scale is 'ranked', wanted one of its list: choose standardised, raw"),
        ({"guidance_form": "average"}, r"guidance_form is 'average', .* choose difference, blend"),
        ({"effective_dimension": -1.0}, r"effective_dimension is -1\.0, wanted a number from 0 to 1000000000: set one"),
        ({"guidance_scale": float("nan")}, "guidance_scale is nan, wanted a finite number from 0 to 100: set one"),
    ],
)
def test_settings_that_make_no_sense_are_an_error(build_model, apply, random_set, settings, message):
    with pytest.raises(ValueError, match=message):
        apply(build_model("EPS"), random_set, **settings)


def test_lookaheads_of_another_size_stop_the_sampler_with_one_line(build_model, sample, apply, random_set):
    guided = apply(build_model("EPS"), random_set)
    with pytest.raises(ValueError, match="4 x 8 x 8 latents but the latent being sampled is 4 x 16 x 8") as error:
        sample(guided, torch.zeros(1, 4, 16, 8))
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("sampling", ["img_to_img", "img_to_img_flow"])
def test_model_that_adds_no_noise_is_refused(build_model, apply, random_set, sampling):
    from comfy_extras.nodes_model_advanced import ModelSamplingDiscrete

    model = ModelSamplingDiscrete().patch(build_model("EPS"), sampling, False)[0]
    with pytest.raises(
        ValueError, match="^LiDAR Apply Guidance: this model cannot be steered: its sampling .*IMG_TO_IMG"
    ):
        apply(model, random_set)


@pytest.mark.parametrize("flaw", [torch.nan, torch.inf, -torch.inf])
@pytest.mark.parametrize("window", [1.0, 0.1])
def test_a_prediction_that_is_no_number_ends_in_one_line_and_no_picture(
    build_model, sample, apply, random_set, flaw, window
):
    """In the second of three steps; also where that step is not guided any more."""
    model = build_model("EPS").clone()
    calls = []

    def spoil(args):
        calls.append(1)
        denoised = args["denoised"].clone()
        denoised[0, 1, 2, 3] = flaw if len(calls) == 2 else 0.5
        return denoised

    model.set_model_sampler_post_cfg_function(spoil)
    guided = apply(model, random_set, end_percent=window)
    with pytest.raises(
        ValueError, match="the model's prediction is NaN or infinite at sigma [0-9.]+, .* change the"
    ) as error:
        sample(guided, torch.zeros(1, 4, 8, 8))
    assert len(calls) == 2 and "\n" not in str(error.value)


def test_a_shift_beyond_half_precision_ends_in_one_line(build_model, nodes_room, random_set):
    guidance = nodes_room("host.post_cfg").Guidance(
        random_set.latents * 1e6, random_set.rewards, guidance_scale=100.0, reward_strength=30.0, start_percent=0.0,
        end_percent=1.0, guidance_form="blend", effective_dimension=0.0,
    )  # fmt: skip
    half = torch.zeros(1, 4, 8, 8, dtype=torch.float16)
    args = {"input": half, "denoised": half, "sigma": torch.tensor([9.0]), "model": build_model("EPS").model}
    with pytest.raises(
        ValueError, match="the guided prediction is NaN or infinite at sigma 9, .* guidance_scale: lower it"
    ):
        guidance.add_shift(args)
