"""What a node tells the page of the images that it ranked: numbers, scores, thumbnails, and a few words on the scores."""

import json

import numpy as np
import pytest
import scipy.stats
import torch
from PIL import Image

BRIGHTNESS = torch.tensor([0.25, 0.75, 0.0, 1.0, 0.5])


@pytest.fixture
def temporary(monkeypatch, tmp_path):
    import folder_paths

    monkeypatch.setattr(folder_paths, "temp_directory", str(tmp_path / "not there yet"))
    return tmp_path / "not there yet"


@pytest.fixture
def score(node_classes, temporary):
    """score(images, reward) -> the ui of LiDAR Score Lookaheads."""

    def run(images, reward):
        latents = torch.randn(len(images), 4, 8, 8, generator=torch.Generator().manual_seed(3))
        return node_classes["LiDARScoreLookaheads"].execute({"samples": latents}, images, reward, "a lamp", 4).ui

    return run


@pytest.fixture
def load(node_classes):
    return lambda kind: node_classes["LiDARRewardModelLoader"].execute(kind).result[0]


def pictures(height, width, channels=3, levels=BRIGHTNESS):
    """One flat picture a level, with a black corner so that left, right, top and bottom differ."""
    images = levels.view(-1, 1, 1, 1).repeat(1, height, width, channels)
    images[:, : height // 4, : width // 2] = 0
    return images


def test_numbers_and_scores_come_best_first_and_each_thumbnail_is_its_picture(score, load, temporary):
    images = pictures(40, 60)
    ui = score(images, load("brightness"))
    sheet = json.loads(ui["lidar_sheet"][0])
    assert sheet["numbers"] == [4, 2, 5, 1, 3]
    np.testing.assert_allclose(sheet["scores"], BRIGHTNESS[[3, 1, 4, 0, 2]] * 7 / 8, rtol=1e-3)
    assert sheet["judges"] == {} and "images" not in ui
    files = sorted((temporary / sheet["folder"]).iterdir())
    assert [file.name for file in files] == [f"{number}.jpg" for number in range(1, 6)]
    for image, file in zip(images, files, strict=True):
        shown = np.asarray(Image.open(file).convert("RGB")) / 255
        assert shown.shape == (40, 60, 3)
        assert np.abs(shown - image.numpy()).mean() < 0.02


@pytest.mark.parametrize(
    ("height", "width", "channels", "shown"),
    [(1024, 1024, 3, (512, 512)), (300, 1200, 4, (512, 128)), (64, 48, 1, (48, 64)), (2000, 3, 3, (1, 512))],
)
def test_thumbnails_are_small_whatever_the_pictures(score, load, temporary, height, width, channels, shown):
    sheet = json.loads(score(pictures(height, width, channels, BRIGHTNESS[:2]), load("brightness"))["lidar_sheet"][0])
    with Image.open(temporary / sheet["folder"] / "2.jpg") as thumbnail:
        assert thumbnail.size == shown and thumbnail.mode == "RGB"
        assert not thumbnail.getexif() and "comment" not in thumbnail.info


def test_the_message_is_small_and_holds_no_picture(score, load, record_figure):
    images = torch.rand(100, 16, 16, 3, generator=torch.Generator().manual_seed(1))
    size = len(json.dumps(score(images, load("brightness"))))
    record_figure("contact sheet: bytes of the message for 100 lookaheads, one judge", size)
    assert size < 10_000


@pytest.fixture
def facts_of(nodes_room):
    return nodes_room("values.score_facts").score_facts


def test_facts_are_those_of_numpy_and_scipy(facts_of, nodes_room):
    draw = np.random.default_rng(5)
    rewards = draw.normal(3.0, 2.0, 17)
    one, other, third = rewards + draw.normal(0, 2, 17), draw.normal(0, 1, 17).round(), -rewards + draw.normal(0, 9, 17)
    judges = {"a": torch.tensor(one), "b": torch.tensor(other), "c": torch.tensor(third)}
    pairs = [scipy.stats.spearmanr(x, y).statistic for x, y in ((one, other), (one, third), (other, third))]
    spread, best = rewards.std(ddof=1), rewards.max()
    ahead = (best - (rewards.sum() - best) / 16) / spread
    assert facts_of(torch.tensor(rewards), judges) == [
        ("scores", f"{rewards.min():.3g} to {best:.3g}"),
        ("spread of the scores", f"{spread:.2g}"),
        ("the best is ahead of the others by", f"{ahead:.2g} spreads"),
        ("judges agree", f"{np.mean(pairs):.2f} of 1, least {min(pairs):.2f}"),
    ]
    correlation = nodes_room("values.rank_correlation").spearman
    assert float(correlation(judges["a"], judges["b"])) == pytest.approx(pairs[0], abs=1e-12)


@pytest.mark.parametrize(
    ("rewards", "judges", "told"),
    [
        ([0.5], [], ["scores"]),
        ([0.5, 0.5, 0.5], [[1, 1, 1], [1, 2, 3]], ["scores", "judges agree"]),
        ([1e12, -1e12], [[1, 2], [2, 1]], ["scores", "spread of the scores", "the best is ahead of the others by"]),
        ([3.0, 1.0, 2.0], [[1, 2, 3]], ["scores", "spread of the scores", "the best is ahead of the others by"]),
    ],
)
def test_facts_are_told_where_there_are_any(facts_of, rewards, judges, told):
    judges = {str(number): torch.tensor(scores).float() for number, scores in enumerate(judges)}
    facts = facts_of(torch.tensor(rewards), judges)
    assert [what for what, _ in facts] == told
    assert not any("nan" in much or "inf" in much for _, much in facts)


def test_a_judge_that_is_turned_round_agrees_when_it_says_the_opposite(score, load, node_classes):
    def agreement(weights):
        both = {"reward_1": load("brightness"), "reward_2": load("contrast")}
        combined = node_classes["LiDARCombineRewards"].execute(both, weights).result[0]
        facts = dict(json.loads(score(pictures(40, 60), combined)["lidar_sheet"][0])["facts"])
        return float(facts["judges agree"].removesuffix(" of 1"))

    assert agreement("1, 1") == 1.0, "the brighter the rest, the more the black corner stands out"
    assert agreement("1, -1") == -1.0
    assert agreement("-1, -1") == agreement("1, 0") == 1.0


def test_the_facts_are_told_as_text_too(score, load):
    ui = score(pictures(40, 60), load("brightness"))
    facts = json.loads(ui["lidar_sheet"][0])["facts"]
    assert ui["text"] == ["\n".join(f"{what} {much}" for what, much in facts)]
    assert ui["text"][0].startswith(
        "scores 0 to 0.875\nspread of the scores 0.35\nthe best is ahead of the others by 1.6 spreads"
    )


@pytest.mark.parametrize(("from_best", "started"), [(True, [3, 1]), (False, [])])
def test_a_run_tells_which_lookaheads_it_started_from_and_what_it_guided(
    node_classes, nodes_room, build_model, lidar_core, from_best, started
):
    origins = [lidar_core.Origin(row) for row in (4, 9, 2)]
    told_with_it = {"notes": "a note: of two words", "set": "k7f2"}
    lookaheads = lidar_core.LookaheadSet(
        torch.zeros(3, 4, 8, 8), torch.arange(3.0), metadata=told_with_it, origins=origins
    )
    model, latent = build_model("EPS"), {"samples": torch.zeros(3, 4, 8, 8), "batch_index": [2, 4, 7]}
    report = nodes_room("host.run_report").RunReport(lookaheads, lambda text: None)
    report.attach(model)
    report("guided 6 of 20 steps\nsigma 14 to 3\nbest lookahead no. 3 of 3")
    output = node_classes["LiDARRunReport"].execute(latent, model.clone(), lookaheads, from_best, "")
    assert output.result[0]["samples"] is latent["samples"]
    part = json.loads(output.ui["lidar_sheet"][0])
    note = ["", "a note: of two words"]
    other = [["more images, from other noise", "1"]] if from_best else []  # row 7
    assert (part["started"], part["run_facts"]) == (started, [["guided", "6 of 20 steps, sigma 14 to 3"], note, *other])
    assert output.ui["text"][0].split("\n")[:2] == ["guided 6 of 20 steps, sigma 14 to 3", "a note: of two words"]
    report("no step of 20 was guided: raise end_percent")
    part = json.loads(
        node_classes["LiDARRunReport"].execute(latent, model, lookaheads, from_best, "").ui["lidar_sheet"][0]
    )
    assert part["run_facts"] == [["", "no step of 20 was guided: raise end_percent"], note, *other]
