"""What the host gives image i of a batch row i of: told before lookaheads are drawn, for those are of one picture."""

import pytest
import torch

LATENT = {"samples": torch.zeros(1, 4, 8, 8)}


def noise(*shape: int) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(sum(shape)))


@pytest.fixture(scope="module")
def model(build_model):
    return build_model("EPS")


@pytest.fixture(scope="module")
def draw(node_classes):
    """draw(model, conditioning, **settings) -> the lookaheads, conditioning being both positive and negative."""

    def run(model, conditioning, latent=LATENT, **settings):
        settings = {"seed": 9, "count": 4, "steps": 2, "cfg": 3.0, "batch_size": 3} | settings
        node = node_classes["LiDARSampleLookaheads"]
        return node.execute(model, conditioning, conditioning, latent, **settings).result[0]["samples"]

    return run


@pytest.fixture
def entry(conditioning, comfy):
    """entry(kind) -> a conditioning that holds two different rows of it, and its name in a refusal."""
    from comfy.clip_vision import Output
    from comfy.controlnet import ControlBase

    import nodes

    (words, more), *_ = conditioning[0]

    def make(kind):
        if kind == "prompt":
            return [[noise(2, 7, 64), more]], kind
        if kind == "a second prompt":
            return [[words, more], [noise(2, 7, 64), more]], "prompt"
        if kind == "mask":
            return nodes.ConditioningSetMask().append(conditioning[0], noise(2, 8, 8).abs(), "default", 1.0)[0], kind
        if kind == "control":
            control = ControlBase()
            control.set_cond_hint(torch.zeros(1, 3, 64, 64))
            earlier = ControlBase().set_cond_hint(noise(2, 3, 64, 64))
            control.set_previous_controlnet(earlier)
            return [[words, more | {kind: control}]], "the ControlNet's image"
        if kind == "clip_vision_output":
            seen = Output()
            seen["image_embeds"], seen["last_hidden_state"] = noise(1, 5), noise(2, 3, 5)
            return [[words, more | {kind: seen}]], kind
        rows = {"reference_latents": [noise(1, 4, 8, 8), noise(2, 4, 8, 8)]}.get(kind, noise(2, 4, 8, 8))
        return [[words, more | {kind: rows}]], kind

    return make


@pytest.mark.parametrize("batch_size", [1, 3])
@pytest.mark.parametrize(
    "kind",
    [
        "prompt", "a second prompt", "pooled_output", "concat_latent_image", "concat_mask", "reference_latents", "mask",
        "clip_vision_output", "control",
    ],
)  # fmt: skip
def test_rows_for_each_image_are_refused_by_name_whatever_the_batch_size(build_model, draw, entry, kind, batch_size):
    conditioning, told = entry(kind)
    model = build_model("EPS").clone()
    model.set_model_unet_function_wrapper(lambda apply_model, args: pytest.fail("the model was run"))
    with pytest.raises(
        ValueError, match=f"^LiDAR Sample Lookaheads: positive holds 2 different rows of {told}, .*; connect a cond"
    ):
        draw(model, conditioning, batch_size=batch_size)


def test_the_host_does_give_image_i_row_i_of_a_conditioning(model, conditioning):
    import nodes

    ((words, more),) = conditioning[0]
    other = noise(1, 7, 64)
    both, latent = [[torch.cat([words, other]), more]], {"samples": torch.zeros(2, 4, 8, 8), "batch_index": [3, 3]}

    def sample(positive):
        return nodes.common_ksampler(model, 3, 2, 3.0, "euler", "normal", positive, conditioning[1], latent)[0][
            "samples"
        ]

    drawn = sample(both)
    torch.testing.assert_close(drawn[:1], sample([[words, more]])[:1], atol=2e-3, rtol=1e-4)
    torch.testing.assert_close(drawn[1:], sample([[other, more]])[1:], atol=2e-3, rtol=1e-4)
    assert (drawn[0] - drawn[1]).abs().max() > 0.1


def test_pictures_to_change_are_one_for_all_lookaheads(build_model, draw, conditioning):
    model = build_model("SDXL_instructpix2pix")
    ((words, more),) = conditioning[0]
    pictures = noise(2, 4, 8, 8)
    with pytest.raises(ValueError, match="positive holds 2 different rows of concat_latent_image"):
        draw(model, [[words, more | {"concat_latent_image": pictures}]])
    drawn = [
        draw(model, [[words, more | {"concat_latent_image": one}]])
        for one in (pictures[:1], pictures[:1].repeat(2, 1, 1, 1))
    ]
    assert torch.equal(*drawn)
    assert not torch.equal(drawn[0], draw(model, [[words, more | {"concat_latent_image": pictures[1:]}]]))


def test_equal_rows_and_what_is_no_batch_are_left_alone(model, draw, conditioning):
    ((words, more),) = conditioning[0]
    rows = more | {
        "pooled_output": more["pooled_output"].repeat(2, 1), "t5xxl_ids": torch.arange(9),
        "guidance": 3.5, "clip_vision_output": None,
    }  # fmt: skip
    assert torch.equal(draw(model, [[words.repeat(2, 1, 1), rows]]), draw(model, conditioning[0]))


def test_the_frames_of_a_video_are_no_batch(nodes_room, entry):
    check = nodes_room("host.one_for_all").require_one_for_all
    for kind in ("mask", "control"):
        conditioning, told = entry(kind)
        check({"positive": conditioning}, dimensions=3)
        with pytest.raises(ValueError, match=f"negative holds 2 different rows of {told}"):
            check({"negative": conditioning}, dimensions=2)


def test_a_model_whose_batch_is_one_video_is_refused_by_name(build_model, draw, conditioning, node_classes, lidar_core):
    video = build_model("SVD_img2vid")
    message = "SVD_img2vid cannot be steered: the batch .* is one video, .*; connect a model"
    with pytest.raises(ValueError, match=f"^LiDAR Sample Lookaheads: {message}"):
        draw(video, conditioning[0])
    lookaheads = lidar_core.LookaheadSet(noise(3, 4, 8, 8), torch.tensor([0.3, 1.0, -2.0]))
    with pytest.raises(ValueError, match=f"^LiDAR Apply Guidance: {message}"):
        node_classes["LiDARApplyGuidance"].execute(video, lookaheads)


def patched(model, name: str):
    from comfy_extras.nodes_eps import TemporalScoreRescaling
    from comfy_extras.nodes_lumina2 import RenormCFG

    if name == "TemporalScoreRescaling":
        return TemporalScoreRescaling.execute(model, 0.9, 1.0).result[0]
    model.model.diffusion_model.in_channels = 4  # as Lumina2's has it; the patch asks for it
    return RenormCFG.execute(model, 100.0, 1.0).result[0]


@pytest.mark.parametrize("name", ["TemporalScoreRescaling", "RenormCFG"])
def test_patches_for_one_image_say_to_draw_one_at_a_time(build_model, draw, conditioning, name):
    model = patched(build_model("EPS"), name)
    with pytest.raises(
        ValueError,
        match="^LiDAR Sample Lookaheads: sampling 3 lookaheads at once failed: Boolean value of Tensor with more than "
        "one value is ambiguous. Set batch_size to 1, in case",
    ) as refusal:
        draw(model, conditioning[0])
    assert "\n" not in str(refusal.value)
    assert any("nodes_" in str(each.path) for each in refusal.traceback), "the patch is not in the traceback"
    assert draw(model, conditioning[0], batch_size=1).isfinite().all()


def test_what_fails_for_one_image_fails_as_it_is(build_model, draw, conditioning):
    model = build_model("EPS").clone()

    def fail(args):
        raise RuntimeError("nothing to do with batches")

    model.set_model_sampler_post_cfg_function(fail)
    with pytest.raises(RuntimeError, match="^nothing to do with batches$"):
        draw(model, conditioning[0], batch_size=1)


def test_lack_of_memory_is_left_to_the_host(build_model, draw, conditioning):
    import comfy.model_management

    model = build_model("EPS").clone()

    def fail(args):
        raise comfy.model_management.OOM_EXCEPTION("out of memory")

    model.set_model_sampler_post_cfg_function(fail)
    with pytest.raises(comfy.model_management.OOM_EXCEPTION):
        draw(model, conditioning[0])
