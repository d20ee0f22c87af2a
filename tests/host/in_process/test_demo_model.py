"""The shipped demo model as host objects: loaded weights, text encoder against transformers, VAE round trip, reward."""

import numpy as np
import pytest
import torch

pytestmark = pytest.mark.host


@pytest.fixture(scope="module")
def demo(node_classes):
    names = ("model", "clip", "vae", "reward_model", "lookahead_model")
    return dict(zip(names, node_classes["LiDARLoadDemoModel"].execute().result, strict=True))


@pytest.fixture(scope="module")
def demo_rooms(pack, comfy):
    from demo_model import grammar, scenes

    return grammar, scenes


def _renders(demo_rooms, count, seed):
    grammar, scenes = demo_rooms
    rng = np.random.default_rng(seed)
    prompts = [list(grammar.PROMPTS.values())[i] for i in rng.integers(len(grammar.PROMPTS), size=count)]
    images = [scenes.render(scenes.draw_scene(p, rng)) for p in prompts]
    return prompts, torch.from_numpy(np.stack(images))


def test_it_is_an_sdxl_model_with_eps_prediction(demo, comfy):
    import comfy.model_base
    import comfy.model_sampling

    model = demo["model"].model
    assert isinstance(model, comfy.model_base.SDXL)
    assert isinstance(model.model_sampling, comfy.model_sampling.EPS)
    assert float(model.model_sampling.sigma_max) == pytest.approx(14.61, abs=0.01)


def test_the_text_encoder_equals_that_of_transformers(demo):
    from transformers import CLIPTextConfig, CLIPTextModelWithProjection

    from demo_model.host_objects import TEXT_CONFIG

    text = "a red circle left of a blue square"
    tokens = demo["clip"].tokenize(text)
    cond, pooled = demo["clip"].encode_from_tokens(tokens, return_pooled=True)
    host_weights = demo["clip"].cond_stage_model.clip_l.transformer.state_dict()
    theirs = CLIPTextModelWithProjection(
        CLIPTextConfig(**TEXT_CONFIG, vocab_size=49408, projection_dim=TEXT_CONFIG["hidden_size"])
    ).eval()
    theirs.load_state_dict(host_weights, strict=False)
    with torch.inference_mode():
        wanted = theirs(torch.tensor([[t[0] for t in tokens["l"][0]]]))
    assert torch.allclose(cond, wanted.last_hidden_state, atol=2e-5)
    assert torch.allclose(pooled, wanted.text_embeds, atol=2e-5)


def test_the_vae_keeps_pictures_and_gives_latents_of_sdxl_scale(demo, demo_rooms, record_figure):
    images = _renders(demo_rooms, 64, seed=0)[1]
    latents = demo["vae"].encode(images)
    decoded = demo["vae"].decode(latents)
    decibels = float(-10 * (decoded - images).square().mean().log10())
    record_figure("demo VAE round trip, dB", decibels)
    assert latents.shape == (64, 4, 8, 8)
    assert 0.8 < float(demo["model"].model.process_latent_in(latents).std()) < 1.2
    assert decibels > 30


def test_the_reward_ranks_the_right_prompt_first(demo, demo_rooms, nodes_room, record_figure):
    score_images = nodes_room("host.scoring").score_images
    prompts, images = _renders(demo_rooms, 60, seed=1)
    right = 0
    for i, prompt in enumerate(prompts):
        other = prompts[(i + 1) % len(prompts)]
        own, wrong = (
            float(score_images([demo["reward_model"]], images[i : i + 1], p.text, 1)[0].rewards)
            for p in (prompt, other)
        )
        right += own > wrong
    record_figure("demo reward ranks the own prompt above another's, of 60", right)
    assert right >= 55


def test_sampling_shows_what_is_asked(demo, demo_rooms, comfy):
    """Not quality, which is measured by dev.py bench, but that weights, text and latents fit together."""
    import nodes
    from demo_model.referee import find_objects

    encode = lambda text: demo["clip"].encode_from_tokens_scheduled(demo["clip"].tokenize(text))  # noqa: E731
    latent = {"samples": torch.zeros(8, 4, 8, 8)}
    with torch.inference_mode():
        (out,) = nodes.common_ksampler(
            demo["model"], 3, 12, 3.0, "dpmpp_2m", "karras", encode("a blue circle"), encode(""), latent
        )
    pictures = demo["vae"].decode(out["samples"])
    blue = sum(any(o.colour == "blue" for o in find_objects(p.numpy())) for p in pictures)
    assert blue >= 6


@pytest.mark.parametrize("steps", [1, 2, 4])
def test_the_student_draws_in_few_steps_what_the_model_draws_from_the_same_noise(
    demo, node_classes, record_figure, steps
):
    """Its distance to the model's own latents, in units of their spread, against that of the next row: another noise."""
    from comfy.model_sampling import X0

    import nodes

    positive, negative = (
        demo["clip"].encode_from_tokens_scheduled(demo["clip"].tokenize(text)) for text in ("two green squares", "")
    )
    latent = {"samples": torch.zeros(8, 4, 8, 8)}
    assert isinstance(demo["lookahead_model"].model.model_sampling, X0)
    settings = {"seed": 6, "count": 8, "steps": steps, "cfg": 1.0, "sampler_name": "euler", "scheduler": "sgm_uniform"}
    with torch.inference_mode():
        draw = node_classes["LiDARSampleLookaheads"]
        drawn = draw.execute(demo["lookahead_model"], positive, negative, latent, **settings).result[0]["samples"]
        (own,) = nodes.common_ksampler(demo["model"], 6, 8, 3.0, "dpmpp_2m", "karras", positive, negative, latent)
    own = own["samples"]
    same, other = ((drawn - each).square().mean() / own.var(dim=0).mean() for each in (own, own.roll(1, dims=0)))
    record_figure(
        f"demo student, {steps} steps: squared distance to the model's latent, another's", (float(same), float(other))
    )
    assert same < other / 2


def test_missing_weights_are_told_with_the_way_to_make_them(pack, comfy, tmp_path):
    from demo_model import host_objects

    with pytest.raises(FileNotFoundError, match="dev.py train-demo"):
        host_objects.load_clip(tmp_path)
