"""LiDAR Sample Lookaheads keeps the contract of the host's KSampler and works in chunks."""

import pytest
import torch


@pytest.fixture(scope="module")
def model(build_model):
    return build_model("EPS")


@pytest.fixture(scope="module")
def draw(node_classes, conditioning):
    def run(model, latent_image, **settings):
        if isinstance(latent_image, torch.Tensor):
            latent_image = {"samples": latent_image}
        settings = {"seed": 9, "count": 7, "steps": 3, "cfg": 3.0, "batch_size": 3} | settings
        node = node_classes["LiDARSampleLookaheads"]
        return node.execute(model, *conditioning, latent_image, **settings).result[0]

    return run


@pytest.fixture
def host_samples(comfy, conditioning):
    import nodes

    def run(model, latent, sampler_name, scheduler, *, seed=9, steps=3, cfg=3.0, denoise=1.0):
        return nodes.common_ksampler(model, seed, steps, cfg, sampler_name, scheduler, *conditioning, latent, denoise)[
            0
        ]

    return run


@pytest.mark.parametrize("denoise", [1.0, 0.6])
def test_lookaheads_in_one_chunk_are_the_hosts_samples_bit_for_bit(model, draw, host_samples, denoise):
    picture = torch.randn(1, 4, 8, 8, generator=torch.Generator().manual_seed(2)) * 4
    drawn = draw(model, picture, batch_size=7, sampler_name="dpmpp_2m", scheduler="karras", denoise=denoise)
    expected = host_samples(model, {"samples": picture.repeat(7, 1, 1, 1)}, "dpmpp_2m", "karras", denoise=denoise)
    assert torch.equal(drawn["samples"], expected["samples"])


@pytest.mark.parametrize("batch_size", [1, 3, 50])
def test_lookaheads_do_not_depend_on_the_batch_size(model, draw, batch_size):
    latent = torch.zeros(1, 4, 8, 8)
    expected = draw(model, latent, batch_size=7)["samples"]
    assert expected.shape == (7, 4, 8, 8)
    drawn = draw(model, latent, batch_size=batch_size)["samples"]
    torch.testing.assert_close(drawn, expected, atol=2e-3, rtol=1e-4)


def test_chunks_of_a_stochastic_sampler_get_seeds_of_their_own(model, draw, monkeypatch):
    import comfy.samplers

    seeds, original = [], comfy.samplers.sample
    monkeypatch.setattr(
        comfy.samplers, "sample", lambda *args, **kwargs: seeds.append(kwargs["seed"]) or original(*args, **kwargs)
    )
    draw(model, torch.zeros(1, 4, 8, 8), seed=2**64 - 3, sampler_name="euler_ancestral")
    assert seeds == [2**64 - 3, 0, 3]


def test_a_part_of_the_rows_is_that_part_of_the_whole(model, draw):
    """Also with a sampler that draws noise in every step, where the parts begin as the chunks of the whole do."""
    latent, settings = torch.zeros(1, 4, 8, 8), {"sampler_name": "euler_ancestral", "batch_size": 2}
    whole = draw(model, latent, count=6, **settings)
    parts = [draw(model, latent, first_row=first, count=2, **settings) for first in (4, 0, 2)]
    for first, part in zip((4, 0, 2), parts, strict=True):
        assert torch.equal(part["samples"], whole["samples"][first : first + 2])
        assert part["batch_index"] == whole["batch_index"][first : first + 2] == [first, first + 1]
        assert part["lidar_origins"] == whole["lidar_origins"][first : first + 2]


def test_named_rows_are_drawn_again_in_their_order(model, draw):
    latent, settings = torch.zeros(1, 4, 8, 8), {"sampler_name": "dpmpp_2s_ancestral", "batch_size": 1, "seed": 5}
    whole = draw(model, latent, count=6, **settings)
    named = {"samples": torch.zeros(3, 4, 2, 2), "batch_index": [5, 0, 3]}
    again = draw(model, latent, count=2, first_row=9, rows=named, **settings)
    assert torch.equal(again["samples"], whole["samples"][[5, 0, 3]])
    assert again["batch_index"] == [5, 0, 3] and again["lidar_origins"][0] == whole["lidar_origins"][5]
    assert draw(model, latent, rows={"samples": torch.zeros(2, 4, 2, 2)}, **settings)["batch_index"] == [0, 1]
    with pytest.raises(
        ValueError, match="^LiDAR Sample Lookaheads: rows names row 99999 .* wanted rows up to 65536: connect"
    ):
        draw(model, latent, rows={"samples": torch.zeros(1, 4, 2, 2), "batch_index": [99999]})


def test_lookaheads_know_where_they_came_from(model, draw):
    (first, second) = draw(model, torch.zeros(1, 4, 8, 8), count=2, first_row=7, seed=2**64 - 1, denoise=0.5)[
        "lidar_origins"
    ]
    assert (first.seed, first.row, second.row, first.model) == (2**64 - 1, 7, 8, "")
    assert first.sampler == "dpmpp_2m, karras, 3 steps, cfg 3, denoise 0.5"


def test_empty_latent_is_adapted_to_the_models_channels_and_scale(model, draw):
    latent = {
        "samples": torch.zeros(2, 16, 4, 4),
        "downscale_ratio_spacial": 16,
        "batch_index": [4, 9],
        "type": "image",
    }
    drawn = draw(model, latent)
    assert drawn["samples"].shape == (7, 4, 8, 8)
    assert set(drawn) == {"samples", "type", "batch_index", "lidar_origins", "lidar_evaluations"}
    assert drawn["batch_index"] == list(range(7)), "the rows of the lookaheads, not of what came in"


def test_mask_is_obeyed_and_travels_with_the_lookaheads(model, draw):
    picture = torch.randn(1, 4, 8, 8, generator=torch.Generator().manual_seed(2)) * 4
    mask = torch.zeros(1, 64, 64)
    mask[..., 32:] = 1
    drawn = draw(model, {"samples": picture, "noise_mask": mask})
    torch.testing.assert_close(drawn["samples"][..., :4], picture[..., :4].repeat(7, 1, 1, 1), atol=1e-4, rtol=1e-4)
    assert drawn["samples"][..., 4:].std(dim=0).min() > 0
    assert drawn["noise_mask"].shape == (1, 1, 64, 64)


def test_batch_of_equal_entries_counts_as_one_picture(model, draw):
    picture = torch.randn(1, 4, 8, 8, generator=torch.Generator().manual_seed(2)) * 4
    drawn = draw(model, picture.repeat(3, 1, 1, 1), denoise=0.5)["samples"]
    assert torch.equal(drawn, draw(model, picture, denoise=0.5)["samples"])


def test_one_progress_bar_covers_all_chunks_and_shows_previews(model, draw, monkeypatch):
    import comfy.utils
    import latent_preview

    seen = []
    monkeypatch.setattr(
        comfy.utils, "PROGRESS_BAR_HOOK", lambda value, total, preview, node_id: seen.append((value, total, preview))
    )
    monkeypatch.setattr(latent_preview.args, "preview_method", latent_preview.LatentPreviewMethod.Latent2RGB)
    draw(model, torch.zeros(1, 4, 8, 8))
    assert [value for value, _, _ in seen] == list(range(1, 10))
    assert {total for _, total, _ in seen} == {9}
    assert all(preview[1].size == (8, 8) for _, _, preview in seen)


def test_cancel_stops_within_one_step(model, draw):
    import comfy.model_management as mm

    evaluations = []

    def cancel_at_second(apply_model, args):
        evaluations.append(1)
        if len(evaluations) == 2:
            mm.interrupt_current_processing()
        return args["input"]

    watched = model.clone()
    watched.set_model_unet_function_wrapper(cancel_at_second)
    with pytest.raises(mm.InterruptProcessingException):
        draw(watched, torch.zeros(1, 4, 8, 8), cfg=1.0, sampler_name="euler")
    assert len(evaluations) == 2
    assert not mm.processing_interrupted()


PICTURES = torch.randn(3, 4, 8, 8, generator=torch.Generator().manual_seed(2))
MASKS = torch.stack([torch.eye(8), torch.ones(8, 8)])


@pytest.mark.parametrize(
    ("latent", "settings", "message"),
    [
        ({"samples": torch.ones(1, 16, 8, 8)}, {}, "latent_image has 16 channels, the model wants 4; encode"),
        ({"samples": PICTURES}, {"denoise": 0.5}, "latent_image holds 3 different entries"),
        ({"samples": PICTURES, "noise_mask": MASKS[:1]}, {}, "latent_image holds 3 different entries"),
        ({"samples": PICTURES[:1], "noise_mask": MASKS}, {}, "the noise mask of latent_image holds 2 different"),
        ({"samples": PICTURES}, {"denoise": 0.0}, "denoise is 0.0, wanted a number from 0.01 to 1: set one"),
        ({"samples": PICTURES}, {"count": 0}, "count is 0, wanted a number from 1 to 1024: set one"),
        ({"samples": PICTURES}, {"steps": 0}, "steps is 0, wanted a number from 1 to 1000: set one"),
        ({"samples": PICTURES}, {"batch_size": 0}, "batch_size is 0, wanted a number from 1 to 1024: set one"),
    ],
)
def test_bad_input_is_one_line_that_names_node_and_fix(model, draw, latent, settings, message):
    with pytest.raises(ValueError, match=f"^LiDAR Sample Lookaheads: {message}") as error:
        draw(model, latent, **settings)
    assert "\n" not in str(error.value)


def test_latent_of_several_parts_is_refused(model, draw):
    from comfy.nested_tensor import NestedTensor

    with pytest.raises(ValueError, match="LATENT of several parts .* wanted .* in one part: connect"):
        draw(model, {"samples": NestedTensor([PICTURES[:1], PICTURES[:1, :, :2]])})


def test_model_that_adds_no_noise_is_refused_before_any_step(model, draw):
    from comfy_extras.nodes_model_advanced import ModelSamplingDiscrete

    no_noise = ModelSamplingDiscrete().patch(model, "img_to_img_flow", False)[0]
    no_noise.set_model_unet_function_wrapper(lambda apply_model, args: pytest.fail("the model was run"))
    with pytest.raises(ValueError, match="IMG_TO_IMG_FLOW"):
        draw(no_noise, torch.zeros(1, 4, 8, 8))


def test_lookaheads_that_are_no_numbers_name_the_first_of_them(build_model, draw):
    model = build_model("EPS").clone()
    model.set_model_sampler_post_cfg_function(lambda args: args["denoised"].index_fill(0, torch.tensor([1]), torch.nan))
    with pytest.raises(
        ValueError, match="^LiDAR Sample Lookaheads: lookahead no. 2 of 3 came out .* NaN .* change the"
    ):
        draw(model, torch.zeros(1, 4, 8, 8), count=3, batch_size=3)
