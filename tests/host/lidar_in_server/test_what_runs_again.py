"""What the host's cache keeps when one thing changed, by the nodes that really ran."""

from __future__ import annotations

import pytest


def test_changing_only_the_reward_model_keeps_the_lookaheads(graph, run, first_run, record_figure):
    result = run(graph({"lidar": {"reward_model": ["brightness", 0]}}))
    record_figure("executed after a change of the reward model", ", ".join(result.executed_classes))
    assert {"LiDARScoreLookaheads", "LiDARApplyGuidance", "KSampler"} <= set(result.executed_classes)
    assert not {"LiDARSampleLookaheads", "VAEDecode"} & set(result.executed_classes)


@pytest.mark.parametrize("change", [{"guidance_scale": 1.0}, {"reward_strength": 2.0}])
def test_changing_only_strength_keeps_lookaheads_and_scores(graph, run, first_run, record_figure, change):
    result = run(graph({"config": change}))
    record_figure(f"executed after a change of {next(iter(change))}", ", ".join(result.executed_classes))
    assert {"LiDARApplyGuidance", "KSampler"} <= set(result.executed_classes)
    assert not {"LiDARSampleLookaheads", "VAEDecode", "LiDARScoreLookaheads"} & set(result.executed_classes)


@pytest.mark.parametrize("name", ["guidance_scale", "reward_strength"])
def test_changing_a_linked_strength_keeps_lookaheads_and_scores(graph, run, record_figure, name):
    """Another node decides the setting, so that no value of it is in the prompt when LiDAR KSampler expands."""

    def linked(value: float) -> dict:
        number = {"class_type": "PrimitiveFloat", "inputs": {"value": value}}
        return graph({"config": {name: ["number", 0]}}) | {"number": number}

    assert "LiDARSampleLookaheads" in run(linked(2.0)).executed_classes
    result = run(linked(3.0))
    record_figure(f"executed after a change of a linked {name}", ", ".join(result.executed_classes))
    assert {"PrimitiveFloat", "LiDARApplyGuidance", "KSampler"} <= set(result.executed_classes)
    assert not {"LiDARSampleLookaheads", "VAEDecode", "LiDARScoreLookaheads"} & set(result.executed_classes)


def test_changing_the_final_sampler_keeps_everything_before_it(graph, run, first_run):
    result = run(graph({"lidar": {"steps": 4}}))
    assert result.executed_classes == ("LiDARKSampler", "KSampler", "LiDARRunReport", "SaveLatent")


def test_changing_only_the_reward_chooses_the_start_anew_and_keeps_the_lookaheads(run_from_best, record_figure):
    first = run_from_best()
    assert {"LiDARSampleLookaheads", "LiDARStartFromBest"} <= set(first.executed_classes)
    result = run_from_best({"lidar": {"reward_model": ["brightness", 0]}})
    record_figure("executed after a change of the reward, from the best lookaheads", ", ".join(result.executed_classes))
    again = {"LiDARScoreLookaheads", "LiDARStartFromBest", "LiDARApplyGuidance", "KSampler"}
    assert again <= set(result.executed_classes)
    assert not {"LiDARSampleLookaheads", "VAEDecode"} & set(result.executed_classes)


@pytest.mark.parametrize("change", [{"guidance_scale": 0.3}, {"reward_strength": 2.0}, {"effective_dimension": 64.0}])
def test_changing_only_strength_keeps_the_start_from_the_best(run_from_best, change, record_figure):
    run_from_best()
    result = run_from_best({"config": change})
    record_figure(f"executed after a change of {next(iter(change))}, from the best", ", ".join(result.executed_classes))
    assert {name for name in result.executed_classes if name not in ("LiDARKSampler", "LiDARLookaheadConfig")} == {
        "LiDARApplyGuidance", "KSampler", "LiDARRunReport", "SaveLatent",
    }  # fmt: skip


def test_other_picks_start_from_other_lookaheads(run_from_best, best_numbers):
    first = best_numbers(run_from_best())
    worst = next(number for number in range(1, 5) if number not in first)
    result = run_from_best({"lidar": {"picks": f"{worst}=9"}})
    assert best_numbers(result) == [worst, first[0]]
    assert not {"LiDARSampleLookaheads", "LiDARScoreLookaheads"} & set(result.executed_classes)


@pytest.mark.parametrize("change", [{"finish": 3}, {"finish": 4, "guidance_scale": 0.3}])
def test_finishing_more_keeps_lookaheads_and_scores(run_from_best, change, record_figure):
    run_from_best()
    result = run_from_best({"config": change})
    record_figure(f"executed after a change of finish to {change['finish']}", ", ".join(result.executed_classes))
    assert {"LiDARStartFromBest", "LiDARSampleInParts", "LiDARKeepBest"} <= set(result.executed_classes)
    assert not {"LiDARSampleLookaheads", "VAEDecode", "LiDARScoreLookaheads"} & set(result.executed_classes)


@pytest.mark.parametrize("change", [{"finish": 3}, {"guidance_scale": 0.3}, {"steps": 7, "cfg": 2.0}])
def test_candidates_are_kept_where_they_stand(run, graph, change, record_figure):
    """Steps and cfg of lookaheads are not read by them."""
    run(graph({"config": {"start_from": "continue the best"}}))
    result = run(graph({"config": {"start_from": "continue the best"} | change}))
    record_figure(f"executed after a change of {next(iter(change))}, continuing", ", ".join(result.executed_classes))
    assert not {"LiDARSampleCandidates", "VAEDecode", "LiDARScoreLookaheads"} & set(result.executed_classes)


def test_another_cut_draws_the_candidates_again(run, graph):
    run(graph({"config": {"start_from": "continue the best"}}))
    result = run(graph({"config": {"start_from": "continue the best", "cut_percent": 0.7}}))
    assert {"LiDARSampleCandidates", "LiDARScoreLookaheads", "LiDARContinueBest"} <= set(result.executed_classes)
