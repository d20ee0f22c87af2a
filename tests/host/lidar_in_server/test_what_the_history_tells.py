"""Whoever has no websocket reads what was done in the history: under the id of a child of LiDAR KSampler, as the card tells it."""

from __future__ import annotations

import json

import pytest

CONTINUE = {"config": {"start_from": "continue the best"}}
IDLE = "lookahead_model is not used: start_from is continue the best; choose best lookaheads to use it"


def told(result, child: str = "LiDARRunReport") -> list[str]:
    """The lines of the only child of this class, which are those of the card too."""
    (output,) = (output for node_id, output in result.outputs.items() if result.class_of(node_id) == child)
    facts = [" ".join(fact).strip() for fact in json.loads(output["lidar_sheet"][0]).get("run_facts", [])]
    (text,) = output["text"]
    assert facts == [line for line in text.split("\n") if not line.startswith("look first")]
    return text.split("\n")


def test_the_notes_of_a_set_are_told_with_the_run(graph, run):
    prompt = "{red|blue} __shapes__ " + "and more " * 60
    lines = told(run(graph({"lidar": {"picks": "3 @zzzz", "prompt": prompt}})))
    assert lines[0].startswith("guided 3 of 3 steps, sigma ")
    assert [line.split(" are ")[0].split(" in the ")[0] for line in lines[1:3]] == ["{red|blue}", "__shapes__"]
    assert " of 124 words of the prompt" in lines[3]
    assert lines[4].startswith("picks 3 are for the set zzzz and not used: this is the set ") and len(lines) == 5


def test_so_are_they_where_a_run_ends_to_be_looked_at(graph, run):
    lines = told(run(graph(CONTINUE, {"lidar": {"picks": "3 @zzzz", "look_first": True}})), "LiDARLookFirst")
    assert lines[0].startswith("look first: ") and lines[1].startswith("picks 3 are for the set zzzz and not used")


def test_and_where_the_lookaheads_are_scored_by_hand(modular, run):
    prompt = modular()
    prompt["score"]["inputs"]["prompt"] = "one __shape__"
    pick = {"lookahead_set": ["score", 0], "picks": "2 @zzzz", "mode": "on top of the rewards", "weight": 3.0}
    prompt["pick"] = {"class_type": "LiDARPickLookaheads", "inputs": pick}
    prompt["guide"]["inputs"]["lookaheads"] = ["pick", 0]
    outputs = run(prompt).outputs
    assert outputs["score"]["text"][0].startswith("__shape__ in the prompt is read as its name")
    assert outputs["pick"]["text"][0].startswith("picks 2 are for the set zzzz and not used")


# Four lookaheads; two of three steps in full with cfg 3 are two evaluations each
@pytest.mark.parametrize(
    ("changes", "lines"),
    [
        (
            {"start_from": "best lookaheads", "finish": 3},
            [
                "3 finished, 2 kept: about 1.5 times the time of finishing 2",
                "3 images",
                "34 model evaluations, 16 of them for the lookaheads",
            ],
        ),
        (
            {"start_from": "best lookaheads", "finish": 2, "cfg": 1.0},
            ["2 images", "20 model evaluations, 8 of them for the lookaheads"],
        ),
        ({"start_from": "continue the best"}, ["16 model evaluations, 8 of them for the lookaheads"]),
        (
            {"start_from": "continue the best", "finish": 3},
            ["20 model evaluations, 8 of them for the lookaheads"],
        ),
    ],
)
def test_the_cost_is_that_of_lookaheads_and_images(graph, run, changes, lines):
    for picks in ("", "-4"):  # the second time the lookaheads are kept
        result = run(graph({"config": changes}, {"lidar": {"picks": picks}}))
        assert [line for line in told(result) if line in lines] == lines
        assert lines[-1] in [text for node, text in result.texts if node == "lidar"][-1]


def test_a_lookahead_model_that_is_not_used_is_told(graph, run):
    result = run(graph(CONTINUE, {"lidar": {"lookahead_model": ["demo", 0]}}))
    assert IDLE in told(result)
    assert [text for node, text in result.texts if node == "lidar"][-1].split(";\n")[1].startswith("lookahead_model is")
    assert IDLE not in told(run(graph(CONTINUE)))


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"guidance_scale": 0.0}, "guidance_scale is 0"),
        ({"reward_strength": 0.0}, "reward_strength is 0"),
        ({"start_percent": 0.3, "end_percent": 0.3}, "start_percent and end_percent are both 0.3"),
    ],
)
@pytest.mark.parametrize("start_from", ["own noise", "best lookaheads"])
def test_it_is_told_why_nothing_is_guided(graph, run, changes, why, start_from):
    result = run(graph({"config": changes | {"start_from": start_from}}))
    assert told(result) == [f"nothing is guided: {why}"]
    assert [text for node, text in result.texts if node == "lidar"][-1].startswith(f"nothing is guided: {why}")


@pytest.mark.parametrize(
    ("count", "batch", "told_of_it"),
    [
        (1, 1, "one candidate leaves nothing to choose; set count to 8 or more"),
        (1, 2, "all 2 candidates go on, so nothing was chosen at the cut; raise count"),
        (3, 2, None),
    ],
)
def test_candidates_that_all_go_on_leave_nothing_to_choose(graph, run, count, batch, told_of_it):
    lines = told(run(graph(CONTINUE, {"config": {"count": count}, "latent": {"batch_size": batch}})))
    found = [line for line in lines if "choose" in line or "chosen" in line]
    assert found == ([told_of_it] if told_of_it else [])
