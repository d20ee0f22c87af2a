"""The bench of full-size SDXL: true sizes, and at tiny size every row, the way of the gradient, and the sums it computes."""

import math

import pytest
import torch

pytestmark = pytest.mark.host
SIZE, BATCH, STEPS = 64, 2, 2  # pixels of a side are those of the tiny vision tower, so that nothing is resized


@pytest.fixture(scope="module")
def world(bench):
    sdxl = bench("random_sdxl")
    unet = sdxl.UNET | {
        "model_channels": 64,
        "num_res_blocks": [1, 1, 1],
        "transformer_depth": [0, 1, 1],
        "transformer_depth_middle": 1,
        "transformer_depth_output": [0, 0, 1, 1, 1, 1],
        "context_dim": 64,
    }
    try:
        sdxl.random_vae(decoder_channels=32)
    except RuntimeError as error:
        pytest.skip(f"this ComfyUI reads no decoder of another width: {error}"[:120])
    objects = sdxl.random_objects(
        unet=unet,
        decoder_channels=32,
        vision={"width": 64, "hidden": 128, "depth": 2, "patch_size": 16, "tokens": 17},
        text={"width": 64, "hidden": 128, "depth": 2, "positions": 40},
    )
    return bench("world").World(objects)


@pytest.fixture
def task(world, bench):
    world.cost = bench("world").Cost()
    return bench("random_sdxl").random_task(SIZE, 64)


def _parameters(network):
    return sum(parameter.numel() for parameter in network.parameters())


def test_the_networks_have_the_published_numbers_of_parameters(bench):
    sdxl = bench("random_sdxl")
    assert _parameters(sdxl.new_sdxl(device=torch.device("meta")).diffusion_model) == 2_567_463_684
    assert _parameters(sdxl.random_vae().first_stage_model) == 83_653_863
    with torch.device("meta"):
        image_reward = sdxl.new_image_reward()
    not_read = 256 * (1024 + 1) + 256 * (768 + 1)  # the projections of BLIP's other half
    assert _parameters(image_reward) == 446_665_953 - not_read


def test_every_row_is_measured_and_guidance_takes_part_of_an_evaluation(world, task, bench):
    cost = bench("evaluation_cost")
    rows = cost.evaluation_costs(world, task, BATCH, lookaheads=[3], gradient=True, warm_up=1, repeats=1)
    alone, guided = cost.guidance_alone(3), cost.with_lookaheads(3)
    assert set(rows) == {cost.ORDINARY, guided, alone, cost.preparing(3), cost.GRADIENT, cost.DECODE, cost.SCORE}
    assert rows[alone].seconds < rows[guided].seconds
    assert all(0 < row.seconds < 60 for row in rows.values())
    assert rows[cost.GRADIENT].seconds > rows[cost.ORDINARY].seconds
    assert world.cost.evaluations == 3 * 2 * BATCH
    assert world.cost.backward == 2 * BATCH
    assert len(world.model.wrappers["predict_noise"]) == 1


def test_the_gradient_reaches_x_by_finite_differences(world, task, bench, record_figure):
    draw, weight, size = bench("rivals.universal_guidance").draw, 1e-3, 0.003
    sigmas, inner = world.sigmas(1), world.model.model
    # One step ends in the denoised prediction itself
    plain, guided = (
        draw(world, task, count=BATCH, steps=1, weight=w, max_shift=math.inf).double() for w in (0.0, weight)
    )
    gradient = (inner.process_latent_in(guided) - inner.process_latent_in(plain)) / (weight * sigmas[0] ** 2)
    scale = inner.model_sampling.noise_scaling(sigmas[0], torch.ones(()), torch.zeros(()), True)
    noise, direction = task.noise(BATCH), task.noise(BATCH, stream=1)

    def reward(moved):
        images = world.decode(world.sample(task, moved, sigmas, phase="look"), phase="look")
        return world.score(images, task, phase="look")

    difference = (reward(noise + size * direction) - reward(noise - size * direction)) / (2 * size)
    by_gradient = scale * (gradient * direction).sum(dim=(1, 2, 3))
    error = float((by_gradient - difference).abs().max() / difference.abs().max())
    record_figure("random SDXL, universal guidance: relative error against finite differences", error)
    assert error < 0.03


def test_computed_pictures_count_what_drawn_ones_spend(world, task, bench):
    full_size, cost = bench("full_size"), bench("evaluation_cost")
    of_evaluations = {cost.ORDINARY: 1.0, cost.GRADIENT: 1.0, cost.DECODE: 0.0, cost.SCORE: 0.0}
    of_evaluations |= {cost.guidance_alone(4): 0.0, cost.preparing(4): 0.0}
    of_decodes = dict.fromkeys(of_evaluations, 0.0) | {cost.DECODE: 1.0}
    settings = {"pictures": 2 * BATCH, "steps": STEPS, "lookaheads": [4]}
    computed = [full_size.computed_pictures(each, BATCH, **settings) for each in (of_evaluations, of_decodes)]
    spent = full_size.run_pictures(world, task, BATCH, gradient=True, **settings)
    assert list(spent) == list(computed[0]) == ["vanilla", "LiDAR, n = 4", "universal guidance"]
    assert world.cost.evaluations == BATCH * sum(computed[0].values()) == BATCH * (2 * 6 + 3 * 2 * STEPS)
    # Each gradient takes a decode and a score of its own
    gradients = 2 * BATCH * STEPS
    assert world.cost.decodes == BATCH * sum(computed[1].values()) + gradients
    assert world.cost.rewards == 4 + gradients
