"""How many steps a run guides, and what it says of it: counted here by what guidance really changed."""

import re

import pytest
import torch

FAMILIES = ["EPS", "CONST"]
SCHEDULERS = ["normal", "karras", "simple", "sgm_uniform"]
DENOISE = [1.0, 0.9, 0.7, 0.5, 0.3]
STEPS = 20
LATENTS = torch.randn(5, 4, 8, 8, generator=torch.Generator().manual_seed(31)) * 6
REWARDS = torch.tensor([0.2, -0.7, 1.9, 0.4, -0.1])


@pytest.fixture(scope="module")
def models(build_model):
    return {family: build_model(family) for family in FAMILIES}


@pytest.fixture
def run(comfy, models, nodes_room, conditioning):
    """run(family, scheduler, denoise, **settings) -> (levels that were changed, levels of all steps, what was told)."""
    import nodes

    def sample(family, scheduler="normal", denoise=1.0, sampler_name="euler", steps=STEPS, cfg=2.0, **settings):
        settings = {
            "guidance_scale": 0.5, "reward_strength": 30.0, "start_percent": 0.0, "end_percent": 0.3,
            "guidance_form": "blend", "effective_dimension": 0.0, "percent_of": "this run",
        } | settings  # fmt: skip
        told, before, changed, levels = [], [], [], []
        model = models[family].clone()
        model.set_model_sampler_post_cfg_function(lambda args: before.append(args["denoised"]) or args["denoised"])
        nodes_room("host.post_cfg").Guidance(LATENTS, REWARDS, tell=told.append, **settings).attach(model)

        def compare(args):
            level = args["sigma"].max().item()
            levels.append(level)
            if not torch.equal(args["denoised"], before[-1]):
                changed.append(level)
            return args["denoised"]

        model.set_model_sampler_post_cfg_function(compare)
        latent = {"samples": torch.zeros(1, 4, 8, 8)}
        nodes.common_ksampler(model, 3, steps, cfg, sampler_name, scheduler, *conditioning, latent, denoise=denoise)
        return changed, levels, told

    return sample


def told_steps(told) -> int:
    (text,) = told
    return int(re.match(rf"guided (\d+) of {STEPS} steps\n", text)[1])


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("scheduler", SCHEDULERS)
@pytest.mark.parametrize("denoise", DENOISE)
def test_the_share_of_this_runs_steps_does_not_depend_on_scheduler_or_denoise(run, family, scheduler, denoise):
    changed, levels, told = run(family, scheduler, denoise)
    assert len(levels) == STEPS
    assert changed == levels[:6] and told_steps(told) == 6
    assert "best lookahead no. 3 of 5" in told[0]
    assert f"sigma {levels[0]:.3g} to {levels[5]:.3g}" in told[0]


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize(
    ("start", "end", "steps"),
    [
        (0.0, 0.8, range(16)),
        (0.0, 0.05, range(1)),
        (0.5, 1.0, range(10, 20)),
        (0.0, 0.001, range(1)),
        (0.33, 0.9, range(6, 18)),
    ],
)
def test_every_window_is_counted_in_steps(run, family, start, end, steps):
    changed, levels, told = run(family, start_percent=start, end_percent=end)
    assert changed == [levels[step] for step in steps] and told_steps(told) == len(steps)


@pytest.mark.parametrize("sampler_name", ["heun", "dpm_2", "dpmpp_2s_ancestral", "dpmpp_sde", "uni_pc", "lcm"])
@pytest.mark.filterwarnings("ignore:Should have t[ab]")
def test_samplers_that_evaluate_more_than_once_a_step_count_steps(run, sampler_name):
    changed, levels, told = run("EPS", "karras", sampler_name=sampler_name)
    assert told_steps(told) == 6
    assert len(changed) < len(levels)


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("scheduler", SCHEDULERS)
@pytest.mark.parametrize("denoise", DENOISE)
def test_of_the_whole_process_nothing_is_guided_without_a_word(run, models, family, scheduler, denoise, caplog):
    changed, levels, told = run(family, scheduler, denoise, percent_of="whole process")
    sampling = models[family].get_model_object("model_sampling")
    edge = float(sampling.percent_to_sigma(0.3))
    assert changed == [level for level in levels if level > edge]
    if changed:
        assert told_steps(told) == len(changed)
    else:
        assert told == [
            f"no step of {STEPS} was guided: end_percent 0.3 is past where this run begins (low denoise); raise it"
        ]
        assert told[0] in caplog.text


def test_noise_that_a_sampler_adds_before_the_first_step_does_not_take_it_out_of_the_window(
    comfy, models, nodes_room, conditioning
):
    import comfy.samplers

    told, levels, model = [], [], models["EPS"].clone()
    nodes_room("host.post_cfg").Guidance(
        LATENTS, REWARDS, guidance_scale=0.5, reward_strength=30.0, start_percent=0.0, end_percent=0.5,
        guidance_form="blend", effective_dimension=0.0, percent_of="this run", tell=told.append,
    ).attach(model)  # fmt: skip
    model.set_model_sampler_post_cfg_function(lambda args: levels.append(args["sigma"].item()) or args["denoised"])
    guider = comfy.samplers.CFGGuider(model)
    guider.set_conds(*conditioning)
    guider.set_cfg(2.0)
    sigmas = comfy.samplers.calculate_sigmas(model.get_model_object("model_sampling"), "normal", 4)
    noise = torch.randn(1, 4, 8, 8, generator=torch.Generator().manual_seed(2))
    guider.sample(noise, torch.zeros(1, 4, 8, 8), comfy.samplers.ksampler("euler", {"s_churn": 1.0}), sigmas, seed=2)
    assert levels[0] > 1.1 * sigmas[0]
    assert told[0].startswith(f"guided 2 of 4 steps\nsigma {levels[0]:.3g} to ")


def test_a_run_without_steps_is_told_as_one(models, nodes_room):
    told, model = [], models["EPS"]
    guidance = nodes_room("host.post_cfg").Guidance(
        LATENTS, REWARDS, guidance_scale=0.5, reward_strength=30.0, start_percent=0.0, end_percent=0.5,
        guidance_form="blend", effective_dimension=0.0, percent_of="this run", tell=told.append,
    )  # fmt: skip
    guider = type("Guider", (), {"inner_model": model.model})
    guidance.guide_run(
        lambda *args: args, guider, torch.tensor([1.0]), {"model_options": {}}, None, torch.zeros(1, 4, 8, 8)
    )
    assert told == ["nothing was sampled: this run has no steps"]


def test_what_cannot_steer_is_told_after_the_run_too(
    models, node_classes, lidar_core, nodes_room, conditioning, monkeypatch
):
    import nodes

    told = []
    monkeypatch.setattr(nodes_room("apply_guidance"), "writer_on_node", lambda hidden: told.append)
    one = lidar_core.LookaheadSet(LATENTS[:1], REWARDS[:1])
    model = node_classes["LiDARApplyGuidance"].execute(models["EPS"], one).result[0]
    assert len(told) == 1
    latent = {"samples": torch.zeros(1, 4, 8, 8)}
    nodes.common_ksampler(model, 3, 2, 2.0, "euler", "normal", *conditioning, latent)
    assert len(told) == 2 and told[0] == told[1] and told[0].startswith("one lookahead cannot steer")
