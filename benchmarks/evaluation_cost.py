"""Seconds and peak memory of one evaluation inside the host's samplers, without and with guidance, of a decode and of a score.

Seconds: on an NVIDIA GPU what the clock shows with the device idle before and after; else processor time, that is what the clock
shows of one thread on an idle machine. Memory: what was allocated on the GPU, or lay in the process (Linux), above what did before.
"""

import copy
import ctypes
import math
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import NamedTuple

import comfy.model_management as management
import torch
from comfy.patcher_extension import WrappersMP
from torch import Tensor

from .rivals import universal_guidance
from .world import PAPERS_RULE, Task, World, room

ORDINARY, GRADIENT, DECODE, SCORE = "ordinary evaluation", "gradient evaluation", "decode", "score"


class Reading(NamedTuple):
    """seconds; gigabytes (2^30 bytes) above what was there before, NaN where it cannot be told."""

    seconds: float
    gigabytes: float = math.nan


def with_lookaheads(n: int) -> str:
    """Return the name of the row of an evaluation that n lookaheads guide."""
    return f"evaluation with LiDAR, n = {n}"


def guidance_alone(n: int) -> str:
    """Return the name of the row of what of it is guidance."""
    return f"of it guidance, n = {n}"


def preparing(n: int) -> str:
    """Return the name of the row of what a run does once with n lookaheads."""
    return f"preparing {n} lookaheads once"


def evaluation_costs(
    world: World, task: Task, batch: int, *, lookaheads: Sequence[int], gradient: bool, warm_up: int, repeats: int
) -> dict[str, Reading]:
    """Return a reading for each row, all of `batch` images at once: the median of `repeats`, after `warm_up` more.

    Evaluations are those of the host's sampler under classifier-free guidance; `gradient` adds one of universal guidance.
    """
    times = {"warm_up": warm_up, "repeats": repeats}
    sigmas, noise = world.sigmas(warm_up + repeats), task.noise(batch)

    def sample(metered: World, model=None) -> None:
        metered.sample(task, noise, sigmas, phase="sampling", model=model)

    # Not inference mode: weights that the host moves to the GPU in it could not be part of a gradient afterwards
    with torch.no_grad():
        rows = {ORDINARY: _evaluation(world, sample, **times)}
        for n in lookaheads:
            latents = task.noise(n, stream=1)
            guidance: list[Reading] = []

            def sample_guided(metered: World, latents=latents, guidance=guidance) -> None:
                sample(metered, _guided(metered.model, latents, guidance))

            rows[with_lookaheads(n)] = _evaluation(world, sample_guided, **times)
            rows[guidance_alone(n)] = _middle(guidance[warm_up:])
            on_device = latents.to(world.model.load_device)
            rows[preparing(n)] = _repeated(lambda given=on_device: room("lidar_core").Particles(given), 1, repeats)
    if gradient:
        rows[GRADIENT] = _evaluation(
            world,
            lambda metered: universal_guidance.draw(metered, task, count=batch, steps=warm_up + repeats),
            **times,
        )
    with torch.no_grad():
        images = world.decode(noise, phase="warming up")
        rows[DECODE] = _repeated(lambda: world.decode(noise, phase="decoding"), **times)
        rows[SCORE] = _repeated(lambda: world.score(images, task, phase="scoring"), **times)
    return rows


@contextmanager
def metered(readings: list[Reading]) -> Iterator[None]:
    """Append the reading of what runs inside; not to be nested."""
    before, start = _reset_peak(), clock()
    yield
    seconds = clock() - start
    readings.append(Reading(seconds, (_peak() - before) / 2**30))


def clock() -> float:
    """Return seconds, once the GPU has done what it was given; see the top of this file."""
    if _on_cuda():
        torch.cuda.synchronize()
        return time.perf_counter()
    return time.process_time()


def _evaluation(world: World, draw: Callable[[World], object], *, warm_up: int, repeats: int) -> Reading:
    """The reading of one evaluation of the sampling that `draw` does in the world that it is given."""
    readings: list[Reading] = []

    def meter(executor, *args, **kwargs) -> Tensor:
        with metered(readings):
            return executor(*args, **kwargs)

    watched = copy.copy(world)
    watched.model = world.model.clone()
    # Wrappers that `draw` adds run inside this one
    watched.model.add_wrapper_with_key(WrappersMP.PREDICT_NOISE, "evaluation cost", meter)
    draw(watched)
    if len(readings) != warm_up + repeats:
        raise RuntimeError(f"the sampler took {len(readings)} evaluations, wanted {warm_up + repeats}")
    return _middle(readings[warm_up:])


def _guided(model, latents: Tensor, guidance: list[Reading]):
    """The model under LiDAR at every noise level; `guidance` gets the seconds of each of its moves."""
    lookaheads = room("lidar_core").LookaheadSet(latents, torch.linspace(-1.0, 2.4, len(latents)), "random")
    patched = room("nodes").LiDARApplyGuidance.execute(model, lookaheads, **PAPERS_RULE).result[0]
    functions = patched.model_options["sampler_post_cfg_function"]

    def timed(args) -> Tensor:
        start = clock()
        moved = add_shift(args)
        guidance.append(Reading(clock() - start))
        return moved

    add_shift = functions.pop()
    functions.append(timed)
    return patched


def _repeated(call: Callable[[], object], warm_up: int, repeats: int) -> Reading:
    readings: list[Reading] = []
    for _ in range(warm_up + repeats):
        with metered(readings):
            call()
    return _middle(readings[warm_up:])


def _middle(readings: Sequence[Reading]) -> Reading:
    return Reading(*(median(each) for each in zip(*readings, strict=True)))


def _on_cuda() -> bool:
    return management.get_torch_device().type == "cuda"


def _reset_peak() -> float:
    """Begin to look for the most bytes in use; return what is in use now."""
    if _on_cuda():
        torch.cuda.reset_peak_memory_stats()
        return torch.cuda.memory_allocated()
    if _CLEAR.exists():
        ctypes.CDLL(None).malloc_trim(0)  # what is free is given back, so that taking it anew counts
        _CLEAR.write_text("5")
    return _status_bytes("VmRSS")


def _peak() -> float:
    return torch.cuda.max_memory_allocated() if _on_cuda() else _status_bytes("VmHWM")


_CLEAR = Path("/proc/self/clear_refs")


def _status_bytes(name: str) -> float:
    if not _CLEAR.exists():
        return math.nan
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(name))
