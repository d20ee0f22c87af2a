"""Candidates are cut and go on as if nothing had been: the truth is the host's own KSampler, whole or in its own two parts."""

import pytest
import torch

SEED, STEPS, ROWS = 2602, 5, [3, 0]
PICTURE = torch.randn(1, 4, 8, 8, generator=torch.Generator().manual_seed(2)) * 4
MASK = torch.linspace(0, 1, 64).round().expand(1, 64, 64).clone()
RAMP = torch.linspace(0, 1, 64).expand(1, 64, 64).clone()


@pytest.fixture(scope="module")
def families(build_model):
    return {family: build_model(family) for family in ("EPS", "CONST")}


@pytest.fixture
def start(node_classes, conditioning):
    """start(model, latent, **settings) -> (lookaheads, candidates) of LiDAR Sample Candidates."""

    def run(model, latent, **settings):
        settings = {
            "seed": SEED, "steps": STEPS, "cfg": 3.0, "sampler_name": "euler", "scheduler": "normal", "denoise": 1.0,
            "count": 4, "cut_percent": 0.6, "batch_size": 1,
        } | settings  # fmt: skip
        return node_classes["LiDARSampleCandidates"].execute(model, *conditioning, latent, **settings).result

    return run


@pytest.fixture
def go_on(node_classes, lidar_core):
    """go_on(model, candidates, latent) -> (samples, report) of LiDAR Continue Best, one image at a time; ROWS are the best."""

    def run(model, candidates, latent, batch_size=1, count=4, idle=False, **metadata):
        node = node_classes["LiDARContinueBest"]
        scores = lidar_core.LookaheadSet(
            torch.zeros(count, 4, 8, 8), torch.tensor([0.5, -2.0, -1.0, 0.9] * 3)[:count], "", metadata
        )
        latent, report = node.execute(model, candidates, scores, latent, batch_size, idle).result
        assert latent["batch_index"] == ROWS[: len(latent["samples"])]
        return latent["samples"], report

    return run


@pytest.fixture
def host_pictures(comfy, conditioning):
    """host_pictures(model, latent, rows) -> the host's pictures of these rows, each by itself."""
    import nodes

    def run(model, latent, rows=ROWS, sampler_name="euler", denoise=1.0, cfg=3.0, scheduler="normal"):
        def one(row):
            single = latent | {"samples": latent["samples"][:1], "batch_index": [row]}
            drawn = nodes.common_ksampler(
                model, SEED, STEPS, cfg, sampler_name, scheduler, *conditioning, single, denoise
            )
            return drawn[0]["samples"]

        return torch.cat([one(row) for row in rows])

    return run


@pytest.fixture
def host_part(comfy, conditioning):
    """host_part(model, latent, first, last) -> what the host's KSampler (Advanced) hands on, with its leftover noise."""
    import nodes

    def run(model, latent, first, last, *, add_noise=True):
        drawn = nodes.common_ksampler(
            model, SEED, STEPS, 3.0, "euler", "normal", *conditioning, latent, disable_noise=not add_noise,
            start_step=first, last_step=last,
        )  # fmt: skip
        return drawn[0]

    return run


def chosen(latent: dict) -> dict:
    """The latent with room for two images."""
    return latent | {"samples": latent["samples"].repeat(2, 1, 1, 1)}


@pytest.mark.parametrize("mask", [None, MASK], ids=["whole", "mask"])
@pytest.mark.parametrize("denoise", [1.0, 0.6])
@pytest.mark.parametrize("family", ["EPS", "CONST"])
def test_they_end_as_the_hosts_own_pictures_bit_for_bit(families, start, go_on, host_pictures, family, denoise, mask):
    latent = {"samples": PICTURE} | ({} if mask is None else {"noise_mask": mask})
    _, candidates = start(families[family], latent, denoise=denoise)
    samples, _ = go_on(families[family], candidates, chosen(latent))
    assert torch.equal(samples, host_pictures(families[family], latent, denoise=denoise))


@pytest.mark.parametrize("cut", [0.05, 0.5, 0.95])
@pytest.mark.parametrize("sampler", ["ddim", "heun"])
def test_other_samplers_without_a_memory_lose_nothing_either(families, start, go_on, host_pictures, sampler, cut):
    latent = {"samples": torch.zeros(1, 4, 8, 8)}
    _, candidates = start(families["EPS"], latent, sampler_name=sampler, cut_percent=cut, cfg=1.0)
    samples, _ = go_on(families["EPS"], candidates, chosen(latent))
    assert torch.equal(samples, host_pictures(families["EPS"], latent, sampler_name=sampler, cfg=1.0))


def test_a_soft_mask_that_reads_the_steps_sees_those_of_the_whole(families, start, go_on, host_pictures):
    """The host's Differential Diffusion compares each noise level with the run's first and last."""
    from comfy_extras.nodes_differential_diffusion import DifferentialDiffusion

    model = DifferentialDiffusion.execute(families["EPS"]).result[0]
    latent = {"samples": PICTURE, "noise_mask": RAMP}
    _, candidates = start(model, latent)
    samples, _ = go_on(model, candidates, chosen(latent))
    expected = host_pictures(model, latent)
    assert torch.equal(samples, expected)
    assert not torch.equal(expected, host_pictures(families["EPS"], latent))


def test_several_at_a_time_are_the_same_images(families, start, go_on, host_pictures):
    latent = {"samples": torch.zeros(1, 4, 8, 8)}
    _, candidates = start(families["EPS"], latent, batch_size=3)
    samples, _ = go_on(families["EPS"], candidates, chosen(latent), batch_size=5)
    torch.testing.assert_close(samples, host_pictures(families["EPS"], latent), atol=2e-3, rtol=1e-4)


def test_they_are_judged_by_the_prediction_of_the_last_step(families, start, host_part):
    """An Euler step goes from x to x0 + r (x - x0) with r the ratio of noise levels, so that its two ends tell x0."""
    import comfy.samplers

    model, latent = families["EPS"], {"samples": torch.zeros(1, 4, 8, 8)}
    lookaheads, candidates = start(model, latent)
    sigmas = comfy.samplers.calculate_sigmas(model.get_model_object("model_sampling"), "normal", STEPS)
    assert candidates.cut == 3 and candidates.sigma == float(sigmas[3])
    before, after = (
        host_part(model, {"samples": torch.zeros(4, 4, 8, 8)}, 0, step)["samples"].double() for step in (2, 3)
    )
    ratio = float(sigmas[3]) / float(sigmas[2])
    expected = (after - ratio * before) / (1 - ratio)
    assert lookaheads["samples"].shape == (4, 4, 8, 8)
    torch.testing.assert_close(lookaheads["samples"].double(), expected, atol=5e-3, rtol=1e-3)


def test_guidance_acts_on_the_steps_after_the_cut(
    node_classes, families, lidar_core, start, go_on, host_part, conditioning
):
    """Shares of the steps that are left: 0 to 0.5 of two steps is one. The truth is the host's own KSampler (Advanced)."""
    model, latent = families["EPS"], {"samples": torch.zeros(1, 4, 8, 8)}
    lookaheads, candidates = start(model, latent)
    judged = lidar_core.LookaheadSet(lookaheads["samples"], torch.tensor([0.2, -0.7, 1.9, 0.4]))
    guided = node_classes["LiDARApplyGuidance"].execute(
        model, judged, guidance_scale=0.6, end_percent=0.5, percent_of="this run"
    ).result[0]  # fmt: skip
    samples, report = go_on(guided, candidates, chosen(latent))
    assert "\nguided 1 of 2 steps\n" in report and "best lookahead no. 3 of 4" in report
    half = [host_part(model, latent | {"batch_index": [row]}, 0, 3) for row in ROWS]
    expected = [host_part(guided, each, 3, None, add_noise=False)["samples"] for each in half]
    torch.testing.assert_close(samples, torch.cat(expected), atol=2e-3, rtol=1e-4)
    assert not torch.allclose(samples, go_on(model, candidates, chosen(latent))[0], atol=1e-2)


@pytest.mark.parametrize(("cfg", "rows"), [(1.0, 1), (3.0, 2)])
def test_no_step_is_done_twice(families, start, go_on, nodes_room, monkeypatch, cfg, rows):
    told = []
    monkeypatch.setattr(nodes_room("sample_candidates"), "show_on_node", lambda hidden, text: told.append(text))
    latent = {"samples": torch.zeros(1, 4, 8, 8)}
    _, candidates = start(families["EPS"], latent, cfg=cfg)
    _, report = go_on(families["EPS"], candidates, chosen(latent))
    assert told == [f"4 candidates after 3 of 5 steps: {4 * 3 * rows} model evaluations"]
    assert report == f"no. 4, 1 of 4 go on from step 4 of 5: {2 * 2 * rows} model evaluations"
    told_with_the_set = go_on(families["EPS"], candidates, latent, notes="picks are not used", set="k7f2")[1].split(
        "\n"
    )
    idle = go_on(families["EPS"], candidates, latent, idle=True)[1].split("\n")
    assert idle[1:] == [
        "lookahead_model is not used: start_from is continue the best; choose best lookaheads to use it"
    ]
    assert told_with_the_set[1:] == ["picks are not used", "set k7f2"] and told_with_the_set[0].startswith("no. 4 of 4")


def test_a_sampler_that_adds_noise_does_not_repeat_it_after_the_cut(families, start, go_on, monkeypatch):
    import comfy.samplers

    seeds, original = [], comfy.samplers.sample
    monkeypatch.setattr(
        comfy.samplers, "sample", lambda *args, **kwargs: seeds.append(kwargs["seed"]) or original(*args, **kwargs)
    )
    latent = {"samples": torch.zeros(1, 4, 8, 8)}
    _, candidates = start(families["EPS"], latent, sampler_name="euler_ancestral", seed=2**64 - 5)
    go_on(families["EPS"], candidates, chosen(latent))
    assert seeds[:4] == [2**64 - 5, 2**64 - 4, 2**64 - 3, 2**64 - 2]
    assert len({seed % 2**32 for seed in seeds}) == 6


def test_there_are_as_many_candidates_as_images_at_least(families, start):
    lookaheads, candidates = start(families["EPS"], {"samples": torch.zeros(6, 4, 8, 8)})
    assert len(lookaheads["samples"]) == len(candidates.states) == 6


@pytest.mark.parametrize(("images", "count"), [(5, 4), (1, 8)])
def test_scores_of_others_and_too_many_images_are_refused(families, start, go_on, images, count):
    _, candidates = start(families["EPS"], {"samples": torch.zeros(1, 4, 8, 8)}, count=3)
    message = (
        f"{images} images are wanted, of {count} lookaheads for 3 candidates: connect the latent_image of LiDAR Sample"
    )
    with pytest.raises(ValueError, match=f"^LiDAR Continue Best: {message}"):
        go_on(families["EPS"], candidates, {"samples": torch.zeros(images, 4, 8, 8)}, count=count)


def test_another_model_and_a_run_of_one_step_are_refused(families, start, go_on):
    latent = {"samples": torch.zeros(1, 4, 8, 8)}
    _, candidates = start(families["EPS"], latent)
    with pytest.raises(ValueError, match="^LiDAR Continue Best: model has other noise levels .* connect that of LiDAR"):
        go_on(families["CONST"], candidates, chosen(latent))
    with pytest.raises(ValueError, match="^LiDAR Sample Candidates: a run of 1 step has no place to be cut"):
        start(families["EPS"], latent, steps=1)
