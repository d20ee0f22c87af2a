"""The lookaheads are prepared once in a sampling run, and the run leaves nothing of them behind."""

import gc
import weakref

import pytest
import torch

DIFFERENCE = "difference"


@pytest.fixture(scope="module")
def latents():
    return torch.randn(5, 4, 8, 8, generator=torch.Generator().manual_seed(51)) * 6 + 0.7


@pytest.fixture(scope="module")
def guide(lidar_core, node_classes, latents):
    """guide(model, **changes) -> a copy that LiDAR Apply Guidance steers with uneven rewards."""

    def apply(model, *, scale=1.0, **settings):
        lookaheads = lidar_core.LookaheadSet(latents * scale, torch.tensor([0.2, -0.7, 1.9, 0.4, -0.1]), "test")
        settings = {"guidance_form": DIFFERENCE, "guidance_scale": 1.0, "reward_strength": 40.0} | settings
        return node_classes["LiDARApplyGuidance"].execute(model, lookaheads, **settings).result[0]

    return apply


@pytest.fixture(scope="module")
def sample(comfy, conditioning):
    import nodes

    def run(model, *, size=8, sampler_name="heun", denoise=1.0):
        # The host leaves an empty latent alone, so that process_latent_in is called by LiDAR only.
        latent = {"samples": torch.zeros(2, 4, size, 8)}
        result = nodes.common_ksampler(model, 3, 4, 4.0, sampler_name, "karras", *conditioning, latent, denoise=denoise)
        return result[0]["samples"]

    return run


@pytest.fixture
def prepared(nodes_room, monkeypatch):
    """Weak references to all Particles that post_cfg.py made during the test."""
    post_cfg, made = nodes_room("host.post_cfg"), []

    def particles(z):
        value = original(z)
        made.append(weakref.ref(value))
        return value

    original = post_cfg.Particles
    monkeypatch.setattr(post_cfg, "Particles", particles)
    return made


def prepared_at_every_evaluation(guided):
    """A copy of guided as a sampler outside the host would call it: with the post-CFG functions alone."""
    from comfy.patcher_extension import WrappersMP

    copy = guided.clone()
    copy.remove_wrappers_with_key(WrappersMP.SAMPLER_SAMPLE, "lidar")
    return copy


def counted(model, monkeypatch):
    """The shapes that came to process_latent_in of the model, and the noise levels it was evaluated at."""
    converted, levels = [], []
    original = model.model.process_latent_in

    def process_latent_in(latent):
        converted.append(tuple(latent.shape))
        return original(latent)

    def note(args):
        levels.append(args["sigma"].max().item())
        return args["denoised"]

    monkeypatch.setattr(model.model, "process_latent_in", process_latent_in)
    model.set_model_sampler_post_cfg_function(note)
    return converted, levels


def test_a_run_of_a_second_order_sampler_prepares_once(build_model, guide, sample, prepared, monkeypatch):
    model = build_model("EPS")
    converted, levels = counted(model, monkeypatch)
    guided = guide(model)
    for run in (1, 2):
        sample(guided)
        assert len(levels) == run * 7, "heun evaluates twice a step, once in the last"
        assert converted == [(5, 4, 8, 8)] * run
        assert len(prepared) == run


@pytest.mark.parametrize("family", ["EPS", "EDM", "CONST"])
@pytest.mark.parametrize("sampler_name", ["heun", "dpmpp_sde", "uni_pc", "euler_cfg_pp"])
@pytest.mark.filterwarnings("ignore:Should have t[ab]")
def test_a_run_gives_what_preparing_at_every_evaluation_gives(
    build_model, guide, sample, prepared, family, sampler_name
):
    guided = guide(build_model(family), end_percent=1.0)
    once = sample(guided, sampler_name=sampler_name)
    assert len(prepared) == 1
    assert torch.equal(sample(prepared_at_every_evaluation(guided), sampler_name=sampler_name), once)
    assert len(prepared) >= 1 + 4, "the wrapper must be what prepares once"
    assert not torch.equal(sample(build_model(family), sampler_name=sampler_name), once)


def test_two_guidances_on_one_model_keep_their_own_particles(build_model, guide, sample, prepared):
    model = build_model("EPS")
    first, second = {}, {"scale": 0.5, "guidance_scale": 0.5, "guidance_form": "blend", "effective_dimension": 12.0}
    both = guide(guide(model, **first), **second)
    result = sample(both)
    assert len(prepared) == 2
    assert torch.equal(sample(prepared_at_every_evaluation(both)), result)
    for alone in (first, second):
        assert not torch.equal(sample(guide(model, **alone)), result)


def test_nothing_of_a_run_stays_in_the_model(build_model, guide, sample, prepared):
    from comfy.patcher_extension import copy_nested_dicts

    model = build_model("EPS")
    plain_options, plain_attributes = copy_nested_dicts(model.model_options), set(vars(model.model))
    guided = guide(model)
    options, wrappers = copy_nested_dicts(guided.model_options), copy_nested_dicts(guided.wrappers)
    sample(guided)
    gc.collect()
    assert [reference() for reference in prepared] == [None]
    assert guided.model_options == options and guided.wrappers == wrappers
    assert model.model_options == plain_options and not model.wrappers
    assert set(vars(model.model)) == plain_attributes


def test_other_post_cfg_functions_act_in_the_order_of_attachment(comfy, build_model, guide):
    import comfy.samplers

    def doubled(args):
        return 2 * args["denoised"]

    model = build_model("EPS")
    before, after = model.clone(), guide(model)
    before.set_model_sampler_post_cfg_function(doubled)
    before = guide(before)
    after.set_model_sampler_post_cfg_function(doubled)
    x, sigma = torch.full((1, 4, 8, 8), 0.3), torch.full((1,), 5.0)
    prediction = torch.linspace(-1, 1, 256).view(x.shape)

    def guided_prediction(patched):
        options = patched.model_options
        return comfy.samplers.cfg_function(model.model, prediction, prediction, 3.0, x, sigma, model_options=options)

    shift = guided_prediction(guide(model)) - prediction
    assert shift.abs().max() > 0.05
    torch.testing.assert_close(guided_prediction(before), 2 * prediction + shift, rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(guided_prediction(after), 2 * (prediction + shift), rtol=1e-5, atol=1e-5)


def test_a_run_of_another_size_is_refused_also_where_nothing_would_be_guided(build_model, guide, sample, prepared):
    guided = guide(build_model("EPS"), end_percent=0.5)
    with pytest.raises(ValueError, match="4 x 8 x 8 latents but the latent being sampled is 4 x 16 x 8; give LiDAR"):
        sample(guided, size=16, denoise=0.2)
    assert not prepared


def test_the_wrapper_passes_all_arguments_on_and_changes_none(build_model, nodes_room, latents):
    guidance = nodes_room("host.post_cfg").Guidance(
        latents, torch.arange(5.0), guidance_scale=1.0, reward_strength=1.0, start_percent=0.0, end_percent=1.0,
        guidance_form="difference", effective_dimension=0.0,
    )  # fmt: skip
    guider = type("Guider", (), {"inner_model": build_model("EPS").model})
    extra_args = {"model_options": {"transformer_options": {}}, "seed": 5}
    arguments = (guider, torch.ones(3), extra_args, None, torch.zeros(1, 4, 8, 8), "latent image", "mask", True)
    given, named = guidance.guide_run(lambda *args, **kwargs: (args, kwargs), *arguments, of_later_hosts=7)
    assert named == {"of_later_hosts": 7}
    assert given[:2] + given[3:] == arguments[:2] + arguments[3:]
    assert given[2]["seed"] == 5 and given[2]["model_options"].keys() > {"transformer_options"}
    assert extra_args == {"model_options": {"transformer_options": {}}, "seed": 5}
