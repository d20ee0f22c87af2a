"""lidar_core in a diffusers pipeline (with_diffusers/): each scheduler's own prediction moves as asked, and a guided SDXL run passes
through the same latents as the host's, step by step, with the same weights."""

import functools
import math

import pytest
import torch
from diffusers import (
    DDIMScheduler,
    DPMSolverMultistepScheduler,
    EulerAncestralDiscreteScheduler,
    EulerDiscreteScheduler,
    FlowMatchEulerDiscreteScheduler,
    HeunDiscreteScheduler,
)

from with_diffusers.diffusers_sdxl import SDXL_NOISE, steer, tiny_pipeline
from with_diffusers.guided_scheduler import guided_scheduler

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # diffusers under numpy 2

KINDS = {
    "euler": EulerDiscreteScheduler,
    "euler ancestral": EulerAncestralDiscreteScheduler,
    "ddim": functools.partial(DDIMScheduler, clip_sample=False, set_alpha_to_one=False),
    "dpm++ 2m": DPMSolverMultistepScheduler,
}
WIDTH = {"prompt_embeds": (1, 7, 64), "pooled_prompt_embeds": (1, 1280)}


def numbers(seed, *shape):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize(
    ("kind", "prediction"),
    [
        (kind, each)
        for kind in KINDS
        for each in ("epsilon", "v_prediction", "sample")
        if (kind, each) != ("euler ancestral", "sample")
    ],
)
def test_the_schedulers_own_clean_prediction_moves_by_the_shift(kind, prediction):
    """Truth: what the scheduler itself reads from an output, pred_original_sample or convert_model_output."""
    plain = KINDS[kind](**SDXL_NOISE, prediction_type=prediction)
    asked, shift = [], numbers(5, 2, 4, 3, 5)

    def record(x, denoised, *, alpha, sigma):
        asked.append((denoised, alpha, sigma))
        return shift

    guided = guided_scheduler(plain, record)
    output, sample = numbers(6, 2, 4, 3, 5), 3 * numbers(7, 2, 4, 3, 5)
    read = []
    for scheduler in (plain, guided):
        scheduler.set_timesteps(9)
        more = {"generator": torch.Generator().manual_seed(1)} if "ancestral" in kind else {}
        result = scheduler.step(output, scheduler.timesteps[0], sample, **more)
        kept = getattr(scheduler, "model_outputs", None)
        read.append(kept[-1] if kept else result.pred_original_sample)
    (denoised, alpha, sigma) = asked[0]
    assert alpha.shape == sigma.shape == (2,)
    assert (denoised - read[0]).abs().max() < 2e-5 * read[0].abs().max()
    assert (read[1] - read[0] - shift).abs().max() < 2e-5 * read[0].abs().max()


@pytest.mark.parametrize("kind", KINDS)
def test_the_noise_levels_are_those_by_which_the_scheduler_adds_noise(kind):
    plain = KINDS[kind](**SDXL_NOISE)
    asked = []
    guided = guided_scheduler(plain, lambda x, denoised, **levels: asked.append(levels) or torch.zeros_like(x))
    guided.set_timesteps(9)
    sample = numbers(7, 1, 4, 3, 5)
    for timestep in guided.timesteps[:3]:
        guided.step(numbers(6, 1, 4, 3, 5), timestep, sample)
    for timestep, levels in zip(guided.timesteps, asked, strict=False):
        clean = torch.ones(1, 1, 1, 1)
        zero, one = (guided.add_noise(clean * a, clean * b, timestep[None]).item() for a, b in ((0, 1), (1, 0)))
        assert (levels["sigma"].item(), levels["alpha"].item()) == pytest.approx((zero, one), rel=1e-5)


def test_a_flow_step_starts_from_the_moved_prediction():
    """x' = x + (sigma' - sigma) v with v = (x - denoised) / sigma."""
    plain, shift = FlowMatchEulerDiscreteScheduler(shift=3.0), numbers(5, 2, 4, 3, 5)
    guided = guided_scheduler(plain, lambda x, denoised, **_: shift)
    guided.set_timesteps(5)
    output, x = numbers(6, 2, 4, 3, 5), numbers(7, 2, 4, 3, 5)
    for step in range(2):
        sigma, after = guided.sigmas[step : step + 2].double()
        denoised = x.double() - sigma * output.double() + shift.double()
        wanted = x.double() + (after - sigma) * (x.double() - denoised) / sigma
        x = guided.step(output, guided.timesteps[step], x).prev_sample
        assert (x - wanted).abs().max() < 1e-5


def test_what_is_not_known_is_refused():
    with pytest.raises(TypeError, match="HeunDiscreteScheduler, wanted one of EulerDiscrete"):
        guided_scheduler(HeunDiscreteScheduler(), None)
    scheduler = DPMSolverMultistepScheduler()
    scheduler.register_to_config(prediction_type="odd")
    with pytest.raises(ValueError, match="'odd', wanted epsilon"):
        guided_scheduler(scheduler, None)


@pytest.fixture(scope="module")
def pipeline():
    made = tiny_pipeline()
    made.set_progress_bar_config(disable=True)
    return made


@pytest.fixture(scope="module")
def hosts_model(pipeline, build_model, comfy):
    """The pipeline's weights in the host's SDXL."""
    import comfy.utils

    patcher = build_model("EPS")
    unet = patcher.model.diffusion_model
    names = comfy.utils.unet_to_diffusers(dict(patcher.model.model_config.unet_config))
    weights = {names[name]: value for name, value in pipeline.unet.state_dict().items()}
    unet.load_state_dict(weights, strict=True)
    return patcher


@pytest.mark.parametrize("form", ["plain", "guided"])
@pytest.mark.parametrize("cfg", [1.0, 4.0])
def test_a_run_passes_through_the_hosts_latents(
    form, cfg, pipeline, hosts_model, node_classes, lidar_core, record_figure
):
    import comfy.sample
    import comfy.samplers

    asked = {name: numbers(number, *shape) for number, (name, shape) in enumerate(WIDTH.items(), start=20)}
    against = {name: numbers(number, *shape) for number, (name, shape) in enumerate(WIDTH.items(), start=30)}
    noise, latents, rewards = (
        numbers(3, 2, 4, 8, 6),
        20 * numbers(4, 5, 4, 8, 6),
        torch.tensor([0.2, -0.7, 1.9, 0.4, -0.1]),
    )
    scale, strength, down_to = 0.6, 2.5, 1.5
    lookaheads = lidar_core.LookaheadSet(latents, rewards, "test")

    pipeline.scheduler = EulerDiscreteScheduler(**SDXL_NOISE)
    timesteps = [999, 761, 522, 303, 141, 40]
    model = hosts_model
    if form == "guided":
        vae_scale = pipeline.vae.config.scaling_factor
        inside = lidar_core.LookaheadSet(latents * vae_scale, rewards, "test")
        steered = steer(inside, guidance_scale=scale, reward_strength=strength, down_to=down_to)
        pipeline.scheduler = guided_scheduler(
            pipeline.scheduler, lambda *given, **levels: shifts.append(steered(*given, **levels)) or shifts[-1]
        )
        sampling = hosts_model.get_model_object("model_sampling")
        # The host's percent counts timesteps from the end.
        end = 1 - float(sampling.timestep(torch.tensor(down_to))) / 999
        model = node_classes["LiDARApplyGuidance"].execute(
            hosts_model, lookaheads, guidance_form="blend", guidance_scale=scale, reward_strength=strength,
            start_percent=0.0, end_percent=end, effective_dimension=0.0, percent_of="whole process",
        ).result[0]  # fmt: skip

    passed, shifts = [], []
    pipeline(
        **{name: value.expand(2, *value.shape[1:]) for name, value in asked.items()},
        **{f"negative_{name}": value.expand(2, *value.shape[1:]) for name, value in against.items()},
        guidance_scale=cfg, latents=noise, height=64, width=48, timesteps=timesteps, output_type="latent",
        callback_on_step_end=lambda pipe, step, timestep, given: passed.append(given["latents"]) or given,
    )  # fmt: skip

    sigmas = torch.cat([hosts_model.get_model_object("model_sampling").sigmas[timesteps], torch.zeros(1)])
    hosts = []
    positive, negative = (
        [[words["prompt_embeds"], {"pooled_output": words["pooled_prompt_embeds"]}]] for words in (asked, against)
    )
    last = comfy.sample.sample_custom(
        model, noise, cfg, comfy.samplers.sampler_object("euler"), sigmas, positive, negative, torch.zeros(2, 4, 8, 6),
        callback=lambda step, denoised, x, steps: hosts.append(x.clone()), disable_pbar=True, seed=1,
    )  # fmt: skip
    hosts = [*hosts[1:], last * pipeline.vae.config.scaling_factor]
    errors = [(float((a - b).abs().max() / b.abs().max())) for a, b in zip(passed, hosts, strict=True)]
    record_figure(
        f"diffusers and the host, {form}, cfg {cfg:g}: largest relative difference of a step (1e-4)", max(errors)
    )
    assert max(errors) < 1e-4 and not math.isnan(sum(errors))
    assert [bool(shift.any()) for shift in shifts] == ([True] * 3 + [False] * 3 if shifts else [])
