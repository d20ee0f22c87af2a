"""The training loop: an interrupted run ends with the weights of an uninterrupted one."""

import pytest
import torch
from torch import nn

from demo_model.training.loop import LoopConfig, train


class _StopError(Exception):
    pass


def _fit(checkpoint, steps, stop_at=None):
    torch.manual_seed(0)
    module = nn.Linear(3, 1)
    count = 0

    def loss_of_step(rng, generator):
        nonlocal count
        count += 1
        if stop_at is not None and count > stop_at:
            raise _StopError
        x = torch.from_numpy(rng.normal(size=(8, 3))).float() + 0.1 * torch.randn(8, 3, generator=generator)
        return (module(x) - x @ torch.tensor([[1.0], [-2.0], [0.5]])).square().mean()

    train(module, loss_of_step, LoopConfig("test", steps, 1e-2, 0.9, checkpoint))
    return module.weight.detach()


def test_a_resumed_run_equals_an_uninterrupted_one(tmp_path, monkeypatch):
    monkeypatch.setattr("demo_model.training.loop.CHECKPOINT_SECONDS", 0)
    whole = _fit(tmp_path / "whole.pt", 30)
    with pytest.raises(_StopError):
        _fit(tmp_path / "parts.pt", 30, stop_at=11)
    assert torch.equal(_fit(tmp_path / "parts.pt", 30), whole)


def test_a_loss_that_is_not_finite_stops_at_once(tmp_path):
    with pytest.raises(FloatingPointError, match="step 0"):
        train(
            nn.Linear(1, 1),
            lambda rng, generator: torch.tensor(float("nan")),
            LoopConfig("test", 3, 1e-3, 0.9, tmp_path / "x.pt"),
        )
