"""One cell of docs/compatibility.md: a way to sample, run plain, with scale 0 and guided, every evaluation compared with float64."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass, field

import torch
from torch import Tensor

BOUND = 1e-4
"""The largest error of a move that passes, as a share of the move, or of a hundredth of the prediction if that is more."""
SETTINGS = {
    "guidance_scale": 0.6, "reward_strength": 3.0, "reward_scale": "raw", "start_percent": 0.0, "end_percent": 0.6,
    "guidance_form": "blend", "effective_dimension": 24.0, "percent_of": "this run",
}  # fmt: skip
REWARDS = torch.tensor([0.2, -0.7, 1.9, 0.4, -0.1])


@dataclass
class Run:
    """One run of a sampler: its levels, and of every evaluation x, sigma, the prediction before LiDAR and the one after."""

    levels: Tensor
    evaluations: list[tuple[Tensor, Tensor, Tensor, Tensor]] = field(default_factory=list)


@dataclass(frozen=True)
class Cell:
    """What was checked: steps that were guided and all steps, over the runs of this way to sample, and the largest error."""

    guided: int
    steps: int
    error: float
    told: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.guided} of {self.steps}"


def check(sample: Callable, model, lookaheads, apply: Callable, **settings) -> Cell:
    """Sample plain, with scale 0 and guided, and assert all that the page says of a cell.

    sample(model) -> latents; apply(model, lookaheads, **settings) -> (model, list that is told): LiDAR Apply Guidance.
    """
    settings = SETTINGS | settings
    plain = sample(model)
    off, _ = apply(model, lookaheads, **settings | {"guidance_scale": 0.0})
    assert torch.equal(sample(off), plain), "scale 0 must be the host's own result bit for bit"

    watched, runs = model.clone(), []
    watched.add_wrapper_with_key("sampler_sample", "watch", lambda *args, **kwargs: _begin(runs, *args, **kwargs))
    watched.set_model_sampler_post_cfg_function(lambda args: _before(runs[-1], args))
    guided, told = apply(watched, lookaheads, **settings)
    guided.set_model_sampler_post_cfg_function(lambda args: _after(runs[-1], args))
    result = sample(guided)
    assert result.isfinite().all()
    del told[0]  # what it says while it waits

    sampling, inner = model.get_model_object("model_sampling"), model.model
    particles = inner.process_latent_in(lookaheads.latents.double())
    counts = [_check_run(run, sampling, particles, lookaheads.rewards, settings) for run in runs]
    steps = [len(run.levels) - 1 for run in runs]
    assert len(told) == len(runs), "every run is told of"
    for text, (count, _), total in zip(told, counts, steps, strict=True):
        wanted = rf"guided {count} of {total} steps\n" if count else rf"no step of {total} was guided: .+"
        assert re.match(wanted, text), f"{text!r}, wanted {wanted!r}"
    cell = Cell(sum(count for count, _ in counts), sum(steps), max(error for _, error in counts), tuple(told))
    assert torch.equal(result, plain) == (cell.guided == 0)
    return cell


def _begin(runs, executor, model_wrap, sigmas, *args, **kwargs):
    runs.append(Run(sigmas.double()))
    return executor(model_wrap, sigmas, *args, **kwargs)


def _before(run: Run, args) -> Tensor:
    run.evaluations.append((args["input"].clone(), args["sigma"].clone(), args["denoised"].clone(), None))
    return args["denoised"]


def _after(run: Run, args) -> Tensor:
    run.evaluations[-1] = (*run.evaluations[-1][:3], args["denoised"].clone())
    return args["denoised"]


def _check_run(run: Run, sampling, particles: Tensor, rewards: Tensor, settings: dict) -> tuple[int, float]:
    """Compare every evaluation of a run with the formula; return how many steps were guided, and the largest error."""
    steps = len(run.levels) - 1
    last = run.levels[math.ceil(settings["end_percent"] * steps)] * (1 + 1e-5)
    guided, errors, moves = set(), [0.0], []
    for x, sigma, before, after in run.evaluations:
        level = sigma.max().double()
        if level <= last:
            assert torch.equal(before, after), f"outside the window, at sigma {level:g}, nothing may move"
            continue
        shift = shift_of(x.double(), before.double(), particles, rewards.double(), sigma.double(), sampling, settings)
        expected = before.double() + settings["guidance_scale"] * shift
        move, size = settings["guidance_scale"] * shift.abs().max(), expected.abs().max()
        errors.append(float((after.double() - expected).abs().max() / max(move, size / 100)))
        moves.append(float(move / size))
        # The step whose level is the lowest that is not below this one
        guided.add(max(int((run.levels[:-1] >= level * (1 - 1e-5)).sum()) - 1, 0))
    assert max(errors) < BOUND
    assert not moves or max(moves) > 1e-3, "the case must be one in which something moves"
    return len(guided), max(errors)


def shift_of(x, denoised, particles, rewards, sigma, sampling, settings) -> Tensor:
    """The shift as the paper and the README write it, in float64; signal and noise from the host's own noise_scaling."""
    rows = sigma.expand(x.shape[0]).view(-1, *[1] * (x.ndim - 1))
    one, zero = torch.ones_like(rows), torch.zeros_like(rows)
    alpha = sampling.noise_scaling(rows, zero.clone(), one.clone()).view(-1, 1, *[1] * (x.ndim - 1))
    std = sampling.noise_scaling(rows, one.clone(), zero.clone()).flatten()
    temperature = max(1.0, particles[0].numel() / settings["effective_dimension"])
    distances = (x[:, None] - alpha * particles[None]).flatten(2).square().sum(2)
    log_weights = -distances / (2 * std[:, None] ** 2 * temperature)
    plain, tilted = log_weights.softmax(1), (log_weights + settings["reward_strength"] * rewards).softmax(1)
    mean = torch.einsum("bn,n...->b...", tilted, particles)
    return mean - (
        denoised if settings["guidance_form"] == "blend" else torch.einsum("bn,n...->b...", plain, particles)
    )
