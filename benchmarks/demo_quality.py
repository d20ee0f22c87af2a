"""What LiDAR does on the demo model's held-out prompts, judged by the referee: `python3 dev.py python benchmarks/demo_quality.py`.

Every prompt gets the same noise in both arms: vanilla sampling, and LiDAR with the settings of the preset "demo (paper)" (or those given). Both run
through the host's own sampler and this pack's nodes. Rewards that did not guide look on, so that reward hacking would show: the referee, and the
pixel rewards. Prints a table and writes output/demo_quality.json.
"""

import argparse
import importlib.util
import json
import sys
import time
from collections import defaultdict
from dataclasses import asdict
from importlib import import_module
from pathlib import Path

import numpy as np
import torch
from comfy.cli_args import args as host_options

PACK = Path(__file__).resolve().parent.parent
STEPS, CFG, SAMPLER, SCHEDULER = 25, 3.0, "dpmpp_2m", "karras"
ARMS = ("vanilla", "LiDAR")
OVERRIDES = {"count": int, "steps": int, "guidance_scale": float, "reward_strength": float, "end_percent": float}
BOOTSTRAP_DRAWS = 4000
HELD_OUT = ("brightness", "contrast", "colourfulness", "sharpness", "symmetry")
MEASURED = ("correct", "rewards", *HELD_OUT)


def load_pack() -> str:
    """Load this pack by path, as the host does; the name under which its rooms can be imported."""
    name = str(PACK).replace(".", "_x_")
    spec = importlib.util.spec_from_file_location(name, PACK / "__init__.py")
    sys.modules[name] = module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return name


class Bench:
    """The demo model with the two arms; `seconds` adds up by phase."""

    def __init__(self, pack: str):
        self.host_sample = import_module("nodes").common_ksampler
        self.nodes = import_module(f"{pack}.nodes")
        self.score_images = import_module(f"{pack}.nodes.scoring").score_images
        self.judge = import_module(f"{pack}.demo_model.referee").judge
        self.seed_offset = import_module(f"{pack}.nodes.ksampler").LOOKAHEAD_SEED_OFFSET
        self.model, self.clip, self.vae, self.reward = self.nodes.LiDARLoadDemoModel.execute().result
        self.held_out = [self.nodes.LiDARRewardModelLoader.execute(kind).result[0] for kind in HELD_OUT]
        self.seconds = defaultdict(float)
        self.negative = self._encode("")

    def run(self, prompt, seed: int, batch: int, config) -> dict:
        """Both arms for one prompt: {arm: {"correct": [bool], each reward's name: [float]}}, and the lookaheads' verdicts."""
        text, latent = prompt.text, {"samples": torch.zeros(batch, 4, 8, 8)}
        positive = self._encode(text)
        vanilla = self._sample("vanilla", self.model, positive, latent, seed)
        (lookaheads,) = self._timed(
            "lookaheads", self.nodes.LiDARSampleLookaheads.execute, self.model, positive, self.negative, latent,
            seed=seed + self.seed_offset, count=config.count, steps=config.steps, cfg=config.cfg,
            sampler_name=config.sampler_name, scheduler=config.scheduler, batch_size=config.batch_size,
        ).result  # fmt: skip
        decoded = self._timed("scoring", self.vae.decode, lookaheads["samples"])
        scored, *_ = self._timed(
            "scoring", self.nodes.LiDARScoreLookaheads.execute, lookaheads, decoded, self.reward, text, batch_size=64
        ).result
        (guided_model,) = self.nodes.LiDARApplyGuidance.execute(
            self.model, scored, guidance_scale=config.guidance_scale, reward_strength=config.reward_strength,
            reward_scale=config.reward_scale, start_percent=config.start_percent, end_percent=config.end_percent,
        ).result  # fmt: skip
        guided = self._sample("guided", guided_model, positive, latent, seed)
        arms = dict(zip(ARMS, (vanilla, guided), strict=True))
        judged = {
            arm: {
                "correct": [self.judge(image.numpy(), text).correct for image in images],
            }
            | {
                name: scores.rewards.tolist()
                for name, scores in zip(
                    ("rewards", *HELD_OUT),
                    self.score_images([self.reward, *self.held_out], images, text, batch_size=64),
                    strict=True,
                )
            }
            for arm, images in arms.items()
        }
        return {
            "prompt": text,
            "kind": prompt.kind,
            "lookaheads_correct": [self.judge(image.numpy(), text).correct for image in decoded],
            **judged,
        }

    def _encode(self, text):
        return self.clip.encode_from_tokens_scheduled(self.clip.tokenize(text))

    def _timed(self, phase, function, *arguments, **settings):
        start = time.perf_counter()
        result = function(*arguments, **settings)
        self.seconds[phase] += time.perf_counter() - start
        return result

    def _sample(self, phase, model, positive, latent, seed):
        (out,) = self._timed(
            phase,
            self.host_sample,
            model,
            seed,
            STEPS,
            CFG,
            SAMPLER,
            SCHEDULER,
            positive,
            self.negative,
            latent,
        )
        return self.vae.decode(out["samples"])


def interval(per_prompt: np.ndarray) -> tuple[float, float]:
    """The 95 % bootstrap interval of the mean over prompts."""
    rng = np.random.default_rng(1)
    draws = rng.choice(per_prompt, size=(BOOTSTRAP_DRAWS, len(per_prompt))).mean(axis=1)
    return tuple(np.quantile(draws, [0.025, 0.975]).tolist())


def summarise(rows: list[dict]) -> dict:
    """Mean and interval of accuracy and reward by arm, accuracy by kind of prompt, and the paired gains."""

    def per_prompt(arm, what):
        return np.array([np.mean(row[arm][what]) for row in rows])

    kinds = sorted({row["kind"] for row in rows})
    of_kind = {kind: np.array([row["kind"] == kind for row in rows]) for kind in kinds}
    summary = {}
    for arm in ARMS:
        correct = per_prompt(arm, "correct")
        summary[arm] = {
            what: {"mean": float(values.mean()), "interval": interval(values)}
            for what in MEASURED
            for values in [per_prompt(arm, what)]
        }
        summary[arm]["correct_by_kind"] = {kind: float(correct[rows_of].mean()) for kind, rows_of in of_kind.items()}
    for what in MEASURED:
        gain = per_prompt("LiDAR", what) - per_prompt("vanilla", what)
        summary[f"gain in {what}"] = {"mean": float(gain.mean()), "interval": interval(gain)}
    summary["lookaheads correct"] = float(np.mean([np.mean(row["lookaheads_correct"]) for row in rows]))
    return summary


def table(summary: dict) -> str:
    lines = []
    for arm in ARMS:
        correct, rewards = summary[arm]["correct"], summary[arm]["rewards"]
        low, high = correct["interval"]
        by_kind = ", ".join(f"{kind} {value:.2f}" for kind, value in summary[arm]["correct_by_kind"].items())
        lines.append(
            f"{arm:8} referee accuracy {correct['mean']:.3f} [{low:.3f}, {high:.3f}], "
            f"mean reward {rewards['mean']:.4f} ({by_kind})"
        )
    for what in MEASURED:
        gain = summary[f"gain in {what}"]
        low, high = gain["interval"]
        before, after = (summary[arm][what]["mean"] for arm in ARMS)
        lines.append(
            f"{what}: {before:.4f} -> {after:.4f}, {gain['mean']:+.4f} [{low:+.4f}, {high:+.4f}], paired over prompts"
        )
    lines.append(f"the lookaheads themselves: referee accuracy {summary['lookaheads correct']:.3f}")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--prompts", type=int, help="how many held-out prompts (default: all)")
    parser.add_argument("--images", type=int, default=4, help="images a prompt (default: %(default)s)")
    parser.add_argument("--output", type=Path, default=PACK / "output" / "demo_quality.json")
    for name, kind in OVERRIDES.items():
        parser.add_argument(f"--{name.replace('_', '-')}", type=kind, help="instead of the preset's")
    options = parser.parse_args()

    host_options.cpu = not torch.cuda.is_available()  # before anything else of the host is imported
    import_module("comfy.utils").set_progress_bar_enabled(False)
    pack = load_pack()
    bench = Bench(pack)
    preset = import_module(f"{pack}.nodes.lookahead_presets").PRESETS["demo (paper)"]
    given = {name: getattr(options, name) for name in OVERRIDES if getattr(options, name) is not None}
    config = import_module(f"{pack}.nodes.lookahead_config").LookaheadConfig(**{**preset, **given})
    prompts = import_module(f"{pack}.demo_model.grammar").PROMPTS.values()
    held_out = [prompt for prompt in prompts if prompt.held_out]
    order = np.random.default_rng(0).permutation(len(held_out))[: options.prompts]
    rows = []
    with torch.inference_mode():
        for done, index in enumerate(order, start=1):
            rows.append(bench.run(held_out[index], 1000 * int(index), options.images, config))
            if done % 20 == 0:
                print(f"{done}/{len(order)} prompts", file=sys.stderr, flush=True)

    summary = summarise(rows)
    print(f"{len(rows)} held-out prompts, {options.images} images each; {config.summary()}")
    print(table(summary))
    print("seconds: " + ", ".join(f"{phase} {s:.1f}" for phase, s in bench.seconds.items()))
    options.output.parent.mkdir(parents=True, exist_ok=True)
    report = {"config": asdict(config), "seconds": dict(bench.seconds), **summary, "rows": rows}
    options.output.write_text(json.dumps(report, indent=1) + "\n")


if __name__ == "__main__":
    main()
