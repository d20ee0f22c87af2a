"""A cancel in any phase leaves nothing behind: the next result is a fresh server's, bit for bit. Nor do thirty runs."""

from __future__ import annotations

import pytest
import torch

# Enough of each for the cancel to come while its phase runs
MANY = {"config": {"count": 64, "steps": 1, "batch_size": 8}, "lidar": {"steps": 60}}
PHASES = {
    "drawing": ("progress", "LiDARSampleLookaheads"),
    "decoding": ("executing", "VAEDecode"),
    "scoring": ("progress", "LiDARScoreLookaheads"),
    "guided sampling": ("progress", "KSampler"),
}
NAMES = ("LiDARSampleLookaheads", "VAEDecode", "LiDARScoreLookaheads", "KSampler")


@pytest.fixture(scope="module")
def fresh_server(new_server):
    """A server of its own, for this module alone."""
    return new_server()


@pytest.fixture
def plain_graph(graph):
    """plain_graph(seed) -> the prompt that is compared; the demo model's own reward, so that every phase has a network."""
    return lambda seed: graph({"lidar": {"seed": seed, "reward_model": ["demo", 3]}})


@pytest.mark.parametrize("phase", PHASES)
def test_after_a_cancel_the_next_result_is_that_of_a_fresh_server(
    fresh_server, server, graph, plain_graph, latent_of, phase
):
    kind, name = PHASES[phase]

    def cancel(event, data):
        if event == kind and (data.get("node") or "").endswith(name):
            server.interrupt()

    seed = 1000 + list(PHASES).index(phase)
    cancelled = server.queue(graph(MANY, {"lidar": {"seed": seed}}), timeout=120, on_event=cancel)
    assert cancelled.status == "interrupted", cancelled.message
    assert name in cancelled.executed_classes
    # The host asks for a cancel before a node runs, but after it has said that it runs
    later = NAMES.index(name) + (2 if kind == "executing" else 1)
    assert set(NAMES[later:]).isdisjoint(cancelled.executed_classes), "no later phase may begin"
    after = server.queue(plain_graph(seed), timeout=120)
    assert after.status == "success", after.message
    assert set(NAMES) <= set(after.executed_classes), "nothing of the cancelled run may be taken"
    fresh = fresh_server.queue(plain_graph(seed), timeout=120)
    assert fresh.status == "success", fresh.message
    assert torch.equal(latent_of(after), latent_of(fresh, server=fresh_server))
    assert [text for node, text in after.texts if node == "lidar"] == [
        text for node, text in fresh.texts if node == "lidar"
    ]


def test_thirty_runs_leave_nothing_behind(fresh_server, plain_graph, record_figure):
    def run(number, look):
        prompt = plain_graph(number)
        if look:
            inputs = {"model": ["demo", 0], "after": ["lidar", 0], "run": number}
            prompt["alive"] = {"class_type": "WhatIsAlive", "inputs": inputs}
        result = fresh_server.queue(prompt, timeout=120)
        assert result.status == "success", result.message
        return result.outputs["alive"]["alive"][0] if look else None

    looks = {number: run(number, number in (5, 30)) for number in range(1, 31)}
    before, after = looks[5], looks[30]
    for name in before:
        record_figure(f"server, after 5 and 30 runs: {name}", f"{before[name]:.0f}, {after[name]:.0f}")
    assert after["megabytes"] - before["megabytes"] < 50
    assert after["all objects"] - before["all objects"] < 5000  # the host keeps a history
    measured = {"megabytes", "all objects"}
    assert {name: after[name] for name in before if name not in measured} == {
        name: before[name] for name in before if name not in measured
    }
