"""The demo's figures are those of its images, and its sheet holds them all."""

import json

import pytest
from PIL import Image

from devtools.demo_report import DemoReport, JudgedImage
from devtools.demo_sheet import comparison_sheet

PICTURE = Image.new("RGB", (64, 64), (40, 90, 60))
PHASES = {
    "vanilla sampling": 3.25, "lookahead sampling": 2.0, "lookahead decoding": 0.25, "scoring": 0.5, "guided sampling": 4.0,
}  # fmt: skip


def group(name, rewards, verdicts):
    return tuple(
        JudgedImage(PICTURE, PICTURE, f"{name}_{i}.png", reward, correct, "a reason")
        for i, (reward, correct) in enumerate(zip(rewards, verdicts, strict=True))
    )


def report(*, lookaheads=16, known_prompt=True):
    def verdict(correct):
        return correct if known_prompt else None

    return DemoReport(
        prompt="a red circle left of a blue square",
        reward_name="CLIP score",
        vanilla=group("vanilla", [0.1, 0.4], [verdict(False), verdict(True)]),
        lookaheads=group("lookahead", [0.5] * lookaheads, [verdict(True)] * lookaheads),
        guided=group("guided", [0.3, 0.5], [verdict(True), verdict(True)]),
        seconds=PHASES,
        settings={"steps": 25, "seed": 3},
        versions={"torch": "2.11.0"},
    )


def test_summary_gives_means_counts_and_each_image():
    summary = json.loads(json.dumps(report().summary()))
    assert summary["vanilla"]["mean_reward"] == pytest.approx(0.25)
    assert summary["vanilla"]["correct"] == 1
    assert summary["guided"]["correct"] == 2
    assert summary["lookaheads"]["count"] == 16
    assert summary["guided"]["images"][1] == {
        "file": "guided_1.png",
        "reward": 0.5,
        "correct": True,
        "reason": "a reason",
    }
    assert summary["seconds"]["guided sampling"] == 4.0


def test_time_of_lookaheads_holds_all_until_they_are_ranked_and_counts_in_that_of_lidar():
    lines = report().table().splitlines()
    assert lines[1].split()[-4:] == ["1", "of", "2", "3.2"]
    assert lines[2].split()[-1] == "2.8"
    assert lines[3].split()[-1] == "6.8"
    assert "0.4000" in lines[3]


def test_prompt_that_the_referee_does_not_know_is_not_counted_as_wrong():
    unknown = report(known_prompt=False)
    assert unknown.summary()["vanilla"]["correct"] is None
    assert "not judged" in unknown.table()
    comparison_sheet(unknown)


@pytest.mark.parametrize("lookaheads", [1, 16, 50])
def test_sheet_grows_with_the_lookaheads_and_keeps_its_width(lookaheads):
    few, many = comparison_sheet(report(lookaheads=1)), comparison_sheet(report(lookaheads=lookaheads))
    assert many.width == few.width
    further_rows = -(-lookaheads // 16) - 1
    assert many.height - few.height >= further_rows * 90  # a picture of a sixteenth of the width, less the margins
