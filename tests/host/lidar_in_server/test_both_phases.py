"""LiDAR KSampler in the real server: both phases run, are shown, and can be cancelled."""

from __future__ import annotations

import io
import json

from PIL import Image


def test_one_node_runs_both_phases(latent_of, first_run):
    order = (
        "LiDARKSampler",
        "LiDARSampleLookaheads",
        "VAEDecode",
        "LiDARScoreLookaheads",
        "LiDARApplyGuidance",
        "KSampler",
    )
    assert tuple(name for name in first_run.executed_classes if name in order) == order
    assert latent_of(first_run).shape == (2, 4, 8, 8)


def test_ranking_settings_and_progress_of_both_phases_are_shown(server, first_run):
    shown = {node: text for node, text in first_run.texts}
    assert "4 lookaheads of 2 steps" in shown["config"]
    assert any(node == "lidar" and "best" in text and "of 4 lookaheads" in text for node, text in first_run.texts)
    assert shown["lidar"].startswith("guided 3 of 3 steps;\n")
    classes = {first_run.class_of(step.node) for step in first_run.progress}
    assert {"LiDARSampleLookaheads", "KSampler"} <= classes
    ends = [step for step in first_run.progress if first_run.class_of(step.node) == "LiDARSampleLookaheads"]
    assert {step.maximum for step in ends} == {4.0}, "two chunks of two steps are one bar"
    told = {first_run.class_of(node): output for node, output in first_run.outputs.items() if node.startswith("lidar.")}
    assert told["LiDARScoreLookaheads"]["text"][0].startswith("scores ")
    assert told["LiDARRunReport"]["text"] == ["guided 3 of 3 steps, sigma 14.6 to 0.0292"]
    sheet = json.loads(told["LiDARScoreLookaheads"]["lidar_sheet"][0])
    assert sorted(sheet["numbers"]) == [1, 2, 3, 4]
    for number in sheet["numbers"]:
        thumbnail = server.view({"filename": f"{number}.jpg", "subfolder": sheet["folder"], "type": "temp"})
        assert Image.open(io.BytesIO(thumbnail)).size == (64, 64)
    started = json.loads(told["LiDARRunReport"]["lidar_sheet"][0])["started"]
    assert started == [], "own noise"


def test_one_lookahead_runs_and_says_that_it_cannot_steer(graph, run):
    result = run(graph({"config": {"count": 1}}))
    assert any(node == "lidar" and "one lookahead cannot steer" in text for node, text in result.texts)


def test_cancel_ends_the_lookahead_phase(graph, server):
    def cancel_at_first_step(kind, data):
        if kind == "progress" and "LiDARSampleLookaheads" in data["node"]:
            server.interrupt()

    result = server.queue(graph({"config": {"count": 400, "batch_size": 1}}), timeout=60, on_event=cancel_at_first_step)
    assert result.status == "interrupted"
    assert result.executed_classes[-1] == "LiDARSampleLookaheads"


def test_modular_nodes_run_to_the_end(modular, run, latent_of):
    result = run(modular())
    assert latent_of(result).shape == (2, 4, 8, 8)


def test_a_batch_larger_than_the_lookaheads_goes_on_with_noise_that_none_of_them_had(run_from_best, latent_of):
    result = run_from_best({"latent": {"batch_size": 6}})
    assert latent_of(result).shape == (6, 4, 8, 8)
    assert any("; 2 more images from noise that no lookahead had" in text for _, text in result.texts)
    assert len({row.sum().item() for row in latent_of(result)}) == 6, "all different"


def test_a_larger_batch_with_noise_of_its_own_needs_no_more_lookaheads(graph, run, latent_of):
    assert latent_of(run(graph({"latent": {"batch_size": 5}}))).shape == (5, 4, 8, 8)
