"""The benchmark's rival methods on the demo model: neutral at strength zero, right gradients and laws, every cost counted."""

import time

import pytest
import torch

pytestmark = pytest.mark.host
STEPS = 6


@pytest.fixture(scope="module")
def world(bench):
    with torch.inference_mode():  # as in the host: its weights must be fit for gradients all the same
        return bench("world").World()


@pytest.fixture
def task(world, bench):
    from demo_model.grammar import PROMPTS

    world.cost = bench("world").Cost()
    return world.task(PROMPTS["a red circle left of a blue square"], seed=5)


def _vanilla(world, task, count, **options):
    return world.sample(task, task.noise(count), world.sigmas(STEPS), phase="vanilla", **options)


def _rewards(world, task, latents):
    return world.score(world.decode(latents, phase="look"), task, phase="look")


def test_the_differentiable_way_gives_the_values_of_the_hosts(world, task, bench):
    way = bench("rivals.reward_gradient")
    latents = 12 * task.noise(3)
    images = world.decode(latents, phase="look")
    assert torch.allclose(way.decode(world, latents), images, atol=1e-5)
    assert torch.allclose(way.score(world, images, task), world.score(images, task, phase="look"), atol=1e-5)


@pytest.mark.parametrize(("method", "zero"), [("universal_guidance", "weight"), ("text_ascent", "rate")])
def test_without_strength_a_gradient_method_is_the_plain_sampler(world, task, bench, method, zero):
    drawn = bench(f"rivals.{method}").draw(world, task, count=2, steps=STEPS, every=4, **{zero: 0.0})
    assert torch.allclose(drawn, _vanilla(world, task, 2), atol=2e-3)


def test_the_guidance_is_the_gradient_of_the_reward_by_finite_differences(world, task, bench, record_figure):
    draw, weight, size = bench("rivals.universal_guidance").draw, 0.1, 0.001
    # One step ends in the denoised prediction itself
    plain, guided = (draw(world, task, count=2, steps=1, weight=w) for w in (0.0, weight))
    sigmas, inner = world.sigmas(1), world.model.model
    gradient = (inner.process_latent_in(guided) - inner.process_latent_in(plain)) / (weight * sigmas[0] ** 2)
    noise, direction = task.noise(2), task.noise(2, stream=1)
    scale = inner.model_sampling.noise_scaling(sigmas[0], torch.ones(()), torch.zeros(()), True)

    def reward(moved):
        return _rewards(world, task, world.sample(task, moved, sigmas, phase="look"))

    difference = (reward(noise + size * direction) - reward(noise - size * direction)) / (2 * size)
    by_gradient = scale * (gradient * direction).sum(dim=(1, 2, 3))
    error = float((by_gradient - difference).abs().max() / difference.abs().max())
    record_figure("universal guidance: relative error against finite differences", error)
    assert error < 0.03


def test_a_small_text_update_raises_the_reward_of_the_prediction(world, task, bench):
    draw = bench("rivals.text_ascent").draw
    rewards = [_rewards(world, task, draw(world, task, count=3, steps=1, rate=rate)) for rate in (0.0, 0.01, 0.02)]
    first, second = rewards[1] - rewards[0], rewards[2] - rewards[1]
    assert (first > 0).all()
    assert torch.allclose(second, first, rtol=0.2)


def test_particles_of_no_reward_strength_are_the_hosts_ancestral_sampler(world, task, bench, comfy):
    rival = bench("rivals.feynman_kac")
    drawn = rival.draw(world, task, count=4, steps=STEPS, particles=2, reward_strength=0.0, interval=2)
    sampler = comfy.samplers.sampler_object("euler_ancestral")
    plain = _vanilla(world, task, 4, sampler=sampler, seed=task.seed + rival.SEED_OFFSET)
    assert torch.allclose(drawn, plain, atol=2e-3)


def test_a_large_reward_strength_raises_the_reward(world, task, bench):
    draw, settings = bench("rivals.feynman_kac").draw, {"count": 8, "steps": STEPS, "interval": 2}
    means = [
        float(_rewards(world, task, draw(world, task, reward_strength=strength, **settings)).mean())
        for strength in (0.0, 100.0)
    ]
    assert means[1] > means[0] + 0.02


@pytest.mark.parametrize("potential", ["difference", "max"])
def test_all_potentials_together_are_the_tilt_by_the_last_reward(bench, potential):
    particles, strength = 4, 1.5
    population = bench("rivals.feynman_kac")._Population(particles, particles, strength, potential, seed=3)
    rewards = torch.rand(5, particles, generator=torch.Generator().manual_seed(2))
    for step, now in enumerate(rewards):
        chosen = population.resample(now, at_end=step == 4)
    assert torch.allclose(population.log_product, strength * rewards[-1][chosen], atol=1e-5)


def test_systematic_resampling_keeps_the_law_of_the_weights(bench):
    systematic, generator = bench("rivals.feynman_kac")._systematic, torch.Generator().manual_seed(1)
    weights = torch.tensor([0.1, 0.45, 0.05, 0.4])
    counts = torch.stack([systematic(weights, generator).bincount(minlength=4) for _ in range(2000)]).double()
    assert torch.allclose(counts.mean(dim=0), 4 * weights.double(), atol=0.05)
    assert ((counts - 4 * weights).abs() < 1).all()


@pytest.mark.parametrize(
    ("method", "settings", "wanted"),
    [  # evaluations, backward passes, decodes and rewards an image; gradients at the steps 0 and 4; resampling after 2 and 4
        ("universal_guidance", {"every": 4}, (6, 2, 2, 2)),
        ("text_ascent", {"every": 4}, (8, 2, 2, 2)),
        ("feynman_kac", {"interval": 2}, (6, 0, 2, 2)),
        ("feynman_kac", {"interval": 2, "resample_at_end": True}, (6, 0, 3, 3)),
    ],
)
def test_costs_are_counted_and_phases_add_up(world, task, bench, method, settings, wanted):
    start = time.process_time()
    bench(f"rivals.{method}").draw(world, task, count=2, steps=STEPS, **settings)
    spent, cost = time.process_time() - start, world.cost
    assert (cost.evaluations, cost.backward, cost.decodes, cost.rewards) == tuple(2 * each for each in wanted)
    assert all(seconds > 0 for seconds in cost.seconds.values())
    assert len(cost.seconds) > 1
    assert cost.total == pytest.approx(spent, rel=0.1, abs=0.05)
