"""LiDAR Start From Best: the final sampler draws, with the lookaheads' seed, the noise of the best lookaheads."""

import pytest
import torch

SEED = 2602
# 100 numbers: torch draws a batch of them at once by other numbers than row by row, so the two ways differ here.
UNEVEN = (4, 5, 5)
EVEN = (4, 8, 8)
REWARDS = torch.tensor([0.2, -0.7, 1.9, 0.4, 1.1])
BEST_FIRST = [2, 4, 3, 0, 1]


@pytest.fixture(scope="module")
def model(build_model):
    return build_model("EPS")


@pytest.fixture
def noise_given(comfy, monkeypatch):
    """noise_given(call) -> the noise that the host's sampler is given while call() runs."""
    import comfy.samplers

    def watch(call):
        seen, original = [], comfy.samplers.sample
        with monkeypatch.context() as patch:
            patch.setattr(
                comfy.samplers,
                "sample",
                lambda model, noise, *a, **k: seen.append(noise) or original(model, noise, *a, **k),
            )
            call()
        return torch.cat(seen)

    return watch


@pytest.fixture
def draw(node_classes, conditioning, model):
    def run(shape=EVEN, count=5, **settings):
        settings = {"seed": SEED, "count": count, "steps": 2, "cfg": 1.0, "batch_size": 2} | settings
        node = node_classes["LiDARSampleLookaheads"]
        return node.execute(model, *conditioning, {"samples": torch.zeros(1, *shape)}, **settings).result[0]

    return run


@pytest.fixture
def host_samples(comfy, conditioning, model):
    import nodes

    def run(latent, model=model, seed=SEED):
        return nodes.common_ksampler(model, seed, 3, 1.0, "euler", "simple", *conditioning, latent, 1.0)[0]["samples"]

    return run


@pytest.fixture
def start(node_classes):
    def run(latent, lookaheads):
        return node_classes["LiDARStartFromBest"].execute(latent, lookaheads).result[0]

    return run


@pytest.fixture
def judged(node_classes):
    """judged(lookaheads, rewards) -> the lookahead set, as LiDAR Rewards From Values makes it."""

    def run(lookaheads, rewards=REWARDS):
        return node_classes["LiDARRewardsFromValues"].execute([lookaheads], rewards.tolist()).result[0]

    return run


def empty(images, shape=EVEN):
    return {"samples": torch.zeros(images, *shape)}


@pytest.mark.parametrize("shape", [EVEN, UNEVEN])
def test_lookahead_i_starts_from_what_ksampler_draws_for_batch_index_i(draw, host_samples, noise_given, shape):
    rows = noise_given(lambda: draw(shape))
    assert rows.shape == (5, *shape)
    for i in range(5):
        drawn = noise_given(lambda i=i: host_samples(empty(1, shape) | {"batch_index": [i]}))
        assert torch.equal(rows[i : i + 1], drawn)
    at_once = noise_given(lambda: host_samples(empty(5, shape)))
    assert torch.equal(rows, at_once) == (shape is EVEN), "one shape must be of the kind in which the two ways differ"


@pytest.mark.parametrize("shape", [EVEN, UNEVEN])
def test_final_images_start_from_the_noise_of_the_best_lookaheads(
    draw, host_samples, noise_given, start, judged, shape
):
    rows = noise_given(lambda: draw(shape))
    latent = start(empty(3, shape), judged(draw(shape)))
    assert latent["batch_index"] == BEST_FIRST[:3]
    assert torch.equal(noise_given(lambda: host_samples(latent)), rows[BEST_FIRST[:3]])


def test_unguided_images_from_the_best_are_ksamplers_at_their_batch_rows(
    node_classes, draw, host_samples, start, judged, model
):
    """The rows by the host's own nodes: a batch of 5, cut apart and joined again."""
    import nodes

    lookaheads = judged(draw())
    unguided = node_classes["LiDARApplyGuidance"].execute(model, lookaheads, guidance_scale=0.0).result[0]
    result = host_samples(start(empty(2), lookaheads), unguided)
    parts = [nodes.LatentFromBatch().frombatch(empty(5), index, 1)[0] for index in BEST_FIRST[:2]]
    rows = {"samples": torch.cat([part["samples"] for part in parts])}
    rows["batch_index"] = [index for part in parts for index in part["batch_index"]]
    assert torch.equal(result, host_samples(rows))
    assert not torch.equal(result, host_samples(empty(2)))


def test_picks_change_the_start(node_classes, draw, start, judged):
    lookaheads = judged(draw())
    picked = node_classes["LiDARPickLookaheads"].execute(lookaheads, "2, -3").result[0]
    assert start(empty(2), picked)["batch_index"] == [1, 4], "no. 2 is now the best, no. 3 the worst"
    alone = node_classes["LiDARPickLookaheads"].execute(lookaheads, "4=2, 1=5", mode="picks alone").result[0]
    assert start(empty(2), alone)["batch_index"] == [0, 3]


def test_sliced_lookaheads_start_from_the_rows_that_they_were_drawn_from(
    draw, host_samples, noise_given, start, judged
):
    import nodes

    rows = noise_given(draw)
    sliced = nodes.LatentFromBatch().frombatch(draw(), 2, 3)[0]
    latent = start(empty(2), judged(sliced, torch.tensor([0.1, -0.5, 0.8])))
    assert torch.equal(noise_given(lambda: host_samples(latent)), rows[[4, 2]])


def test_scored_slices_know_their_rows_too(node_classes, draw, start, monkeypatch, tmp_path):
    import folder_paths

    import nodes

    monkeypatch.setattr(folder_paths, "temp_directory", str(tmp_path))
    sliced = nodes.LatentFromBatch().frombatch(draw(), 1, 3)[0]
    images = torch.tensor([0.3, 0.9, 0.6]).view(3, 1, 1, 1).expand(3, 32, 32, 3)
    brightness = node_classes["LiDARRewardModelLoader"].execute("brightness").result[0]
    scored = node_classes["LiDARScoreLookaheads"].execute(sliced, images, brightness).result[0]
    assert start(empty(3), scored)["batch_index"] == [2, 3, 1]
    assert [each.row for each in scored.origins] == [1, 2, 3]


def test_images_of_several_seeds_are_refused_and_parts_of_one_are_not(node_classes, draw, start):
    import nodes

    values = node_classes["LiDARRewardsFromValues"]
    joined = values.execute([draw(count=2), draw(seed=SEED + 1, count=2)], [0.1, 0.3, 0.2, 0.4]).result[0]
    message = f"^LiDAR Start From Best: the lookaheads are of the seeds {SEED}, {SEED + 1}, and a sampler draws with one .* one seed$"
    with pytest.raises(ValueError, match=message):
        start(empty(2), joined)
    latent, seed = node_classes["LiDARStartFromBest"].execute(empty(1), joined).result
    assert (latent["batch_index"], seed) == ([1], SEED + 1), "one image is of one seed, which the node gives"
    parts = [nodes.LatentFromBatch().frombatch(draw(), index, 2)[0] for index in (3, 0)]
    assert start(empty(2), values.execute(parts, [0.1, 0.4, 0.2, 0.3]).result[0])["batch_index"] == [4, 1]


def test_everything_else_of_the_latent_stays(draw, start, judged):
    latent = {
        "samples": torch.randn(2, *EVEN, generator=torch.Generator().manual_seed(1)), "noise_mask": torch.rand(1, 1, 64, 64),
        "batch_index": [8, 9], "type": "image",
    }  # fmt: skip
    kept = dict(latent)
    result = start(latent, judged(draw()))
    assert latent == kept, "the latent that came in is not changed"
    assert result.pop("batch_index") == BEST_FIRST[:2]
    assert all(result[name] is latent[name] for name in ("samples", "noise_mask", "type")) and len(result) == 3


def test_equal_rewards_start_in_order(draw, start, judged):
    assert start(empty(3), judged(draw(), torch.tensor([0.5, 0.1, 0.5, 0.5, 0.1])))["batch_index"] == [0, 2, 3]


def test_the_node_says_which_lookaheads_it_took(node_classes, draw, judged, monkeypatch, nodes_room):
    told = []
    monkeypatch.setattr(nodes_room("start_from_best"), "show_on_node", lambda hidden, text: told.append(text))
    node_classes["LiDARStartFromBest"].execute(empty(2), judged(draw()))
    assert told == [f"starts from no. 3, 5 of seed {SEED}"], "numbers as on the ranked pictures, from 1"


def test_images_beyond_the_lookaheads_start_from_rows_that_none_of_them_had(draw, start, judged):
    assert start(empty(8), judged(draw()))["batch_index"] == [*BEST_FIRST, 5, 6, 7]


def test_rows_that_a_part_of_the_lookaheads_left_out_are_unused(start, lidar_core):
    origins = [lidar_core.Origin(2), lidar_core.Origin(0)]
    part = lidar_core.LookaheadSet(torch.zeros(2, *EVEN), torch.tensor([0.1, 0.9]), origins=origins)
    assert start(empty(5), part)["batch_index"] == [0, 2, 1, 3, 4]


def test_one_noise_of_two_models_gives_one_image(start, lidar_core):
    origins = [lidar_core.Origin(4, 7, "a"), lidar_core.Origin(1, 7, "a"), lidar_core.Origin(4, 7, "b")]
    both = lidar_core.LookaheadSet(torch.zeros(3, *EVEN), torch.tensor([0.5, 0.2, 0.9]), origins=origins)
    assert start(empty(3), both)["batch_index"] == [4, 1, 0]
    strangers = [lidar_core.Origin(each.row) for each in origins]
    unknown = lidar_core.LookaheadSet(torch.zeros(3, *EVEN), torch.tensor([0.5, 0.2, 0.9]), origins=strangers)
    with pytest.raises(ValueError, match="^LiDAR Start From Best: 2 lookaheads are row 4 .* not all of one seed"):
        start(empty(3), unknown)


def test_latent_of_several_parts_is_refused(draw, start, judged):
    from comfy.nested_tensor import NestedTensor

    nested = {"samples": NestedTensor([torch.zeros(1, *EVEN), torch.zeros(1, 4, 2, 8)])}
    with pytest.raises(ValueError, match="^LiDAR Start From Best: .* several parts .* wanted .* in one part: connect"):
        start(nested, judged(draw()))
