"""Whether the tests notice: each mutation below is applied by itself to a copy of the repository, and a test must fail.

python3 dev.py python tests/host/mutations.py [--only TEXT]   minutes; ends non-zero if one survives

A survivor asks for a test or, where the line makes no difference that anyone would notice, for its deletion. Mutations
that only another device could show (`.to(x.device)`) and those that change nothing (`<` for `<=` where both give 1) are
not in the list.
"""

import argparse
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import NoReturn

os.environ["OMP_NUM_THREADS"] = "1"  # before torch, for the threads that it would start do not survive a fork
# A change of the same length within one second would run as the bytecode of what was there before.
sys.dont_write_bytecode = True

import pytest  # noqa: E402
import torch  # noqa: E402, F401

REPOSITORY = Path(__file__).resolve().parents[2]
WORKERS = 2
LEFT_OUT = shutil.ignore_patterns(".git", "__pycache__", "output", "*_cache", "*.safetensors", "*.png", "*.jpg")

# The only place that names files: what is changed, and the tests that must notice.
CORE, NODES, CORE_TESTS, HOST_TESTS = "lidar_core/", "nodes/", "tests/core/test_", "tests/host/in_process/test_"
GUIDANCE, WEIGHTS, PARTICLES = CORE + "guidance.py", CORE + "weights.py", CORE + "particles.py"
SET, FORMAT, ONE_LINE = CORE + "lookahead_set.py", CORE + "lookahead_format.py", CORE + "one_line.py"
MERGE, COMBINATION = CORE + "merge.py", CORE + "combination.py"
SCALE, SAMPLERS, RANGE = CORE + "reward_scale.py", CORE + "samplers.py", CORE + "number_range.py"
POST_CFG, NOISE_LEVELS, RUN = (NODES + f"host/{name}.py" for name in ("post_cfg", "noise_levels", "guided_run"))
DRAW, FINISH, SELECTION = NODES + "host/draw.py", NODES + "values/finish.py", NODES + "values/batch_selection.py"
_FORMULA = ["particles", "tilted_mean", "weights", "guidance", "extremes"]
TESTS = {
    **{file: [CORE_TESTS + name for name in _FORMULA] for file in (GUIDANCE, WEIGHTS, PARTICLES)},
    **{
        file: [CORE_TESTS + name for name in ("lookahead_set", "lookahead_format", "extremes")] for file in (SET, RANGE)
    },
    **{
        file: [CORE_TESTS + name for name in ("lookahead_format", "lookahead_set", "merge")]
        for file in (FORMAT, ONE_LINE)
    },
    MERGE: [CORE_TESTS + "merge"],
    COMBINATION: [CORE_TESTS + name for name in ("merge", "lookahead_format_mutations")],
    SCALE: [CORE_TESTS + name for name in ("reward_scale", "extremes")],
    SAMPLERS: [CORE_TESTS + "samplers"],
    POST_CFG: [
        HOST_TESTS + name
        for name in ("post_cfg", "particles_of_a_run", "guided_steps", "guided_sampling", "continue_best")
    ],
    NOISE_LEVELS: [HOST_TESTS + "noise_levels"],
    RUN: [HOST_TESTS + "guided_steps"],
    DRAW: [HOST_TESTS + name for name in ("continue_best", "finish_several", "sample_lookaheads")],
    FINISH: [HOST_TESTS + name for name in ("finish_several", "continue_best")],
    SELECTION: [HOST_TESTS + name for name in ("finish_several", "score_images")],
}

Mutation = tuple[str, str, str]
"""A file, a text that stands in it once, and the text in its place."""

MUTATIONS = [
    # The formula
    (GUIDANCE, "torch.softmax(tilted, dim=1) - torch.softmax(log_weights, dim=1)", "torch.softmax(tilted, dim=1)"),
    (GUIDANCE, "particles.mean + particles.weighted_sum", "particles.weighted_sum"),
    (GUIDANCE, "weighted_sum(torch.softmax(tilted, dim=1)) - denoised", "weighted_sum(torch.softmax(tilted, dim=1)) - x"),
    (GUIDANCE, "particles.weighted_sum(torch.softmax(tilted,", "particles.weighted_sum(torch.softmax(log_weights,"),
    (GUIDANCE, "shift = particles.weighted_sum(difference)\n    return shift.to(x.dtype)",
     "shift = particles.weighted_sum(difference)\n    return shift"),
    (GUIDANCE, "- denoised\n    return shift.to(x.dtype)", "- denoised\n    return shift"),
    (GUIDANCE, '"difference": difference_shift, "blend": blend_shift', '"difference": blend_shift, "blend": difference_shift'),
    (GUIDANCE, "    if denoised.shape != x.shape:", "    if False:"),
    (GUIDANCE, "if not temperature >= 1 / LARGEST:", "if temperature < 1 / LARGEST:"),
    (GUIDANCE, "if not abs(reward_strength) <= LARGEST:", "if abs(reward_strength) > LARGEST:"),
    (GUIDANCE, "    if rewards.shape != (particles.count,):", "    if False:"),
    (GUIDANCE, "sigma=sigma) / temperature", "sigma=sigma)"),
    (GUIDANCE, "rewards = rewards.float()", "rewards = rewards"),
    (GUIDANCE, "(rewards - rewards.amax())", "rewards"),
    (GUIDANCE, "log_weights + reward_strength *", "log_weights - reward_strength *"),
    # The log-weights
    (WEIGHTS, "(closeness - closeness.take_along_dim(nearest[None, :, None], dim=2)).sum(dim=0)", "closeness.sum(dim=0)"),
    (WEIGHTS, "closeness.sum(dim=0).argmax(dim=1)", "closeness.sum(dim=0).argmin(dim=1)"),
    (WEIGHTS, "    behind = behind - behind.amax(dim=1, keepdim=True)\n", ""),
    (WEIGHTS, "x.float() - row_alpha * particles.mean", "x.float() - particles.mean"),
    (WEIGHTS, "row_alpha * (x.float() -", "(x.float() -"),
    (WEIGHTS, "(x.float() - row_alpha", "(x - row_alpha"),
    (WEIGHTS, "alpha, sigma = alpha.float(), sigma.float()", "sigma = sigma.float()"),
    (WEIGHTS, "alpha, sigma = alpha.float(), sigma.float()", "alpha = alpha.float()"),
    (WEIGHTS, "alpha[:, None] ** 2 / 2", "alpha[:, None] / 2"),
    (WEIGHTS, "alpha[:, None] ** 2 / 2", "alpha[:, None] ** 2"),
    (WEIGHTS, "sigma[:, None].square()", "sigma[:, None]"),
    (WEIGHTS, ".square().clamp(min=limits.tiny)", ".square()"),
    (WEIGHTS, ")).clamp(min=limits.min)", "))"),
    (WEIGHTS, "torch.softmax(log_weights.float(), dim=1)", "torch.softmax(log_weights, dim=1)"),
    (WEIGHTS, ".reciprocal().clamp(1, log_weights.shape[1])", ".reciprocal()"),
    (WEIGHTS, "log_weights.ndim != 2 or log_weights.shape[1] == 0", "log_weights.ndim != 2"),
    (WEIGHTS, "    if x.shape[1:] != particles.shape:", "    if False:"),
    (WEIGHTS, '(("alpha", alpha), ("sigma", sigma))', '(("alpha", alpha),)'),
    # The prepared lookaheads
    (PARTICLES, "z = z.detach()", "z = z"),
    (PARTICLES, "torch.maximum(z.amax(), -z.amin())", "z.amax()"),
    (PARTICLES, "if not largest <= LARGEST:", "if largest > LARGEST:"),
    (PARTICLES, "z.ndim < 2 or z.numel() == 0", "z.ndim < 2"),
    (PARTICLES, "z.ndim < 2 or z.numel() == 0", "z.numel() == 0"),
    (PARTICLES, "z.mean(dim=0, dtype=torch.float32)", "z.mean(dim=0)"),
    (PARTICLES, "_in_blocks((each - mean)[None])", "_in_blocks(each[None])"),
    (PARTICLES, "for i, each in enumerate(z):", "for i, each in enumerate(z.float() - 0):"),
    (PARTICLES, "_BLOCK = 64", "_BLOCK = 2**20"),
    (PARTICLES, "centred.square().sum(dim=1)", "centred.sum(dim=1)"),
    (PARTICLES, "[:, : self.mean.numel()]", ""),
    # The set and its file
    (SET, "torch.argsort(self.rewards, descending=True, stable=True)", "torch.argsort(self.rewards, descending=True)"),
    (SET, "descending=True", "descending=False"),
    (SET, "tensor.detach().to(", "tensor.to("),
    (SET, "torch.float32, copy=True)", "torch.float32)"),
    (SET, "copy=True).contiguous()", "copy=True)"),
    (SET, "numbers.abs() <= LARGEST", "numbers <= LARGEST"),
    (SET, "numbers.abs() <= LARGEST", "numbers.abs() < LARGEST"),
    (SET, "MappingProxyType(metadata))", "metadata)"),
    (SET, "reward_name=reward_name, combination=())", "reward_name=reward_name)"),
    (SET, "values.shape != (count,)", "len(values) != count"),
    (SET, "or tuple(map(Origin, range(self.count)))", ""),
    (SET, "return dict(metadata)", "return metadata"),
    (SET, "tensor.layout == torch.strided and ", ""),
    (SET, "(which.nonzero().flatten() + 1)", "which.nonzero().flatten()"),
    (RANGE, "LARGEST = 1e12", "LARGEST = 1e13"),
    (FORMAT, "**{_OWN + key: value", "**{key: value"),
    (FORMAT, "if version not in _READERS:", "if version is None:"),
    (FORMAT, "sum(sizes) != len(pictures)", "sum(sizes) > len(pictures)"),
    (FORMAT, "begin += size", "begin = size"),
    (FORMAT, "tuple(Origin(int(row)) for row in rows.split())", "()"),
    (MERGE, "sorted(alike, key=lambda origin: (origin.seed is None, origin.seed or 0, origin))", "alike"),
    (MERGE, "for content in sorted(by_content)", "for content in by_content"),
    (MERGE, "combine(first.combination, scores) if first.combination else ", ""),
    (MERGE, "_SAME = 0.01", "_SAME = 10.0"),
    (MERGE, "_SAME = 0.01", "_SAME = 0.0"),
    (MERGE, "if pictured else ()", ""),
    (MERGE, "if key not in apart}", "}"),
    (COMBINATION, "weight * standardise(", "weight * ("),
    (COMBINATION, "count > _MOST or ", ""),
    (FORMAT, "if kind != FORMAT_NAME:", "if kind is None:"),
    (FORMAT, 'FORMAT_NAME = "lidar_lookahead_set"', 'FORMAT_NAME = "lookaheads"'),
    (FORMAT, "{} if metadata is None else metadata", "metadata"),
    (ONE_LINE, "ascii(value[: _LONGEST + 1])", "value[: _LONGEST + 1]"),
    (ONE_LINE, "text[:_LONGEST] +", "text +"),
    # Rewards on one scale
    (SCALE, "    if lowest == highest:\n        return rewards.new_zeros(rewards.shape)\n", ""),
    (SCALE, "if (highest - lowest).isinf():", "if False:"),
    (SCALE, "fraction - fraction.mean()", "fraction"),
    (SCALE, "(rewards - lowest) / (highest - lowest)", "rewards"),
    (SCALE, "lowest, highest = rewards.aminmax()", "rewards = rewards.float()\n    lowest, highest = rewards.aminmax()"),
    (SCALE, "lowest.isfinite() and highest.isfinite()", "highest.isfinite()"),
    # The solvers
    (SAMPLERS, "width / (2 * last_width)", "last_width / (2 * width)"),
    (SAMPLERS, "        if next_sigma > 0:\n", "        if True:\n"),
    (SAMPLERS, "denoised + (next_sigma / sigma) * (state - denoised)", "denoised"),
    (SAMPLERS, "x.to(torch.promote_types(x.dtype, torch.float32))", "x"),
    (SAMPLERS, "denoiser(state.to(dtype), sigmas)", "denoiser(state, sigmas)"),
    (SAMPLERS, "math.inf > high > low >= 0", "high > low >= 0"),
    (SAMPLERS, "dtype=torch.float64)\n    sigmas = (", "dtype=torch.float32)\n    sigmas = 1.001 * ("),
    # The host's post-CFG function
    (POST_CFG, "lowest < level <= highest", "lowest <= level <= highest"),
    (POST_CFG, "lowest < level <= highest", "lowest < level < highest"),
    (POST_CFG, "level = args[\"sigma\"].max()", "level = args[\"sigma\"].min()"),
    (POST_CFG, "math.inf if self.start_percent <= 0 else", "math.inf if self.start_percent < 0 else"),
    (POST_CFG, 'sigma = args["sigma"].expand(x.shape[0])', 'sigma = args["sigma"][:1].expand(x.shape[0])'),
    (POST_CFG, 'sigma = args["sigma"].expand(x.shape[0])', 'sigma = args["sigma"]'),
    (POST_CFG, "alpha=alpha, sigma=std,", "alpha=alpha, sigma=sigma,"),
    (POST_CFG, "alpha=alpha, sigma=std,", "alpha=alpha * 0 + 1, sigma=std,"),
    (POST_CFG, "x.float(), denoised,", "x, denoised,"),
    (POST_CFG, "denoised + self.guidance_scale * shift", "denoised + shift"),
    (POST_CFG, "shift).to(denoised.dtype)", "shift)"),
    (POST_CFG, "temperature=self._temperature()", "temperature=1.0"),
    (POST_CFG, "if 0 < self.effective_dimension < numbers", "if self.effective_dimension > 0"),
    (POST_CFG, "self.guidance_form not in GUIDANCE_FORMS", "not self.guidance_form"),
    (POST_CFG, "model.process_latent_in(self.latents.to(x.device))", "self.latents.to(x.device)"),
    (POST_CFG, "    if not bool(lowest.isfinite() & highest.isfinite()):", "    if not bool(highest.isfinite()):"),
    (POST_CFG, "    if not bool(lowest.isfinite() & highest.isfinite()):", "    if not bool(lowest.isfinite()):"),
    (POST_CFG, '        _require_finite(denoised, "the model\'s prediction", args["sigma"], _CAUSES)\n', ""),
    (POST_CFG, '        _require_finite(guided, "the guided prediction", args["sigma"], "guidance_scale: lower it")\n', ""),
    (POST_CFG, "if noise.shape[1:] != self.latents.shape[1:]:", "if False:"),
    (POST_CFG, "**options.get(_KEY, {}), self: run", "self: run"),
    (POST_CFG, "if logger.isEnabledFor(logging.DEBUG):", "if logger.isEnabledFor(logging.WARNING):"),
    (POST_CFG, '        model.add_wrapper_with_key(WrappersMP.SAMPLER_SAMPLE, "lidar", self.guide_run)\n', ""),
    (POST_CFG, "if x.ndim == 3 and latents.ndim > 3:", "if False:"),
    (POST_CFG, "        options.get(TELL, self.tell)(text)\n", ""),
    (POST_CFG, "options.get(TELL, self.tell)", "self.tell"),
    (POST_CFG, "[options.get(FIRST_STEP, 0) :]", ""),
    (POST_CFG, "            run.asked += 1\n", "            run.asked = 1\n            run.asked -= 1\n"),
    (POST_CFG, "self.percent_of == THIS_RUN and", "self.percent_of != THIS_RUN and"),
    (RUN, "min(self.guided)", "max(self.guided)"),
    (POST_CFG, "descending=True, stable=True)[0]) + 1", "descending=True, stable=True)[0])"),
    (RUN, "math.floor(start", "math.ceil(start"),
    (RUN, "math.ceil(end * self.steps - 1e-9)", "math.floor(end * self.steps)"),
    (RUN, "end * self.steps - 1e-9", "end * self.steps + 1e-9"),
    (RUN, "self.levels[last] * (1 + 1e-5)", "self.levels[last]"),
    (RUN, "math.inf if first == 0 else", ""),
    (RUN, "self.levels[first] * (1 + 1e-5)", "self.levels[first] * (1 - 1e-5)"),
    (RUN, "level < sigma * (1 - 1e-5)", "level < sigma * 2"),
    # The model families
    (NOISE_LEVELS, "host.EPS.noise_scaling, host.COSMOS_RFLOW.noise_scaling", "host.EPS.noise_scaling,"),
    (NOISE_LEVELS, " and not isinstance(\n        model_sampling, host.IMG_TO_IMG\n    )", ""),
    (NOISE_LEVELS, "if mixing is host.CONST.noise_scaling:", "if isinstance(model_sampling, host.CONST):"),
    (NOISE_LEVELS, "return 1.0 - sigma, sigma *", "return torch.ones_like(sigma), sigma *"),
    (NOISE_LEVELS, 'getattr(model_sampling, "noise_scale", 1.0)', "1.0"),
    (NOISE_LEVELS, 'getattr(model_sampling, "noise_scale", 1.0)', "model_sampling.noise_scale"),
    (NOISE_LEVELS, "return torch.ones_like(sigma), sigma", "return torch.ones_like(sigma), sigma * 1.001"),
    (NOISE_LEVELS, "named[0] if named else", "named[-1] if named else"),
    # Several finished, and candidates that continue
    (DRAW, "sigmas[first : last + 1]", "sigmas[first : last + 2]"),
    (DRAW, "model.model_options[FIRST_STEP] = first", "model.model_options[FIRST_STEP] = 0"),
    (DRAW, "(_SEED_AFTER_CUT if first else 0)", "0"),
    (DRAW, "(place if rows is None else rows[place])", "0"),
    (DRAW, "(place if rows is None else rows[place])", "place"),
    (DRAW, 'predicted["x0"].float()', "samples"),
    (DRAW, "rows.append(len(x))", "rows.append(1)"),
    (DRAW, "mask[part] if mask is not None and len(mask) == count else mask", "mask"),
    (DRAW, "x if states is None else states.to(x, copy=True)", "x"),
    (FINISH, "int(count * lookahead / image)", "round(count * lookahead / image)"),
    (FINISH, "min(finish or int(count * lookahead / image), count)", "(finish or int(count * lookahead / image))"),
    (FINISH, "1 if cfg == 1 else 2", "2"),
    (FINISH, "round(share * steps)", "int(share * steps)"),
    (FINISH, "steps - 1)", "steps)"),
    (SELECTION, "if row not in rows", ""),
]  # fmt: skip


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", default="", help="the mutations whose file or text holds this")
    only = parser.parse_args().only
    chosen = [mutation for mutation in MUTATIONS if any(only in part for part in mutation)]
    for file, old, _ in chosen:
        found = (REPOSITORY / file).read_text(encoding="utf-8").count(old)
        if found != 1:
            print(f"{file} holds {old!r} {found} times, wanted once: adapt the list")
            return 2
    unchanged = [(file, "", "") for file in dict.fromkeys(file for file, _, _ in chosen)]
    verdicts = {}
    for mutation, verdict, seconds in run_all(unchanged + chosen):
        verdicts[mutation] = verdict
        file, old, new = mutation
        change = f"{shown(old)} -> {shown(new)}" if old else "unchanged"
        print(f"{verdict:8} {seconds:5.1f} s  {file}: {change}", flush=True)
    unsound = [each for each, verdict in verdicts.items() if verdict != ("killed" if each[1] else "survived")]
    print(f"{sum(verdicts[each] == 'killed' for each in chosen)} of {len(chosen)} mutations killed")
    if unsound:
        print("Not as wanted:", *unsound, sep="\n    ")
    return 1 if unsound else 0


def run_all(mutations: list[Mutation]) -> Iterator[tuple[Mutation, str, float]]:
    """Yield each mutation as it ends with killed, survived or broken, and its seconds.

    Each is a fork of this process, so that torch and the host are imported once for all.
    """
    sys.path[:] = [entry for entry in sys.path if not Path(entry).resolve().is_relative_to(REPOSITORY)]
    running = {}
    with tempfile.TemporaryDirectory() as folder:
        import_host(folder)
        trees = [shutil.copytree(REPOSITORY, Path(folder, str(each)), ignore=LEFT_OUT) for each in range(WORKERS)]
        for mutation in [*mutations, *[None] * WORKERS]:
            if len(running) == WORKERS or (mutation is None and running):
                pid, status = os.wait()
                ended, tree, original, started = running.pop(pid)
                (tree / ended[0]).write_text(original, encoding="utf-8")
                trees.append(tree)
                verdict = {0: "survived", 1: "killed"}.get(os.waitstatus_to_exitcode(status), "broken")
                yield ended, verdict, time.monotonic() - started
            if mutation is not None:
                file, old, new = mutation
                tree = trees.pop()
                original = (tree / file).read_text(encoding="utf-8")
                (tree / file).write_text(original.replace(old, new) if old else original, encoding="utf-8")
                pid = os.fork()
                if pid == 0:
                    run_tests(tree, TESTS[file])
                running[pid] = mutation, tree, original, time.monotonic()


def import_host(base_directory: str) -> None:
    """As the fixture `comfy` does, which finds it imported then."""
    sys.path.insert(0, os.environ["COMFYUI_PATH"])
    comfy = import_module("comfy.cli_args")
    comfy.args.cpu, comfy.args.base_directory = True, base_directory
    for name in ("comfy.samplers", "comfy.sd", "comfy.supported_models", "nodes"):
        import_module(name)


def run_tests(tree: Path, tests: list[str]) -> NoReturn:
    """End this process with pytest's exit code."""
    code = 70
    try:
        os.chdir(tree)
        silence = os.open(os.devnull, os.O_WRONLY)
        os.dup2(silence, 1)
        os.dup2(silence, 2)
        settings = ["-c", "tests/pytest.ini", "--rootdir", "tests", "-x", "-q", "-p", "no:cacheprovider"]
        settings += ["-W", "ignore::pytest.PytestAssertRewriteWarning"]  # of what the host has imported already
        code = pytest.main([*settings, *(f"{test}.py" for test in tests)])
    finally:
        os._exit(code)


def shown(text: str) -> str:
    return " ".join(text.split()) or "nothing"


if __name__ == "__main__":
    sys.exit(main())
