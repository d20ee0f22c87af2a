"""Time, memory and error of the closed-form shift: `python3 dev.py python benchmarks/solver_speed.py`.

`difference_shift` with lookaheads prepared as Particles, against the direct form: all differences x - alpha z_i materialised, (B, n, D), squared
and summed, and an einsum. Both are float32 on one CPU thread and run in turn; times are processor time, so that other work beside it does not count.
Memory is the peak of what one call allocates, by the profiler's record of the allocator. Errors are against float64, of the hardest case: lookaheads
that are unlike each other, and each row of x exactly as far from one as from another. Prints a Markdown table and writes output/solver_speed.json.
`step_share` puts the shift beside the demo model's own evaluation.
"""

import importlib.util
import json
import os
import platform
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median

import torch
from torch import Tensor

from lidar_core import Particles, difference_shift

OUTPUT = Path(__file__).resolve().parent.parent / "output" / "solver_speed.json"
SHAPES = ((4, 64, 64), (4, 128, 128), (16, 128, 128))
COUNTS = (16, 50, 100, 400)
BATCHES = (1, 4)
SIGMAS = (14.6, 1.5, 0.1)
REWARD_STRENGTH = 0.4
LARGEST_TEMPORARY = 4 * 2**30


def direct_shift(
    x: Tensor, z: Tensor, rewards: Tensor, *, alpha: Tensor, sigma: Tensor, reward_strength: float
) -> Tensor:
    """Return sum_i (w_r,i - w_i) z_i as Theorem 3.3 of arXiv 2602.03211 writes it; x (B, *S), z (n, *S)."""
    squares = ((x[:, None] - alpha.view(-1, *[1] * z.ndim) * z) ** 2).flatten(2).sum(dim=2)
    exponent = -squares / (2 * sigma[:, None] ** 2)
    difference = torch.softmax(exponent + reward_strength * rewards, dim=1) - torch.softmax(exponent, dim=1)
    return torch.einsum("bn,n...->b...", difference, z)


def measure() -> dict:
    """Return machine, threads, and one entry of cases per latent shape, n and B: milliseconds, bytes, relative errors."""
    with _one_thread():
        cases = [_case(shape, n, batch) for shape in SHAPES for n in COUNTS for batch in BATCHES]
    return {"machine": platform.machine(), "torch": torch.__version__, "threads": 1, "cases": cases}


def table(results: dict) -> str:
    """Return the cases of `measure` as a Markdown table."""
    lines = [
        "| latent | n | B | prepared, ms | direct, ms | times faster | prepared, MB | direct, MB "
        "| error at sigma 14.6, 1.5, 0.1 | direct's error | preparing once, ms |",
        "|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    for case in results["cases"]:
        ours, direct = case["prepared"], case["direct"]
        rival = (
            f"{direct['ms']:.1f} | {direct['ms'] / ours['ms']:.0f} | {ours['bytes'] / 1e6:.1f} | {direct['bytes'] / 1e6:.0f}"
            if direct
            else f"over {LARGEST_TEMPORARY / 2**30:.0f} GiB | | {ours['bytes'] / 1e6:.1f} | over {LARGEST_TEMPORARY / 1e6:.0f}"
        )
        errors, direct_errors = (
            ", ".join(f"{each['errors'][str(sigma)]:.0e}" for sigma in SIGMAS) if each else ""
            for each in (ours, direct)
        )
        lines.append(
            f"| {'x'.join(map(str, case['shape']))} | {case['n']} | {case['B']} | {ours['ms']:.2f} | {rival} "
            f"| {errors} | {direct_errors} | {case['prepare_ms']:.1f} |"
        )
    return "\n".join(lines)


def step_share(count: int = 16, batch: int = 4, steps: int = 10, runs: int = 25) -> dict:
    """Return milliseconds of one evaluation of the demo model inside the host's sampler, without and with guidance.

    Runs of `steps` evaluations in turn, the median of `runs`, processor time of one thread; `count` lookaheads act at each of them.
    """
    import comfy.cli_args

    comfy.cli_args.args.cpu = not torch.cuda.is_available()  # before anything else of the host is imported
    import comfy.samplers

    from benchmarks.world import PAPERS_RULE, SHAPE, World, room

    world = World()
    task = world.task(room("demo_model.grammar").parse("a red circle left of a blue square"), 7)
    generator = torch.Generator().manual_seed(5)
    latents, rewards = torch.randn(count, *SHAPE, generator=generator), torch.randn(count, generator=generator)
    lookaheads = room("lidar_core").LookaheadSet(latents, rewards, "noise")
    guided = room("nodes").LiDARApplyGuidance.execute(world.model, lookaheads, **PAPERS_RULE).result[0]
    sampler, noise, sigmas = comfy.samplers.sampler_object("euler"), task.noise(batch), world.sigmas(steps)
    milliseconds = {"vanilla": [], "guided": []}
    with torch.inference_mode(), _one_thread():
        for _ in range(runs + 1):
            for name, model in (("vanilla", world.model), ("guided", guided)):
                start = time.process_time()
                world.sample(task, noise, sigmas, phase=name, model=model, sampler=sampler)
                milliseconds[name].append((time.process_time() - start) / steps * 1000)
    vanilla, with_guidance = (median(each[1:]) for each in milliseconds.values())  # the first run warms up
    return {"n": count, "B": batch, "vanilla_ms": vanilla, "guided_ms": with_guidance}


@contextmanager
def _one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def _case(shape: tuple[int, ...], n: int, batch: int) -> dict:
    generator = torch.Generator().manual_seed(n + batch)
    z = torch.randn(n, *shape, generator=generator).mul_(0.8).add_(torch.randn(shape, generator=generator) + 0.6)
    rewards = torch.linspace(-1.0, 2.4, n)
    particles = Particles(z)
    by_direct = 2 * batch * z.numel() * 4 <= LARGEST_TEMPORARY  # the differences and their squares
    forms = {"prepared": lambda **given: difference_shift(denoised=given["x"], particles=particles, **given)[0]}
    if by_direct:
        forms["direct"] = lambda **given: direct_shift(z=z, **given)

    case = {
        "shape": list(shape),
        "n": n,
        "B": batch,
        "prepare_ms": _milliseconds([lambda: Particles(z)])[0],
        "direct": None,
    }
    errors = {name: {} for name in forms}
    for sigma in SIGMAS:
        settings = {"rewards": rewards, "alpha": torch.ones(batch), "sigma": torch.full((batch,), sigma)}
        settings["reward_strength"] = REWARD_STRENGTH
        ess = torch.zeros(batch)
        while ess.min() < 1.5:  # one that noise brings far nearer than the two leaves nothing to shift, and no norm
            x = _midway(z, batch, sigma, generator)
            expected, ess = _float64_shift(x, z, **settings)
        given = {"x": x, **settings}
        for name, form in forms.items():
            error = (form(**given).double() - expected).flatten(1).norm(dim=1) / expected.flatten(1).norm(dim=1)
            errors[name][str(sigma)] = error.max().item()
    calls = [lambda form=form: form(**given) for form in forms.values()]
    for name, call, ms in zip(forms, calls, _milliseconds(calls), strict=True):
        case[name] = {"ms": ms, "bytes": _peak_bytes(call), "errors": errors[name]}
    return case


def _midway(z: Tensor, batch: int, sigma: float, generator: torch.Generator) -> Tensor:
    """Rows of noise sigma around the middle of two lookaheads, and as far from one as from the other."""
    rows = []
    for row in range(batch):
        one, other = z[row].double(), z[-1 - row].double()
        across, noise = one - other, torch.randn(z.shape[1:], generator=generator).double()
        rows.append((one + other) / 2 + sigma * (noise - (noise * across).sum() / across.square().sum() * across))
    return torch.stack(rows).float()


def _float64_shift(
    x: Tensor, z: Tensor, rewards: Tensor, *, alpha: Tensor, sigma: Tensor, reward_strength: float
) -> tuple[Tensor, Tensor]:
    """The direct form in float64, one lookahead at a time, and the effective sample size of w."""
    x, alpha, sigma = x.double(), alpha.double().view(-1, *[1] * (x.ndim - 1)), sigma.double()
    squares = torch.stack([(x - alpha * each.double()).square().flatten(1).sum(dim=1) for each in z], dim=1)
    exponent = -squares / (2 * sigma[:, None] ** 2)
    w = torch.softmax(exponent, dim=1)
    difference = torch.softmax(exponent + reward_strength * rewards.double(), dim=1) - w
    shift = torch.zeros_like(x)
    for weights, each in zip(difference.T, z, strict=True):
        shift += weights.view(alpha.shape) * each.double()
    return shift, 1 / w.square().sum(dim=1)


def _milliseconds(calls: list[Callable], *, seconds: float = 0.5, at_least: int = 3) -> list[float]:
    """The median processor time of each call; the calls take turns, so that what slows the machine meets all alike."""
    times = [[] for _ in calls]
    for call in calls:
        call()
    start = time.process_time()
    while len(times[0]) < at_least or time.process_time() - start < seconds:
        for call, taken in zip(calls, times, strict=True):
            before = time.process_time()
            call()
            taken.append((time.process_time() - before) * 1000)
    return [median(taken) for taken in times]


def _peak_bytes(call: Callable) -> int:
    """The most that was allocated at one time during the call, its result included."""
    os.environ.setdefault("KINETO_LOG_LEVEL", "5")  # else it says on a machine without a GPU that it found none
    with torch.autograd.profiler.profile(profile_memory=True) as profile:
        result = call()
    del result
    live = peak = 0
    for event in profile.kineto_results.events():
        if event.name() == "[memory]":
            live += event.nbytes()
            peak = max(peak, live)
    return peak


def main() -> None:
    results = measure()
    print(table(results))
    if importlib.util.find_spec("comfy"):
        results["step"] = step = step_share()
        print(
            f"\nOne evaluation of the demo model, {step['B']} images: {step['vanilla_ms']:.1f} ms without guidance, "
            f"{step['guided_ms']:.1f} ms with {step['n']} lookaheads."
        )
    OUTPUT.parent.mkdir(exist_ok=True)
    OUTPUT.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
