"""More images are finished than are wanted, a few at a time, and the best kept: the truth is the host's KSampler and VAE."""

import pytest
import torch

SEED = 2602
PICTURE = torch.randn(1, 4, 8, 8, generator=torch.Generator().manual_seed(2)) * 4
MASK = torch.linspace(0, 1, 64).round().expand(1, 64, 64).clone()
SETTINGS = {"steps": 3, "cfg": 3.0, "sampler_name": "euler", "scheduler": "normal"}


@pytest.fixture(scope="module")
def model(build_model):
    return build_model("EPS")


@pytest.fixture
def in_parts(node_classes, conditioning, lidar_core):
    lookaheads = lidar_core.LookaheadSet(torch.zeros(1, 4, 8, 8), torch.zeros(1), "", {"notes": "cut", "set": "k7f2"})

    def run(model, latent, batch_size=2, at_once=2, **settings):
        settings = {**SETTINGS, "seed": SEED, "denoise": 1.0, "batch_size": batch_size, "at_once": at_once} | settings
        return node_classes["LiDARSampleInParts"].execute(model, *conditioning, latent, lookaheads, **settings).result

    return run


@pytest.fixture
def host_ksampler(comfy, conditioning):
    import nodes

    def run(model, latent, denoise=1.0, sampler_name="euler"):
        return nodes.common_ksampler(
            model, SEED, 3, 3.0, sampler_name, "normal", *conditioning, latent, denoise
        )[0]  # fmt: skip

    return run


@pytest.mark.parametrize(
    ("finish", "count", "wanted", "lookahead", "image", "expected"),
    [
        (1, 16, 1, 12, 40, 1), (1, 16, 4, 12, 40, 4), (6, 16, 2, 12, 40, 6), (2, 16, 4, 12, 40, 4),
        (20, 16, 2, 12, 40, 16), (20, 16, 18, 12, 40, 18),
        # 16 drafts of 6 steps cost 4.8 images of 20 steps; one-step drafts at cfg 1 cost 0.4
        (0, 16, 1, 12, 40, 4), (0, 16, 6, 12, 40, 6), (0, 16, 1, 1, 40, 1), (0, 16, 2, 18, 40, 7),
    ],
)  # fmt: skip
def test_so_many_are_finished(nodes_room, finish, count, wanted, lookahead, image, expected):
    rule = nodes_room("values.finish").finish_count
    assert rule(finish, wanted=wanted, count=count, lookahead=lookahead, image=image) == expected


def test_a_step_with_guidance_by_cfg_counts_twice(nodes_room):
    evaluations = nodes_room("values.finish").evaluations
    assert (evaluations(6, 7.5), evaluations(6, 1), evaluations(20 * 0.45, 0.0)) == (12, 6, 18)


def test_the_batch_grows_by_rows_that_are_not_in_use(node_classes):
    finish = node_classes["LiDARFinishSeveral"]
    costs = {"lookahead_steps": 6, "lookahead_cfg": 3.0, "image_steps": 20, "image_cfg": 3.0}
    latent = {"samples": torch.arange(2.0).view(2, 1, 1, 1).expand(2, 4, 8, 8), "batch_index": [1, 4], "type": "image"}
    longer, wanted, at_once = finish.execute(latent, 5, 16, **costs).result
    assert wanted == at_once == 2 and longer["batch_index"] == [1, 4, 0, 2, 3] and longer["type"] == "image"
    assert longer["samples"][:, 0, 0, 0].tolist() == [0, 1, 0, 1, 0]
    same = finish.execute(latent, 2, 16, **costs).result[0]
    assert same["batch_index"] == [1, 4] and torch.equal(same["samples"], latent["samples"])
    assert len(finish.execute(latent, 0, 16, **costs).result[0]["samples"]) == 4
    assert len(finish.execute(latent, 0, 16, **costs, share=0.3).result[0]["samples"]) == 2


@pytest.mark.parametrize(("favourites", "images"), [(1, 2), (2, 2), (3, 3)])
def test_with_favourites_just_these_are_finished_or_the_batch_whatever_finish_says(node_classes, favourites, images):
    costs = {"lookahead_steps": 6, "lookahead_cfg": 3.0, "image_steps": 20, "image_cfg": 3.0}
    latent = {"samples": torch.zeros(2, 4, 8, 8)}
    for finish in (0, 1, 9):
        longer, *sizes = (
            node_classes["LiDARFinishSeveral"].execute(latent, finish, 16, **costs, favourites=favourites).result
        )
        assert (len(longer["samples"]), *sizes) == (images, images, 2)
    own = node_classes["LiDARFinishSeveral"].execute(latent, 1, 16, **costs, favourites=favourites, from_best=False)
    assert own.result[1] == 2, "noise of their own"


@pytest.mark.parametrize("sampler", ["euler", "euler_ancestral", "uni_pc"])
@pytest.mark.parametrize(
    "latent",
    [
        {"samples": torch.zeros(5, 4, 8, 8)},
        {"samples": torch.zeros(3, 4, 5, 5), "batch_index": [4, 0, 2]},
        {"samples": PICTURE.repeat(3, 1, 1, 1), "noise_mask": MASK},
        {"samples": torch.zeros(2, 16, 4, 4), "downscale_ratio_spacial": 16, "type": "image"},
    ],
    ids=["batch", "rows", "mask", "other format"],
)
def test_where_all_fit_at_once_it_is_the_hosts_ksampler_bit_for_bit(model, in_parts, host_ksampler, latent, sampler):
    count = len(latent["samples"])
    expected = host_ksampler(model, latent, sampler_name=sampler)
    for sizes in ({"batch_size": count, "at_once": 1}, {"batch_size": 1, "at_once": count}):
        drawn, report = in_parts(model, latent, sampler_name=sampler, **sizes)
        assert torch.equal(drawn.pop("samples"), expected["samples"])
        assert drawn.keys() == expected.keys() - {"samples"}
        assert report == f"{count} images: {count * 3 * 2} model evaluations\ncut\nset k7f2"


@pytest.mark.parametrize(
    "mask", [None, MASK, torch.cat([MASK, 1 - MASK, MASK.mT, MASK, MASK])], ids=["whole", "one", "each"]
)
def test_parts_are_the_same_images(model, in_parts, host_ksampler, mask):
    latent = {"samples": PICTURE * torch.arange(1, 6).view(5, 1, 1, 1)} | ({} if mask is None else {"noise_mask": mask})
    drawn, _ = in_parts(model, latent, denoise=0.7)
    torch.testing.assert_close(
        drawn["samples"], host_ksampler(model, latent, denoise=0.7)["samples"], atol=2e-3, rtol=1e-4
    )


@pytest.fixture(scope="module")
def judges(pack, node_classes):
    """(VAE, brightness) for the latents of the demo model."""
    from importlib import import_module

    vae = import_module(f"{pack.__name__}.demo_model.host_objects").load_vae()
    return vae, node_classes["LiDARRewardModelLoader"].execute("brightness").result[0]


@pytest.fixture
def keep(node_classes, judges):
    def run(latent, wanted):
        node = node_classes["LiDARKeepBest"]
        return node.execute(latent, wanted, *judges, prompt="", batch_size=2, report="told before")

    return run


def test_the_brightest_are_kept_and_all_are_shown(keep, judges, nodes_room, monkeypatch):
    import nodes

    told = []
    monkeypatch.setattr(nodes_room("keep_best"), "show_on_node", lambda hidden, text: told.append(text))
    samples = torch.randn(5, 4, 8, 8, generator=torch.Generator().manual_seed(4))
    masks = torch.arange(5.0).view(5, 1, 1, 1).expand(5, 1, 64, 64)
    best, shown, report = keep({"samples": samples, "batch_index": [7, 8, 9, 2, 1], "noise_mask": masks}, 2).result
    (images,) = nodes.VAEDecode().decode(judges[0], {"samples": samples})
    luma = (images @ torch.tensor([0.2126, 0.7152, 0.0722])).mean(dim=(1, 2))
    order = luma.argsort(descending=True)
    assert torch.equal(shown, images[order])
    assert torch.equal(best["samples"], samples[order[:2]])
    assert best["batch_index"] == [[7, 8, 9, 2, 1][i] for i in order[:2]]
    assert best["noise_mask"][:, 0, 0, 0].tolist() == order[:2].tolist()
    assert told == [report]
    assert report.split("\n") == [
        "5 finished, 2 kept: about 2.5 times the time of finishing 2",
        "told before",
        f"mean score {luma[order[:2]].mean():.4g} of the kept, {luma.mean():.4g} of all finished",
    ]


def test_where_all_are_wanted_nothing_is_decoded_or_scored(keep, nodes_room, monkeypatch):
    for name in ("decoded", "score_images"):
        monkeypatch.setattr(nodes_room("keep_best"), name, None)
    latent = {"samples": torch.zeros(2, 4, 8, 8)}
    best, shown, report = keep(latent, 2).result
    assert report == "told before" and best is latent and type(shown).__name__ == "ExecutionBlocker"


def test_pictures_that_are_saved_tell_both_scores(node_classes, judges):
    """Of LiDAR KSampler's children the lookaheads' scores are written first, at the same node."""
    from comfy_api.latest import io
    from comfy_execution.graph import DynamicPrompt

    prompt, saved = DynamicPrompt({}), {"lidar_scores": {"lidar": {"lookaheads": {"brightness": [0.5]}}}}
    prompt.add_ephemeral_node("child", {}, "lidar", "lidar")
    hidden = {io.Hidden.unique_id: "child", io.Hidden.dynprompt: prompt, io.Hidden.extra_pnginfo: saved}
    node = node_classes["LiDARKeepBest"].PREPARE_CLASS_CLONE({"hidden_inputs": hidden})
    samples = torch.randn(3, 4, 8, 8, generator=torch.Generator().manual_seed(4))
    node.execute({"samples": samples}, 1, *judges, prompt="", batch_size=2)
    written = saved["lidar_scores"]["lidar"]
    assert written["lookaheads"] == {"brightness": [0.5]} and written["kept"] == 1
    assert len(written["finished"]) == 3 and written["finished"] == sorted(written["finished"], reverse=True)
