"""Look first: a run ends behind the scored lookaheads, and the next one, with a favourite or without the switch, finishes out of the cache."""

from __future__ import annotations

import re

import pytest
import torch

LOOK = {"lidar": {"look_first": True}}
DRAWN = {"LiDARSampleLookaheads", "LiDARSampleCandidates", "LiDARScoreLookaheads"}
SAMPLERS = {"KSampler", "LiDARSampleInParts", "LiDARContinueBest"}
CONTINUE = {"config": {"start_from": "continue the best"}}
STARTS = [{"config": {"start_from": start}} for start in ("best lookaheads", "own noise", "continue the best")]


@pytest.fixture(params=STARTS, ids=lambda change: change["config"]["start_from"])
def looked(request, graph):
    """looked(*changes) -> a prompt that looks first, with the ranked lookaheads shown."""

    def prompt(*changes):
        made = graph(request.param, {"config": {"finish": 0}}, LOOK, *changes)
        return made | {"ranked": {"class_type": "PreviewImage", "inputs": {"images": ["lidar", 2]}}}

    return prompt


def sampled(result) -> set[str]:
    """The classes of the nodes that did a step of a sampler."""
    return {result.class_of(step.node) for step in result.progress}


def said(result) -> str:
    return [text for told, text in result.texts if told == "lidar"][-1]


def set_of(result) -> str:
    return re.search(r"set ([a-z2-9]{4})$", said(result))[1]


def test_a_run_ends_at_the_sheet_and_what_comes_behind_is_left_out(looked, run):
    result = run(looked())
    assert not SAMPLERS & sampled(result) and "save" not in result.outputs
    assert len(result.outputs["ranked"]["images"]) == 4
    assert any("lidar_sheet" in output for output in result.outputs.values())
    assert said(result).startswith("look first: click what you like, then Finish picked;\n")


@pytest.mark.parametrize("change", [{"look_first": False}, {"picks": "3"}])
def test_the_next_run_finishes_out_of_the_cache(looked, run, latent_of, change):
    run(looked())
    result = run(looked({"lidar": change}))
    assert SAMPLERS & sampled(result) and not DRAWN & set(result.executed_classes)
    plain = looked({"lidar": change | {"look_first": False, "picks": change.get("picks", "")}})
    plain["save"]["inputs"]["filename_prefix"] = "never looked"
    assert torch.equal(latent_of(result), latent_of(run(plain)))


def test_picks_of_another_set_and_rejects_are_no_favourites(looked, run):
    name = set_of(run(looked()))
    rejected = run(looked({"lidar": {"picks": f"-3 @{name}"}}))
    assert "save" not in rejected.outputs and not DRAWN & set(rejected.executed_classes)
    other = run(looked({"lidar": {"seed": 20_261_127, "picks": f"3 @{name}"}}))
    assert "save" not in other.outputs
    assert said(other).startswith("look first: click what you like, then Finish picked;\npicks 3 are for the set ")


@pytest.mark.parametrize("on", [True, False])
def test_the_switch_may_be_linked(looked, run, on):
    prompt = looked({"lidar": {"look_first": ["switch", 0]}})
    prompt["switch"] = {"class_type": "PrimitiveBoolean", "inputs": {"value": on}}
    assert ("save" in run(prompt).outputs) is not on


def test_the_set_is_handed_on_all_the_same(graph, run):
    """So that further nodes can use it."""
    prompt = graph(CONTINUE, LOOK)
    prompt["pick"] = {
        "class_type": "LiDARPickLookaheads",
        "inputs": {"lookahead_set": ["lidar", 1], "picks": "2", "mode": "on top of the rewards", "weight": 3.0},
    }
    prompt["shown"] = {"class_type": "PreviewAny", "inputs": {"source": ["pick", 1]}}
    assert run(prompt).outputs["shown"]["text"] == ["1"]
