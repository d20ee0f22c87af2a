"""Rows that are measured are the host's own pictures, finished and on the way, and what is said of them is right."""

import math

import pytest
import torch

SEED, STEPS, ROWS = 2602, 8, range(3, 6)


@pytest.fixture(scope="module")
def model(build_model):
    return build_model("EPS")


@pytest.fixture
def sampled(node_classes, model, conditioning):
    """sampled(**changes) -> what LiDAR Sample Rows gives, rows 3 to 5 by default."""

    def run(**changes):
        settings = {
            "seed": SEED, "steps": STEPS, "cfg": 3.0, "sampler_name": "euler", "scheduler": "normal", "denoise": 1.0,
            "batch_size": 16, "first": ROWS.start, "count": len(ROWS), "drafts": False,
        } | changes  # fmt: skip
        latent = {"samples": torch.zeros(1, 4, 8, 8)}
        return node_classes["LiDARSampleRows"].execute(model, *conditioning, latent, **settings).result[0]

    return run


def test_finished_rows_are_the_hosts_own_bit_for_bit(comfy, model, conditioning, sampled):
    import nodes

    latent = {"samples": torch.zeros(len(ROWS), 4, 8, 8), "batch_index": list(ROWS)}
    (expected,) = nodes.common_ksampler(model, SEED, STEPS, 3.0, "euler", "normal", *conditioning, latent)
    assert torch.equal(sampled().latents[1.0], expected["samples"])
    assert list(sampled(drafts=True).latents) == [1.0]


def test_on_the_way_they_are_what_candidates_cut_there_are_predicted_to_become(
    node_classes, model, conditioning, sampled
):
    rows = sampled(first=0, count=3)
    assert list(rows.latents) == [1.0, 0.25, 0.375, 0.5], "steps 2, 3 and 4 of 8"
    for share in (0.25, 0.375, 0.5):
        lookaheads = node_classes["LiDARSampleCandidates"].execute(
            model, *conditioning, {"samples": torch.zeros(1, 4, 8, 8)}, seed=SEED, steps=STEPS, cfg=3.0,
            sampler_name="euler", scheduler="normal", denoise=1.0, count=3, cut_percent=share, batch_size=16,
        ).result[0]  # fmt: skip
        assert torch.equal(rows.latents[share], lookaheads["samples"])


def test_a_few_at_a_time_are_the_same_rows(sampled):
    together, apart = sampled(), sampled(batch_size=2)
    for share, latents in together.latents.items():
        torch.testing.assert_close(apart.latents[share], latents, atol=2e-3, rtol=1e-4)


def spearman(a: list[float], b: list[float]) -> float:
    """By the definition: Pearson's correlation of ranks that equal values share."""

    def ranks(values):
        ordered = sorted(values)
        return [sum(place for place, each in enumerate(ordered) if each == v) / ordered.count(v) for v in values]

    x, y = ranks(a), ranks(b)
    mean = (len(a) - 1) / 2
    across = sum((p - mean) * (q - mean) for p, q in zip(x, y, strict=True))
    return across / math.sqrt(sum((p - mean) ** 2 for p in x) * sum((q - mean) ** 2 for q in y))


def test_rho_is_spearmans_with_shared_ranks_and_its_interval_the_bootstraps(nodes_room):
    room = nodes_room("values.rank_correlation")
    generator = torch.Generator().manual_seed(4)
    early = torch.randn(40, generator=generator)
    final = (0.8 * early + 0.6 * torch.randn(40, generator=generator)).mul(2).round()
    found = room.rank_correlation(early, final)
    assert found.rho == pytest.approx(spearman(early.tolist(), final.tolist()), abs=1e-9)
    # Fisher's z, whose standard error for ranks is about 1.03 / sqrt(n - 3): the interval has about its width
    z, error = math.atanh(found.rho), 1.96 * 1.03 / math.sqrt(37)
    assert found.low == pytest.approx(math.tanh(z - error), abs=0.12)
    assert found.high == pytest.approx(math.tanh(z + error), abs=0.08)
    assert room.rank_correlation(torch.ones(5), final[:5]) == (0.0, 0.0, 0.0)


def test_two_normals_have_the_rho_that_their_correlation_gives(nodes_room):
    room = nodes_room("values.rank_correlation")
    generator = torch.Generator().manual_seed(8)
    early = torch.randn(4000, generator=generator)
    final = 0.6 * early + 0.8 * torch.randn(4000, generator=generator)
    assert room.normal_correlation(float(room.spearman(early, final))) == pytest.approx(0.6, abs=0.03)
    assert room.normal_correlation(1.0) == pytest.approx(1) and room.normal_correlation(-1.0) == pytest.approx(-1)


def test_the_seeds_share_of_pictures_alike_unlike_and_between(nodes_room):
    seed_share = nodes_room("values.seed_share").seed_share
    generator = torch.Generator().manual_seed(3)
    common = torch.randn(1, 3, 32, 32, generator=generator)
    own = torch.randn(24, 3, 32, 32, generator=generator)
    assert seed_share(common.expand(24, -1, -1, -1)) == pytest.approx(0, abs=1e-9)
    assert seed_share(own) == pytest.approx(1, abs=0.02)
    assert seed_share(2 * common + own) == pytest.approx(1 / 5, abs=0.02)


@pytest.mark.parametrize(
    ("share", "drafts", "finished", "expected"),
    [
        (None, 20, 3, {"start_from": "best lookaheads", "count": 20, "finish": 3}),
        (None, 20, 2, {"start_from": "best lookaheads", "count": 20, "finish": 1}),
        (0.4, 11, 5, {"start_from": "continue the best", "cut_percent": 0.4, "count": 11, "finish": 5}),
        (1.0, 6, 6, {"start_from": "continue the best", "count": 6, "finish": 6}),
        (None, 5000, 3, {"start_from": "best lookaheads", "count": 1024, "finish": 3}),
    ],
)
def test_the_choice_is_a_config_and_the_rest_of_it_stays(nodes_room, share, drafts, finished, expected):
    from dataclasses import asdict

    core = nodes_room("settings.advised")
    given = nodes_room("settings.config").LookaheadConfig(
        **nodes_room("settings.definitions").DEFAULTS | {"steps": 3, "guidance_scale": 0.25, "cut_percent": 0.7}
    )
    config = core.advised(given, share, core.Plan(drafts, finished, 1.0, 4.0), 2)
    assert asdict(config) == asdict(given) | expected
