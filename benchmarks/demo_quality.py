"""What LiDAR does on the demo model's held-out prompts, judged by the referee: `python3 dev.py python benchmarks/demo_quality.py`.

Every prompt gets the same noise in both arms: vanilla sampling, and LiDAR with the settings of the preset "demo" (or those given). Both run
through the host's own sampler and this pack's nodes. Prints a table and writes output/demo_quality.json.
"""

import argparse
import asyncio
import importlib.util
import json
import sys
import time
from collections import defaultdict
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import torch
from comfy.cli_args import args as host_options

PACK = Path(__file__).resolve().parent.parent
STEPS, CFG, SAMPLER, SCHEDULER = 25, 3.0, "dpmpp_2m", "karras"
BOOTSTRAP_DRAWS = 4000


def load_pack():
    """This pack's node classes by id, loaded by path as the host does."""
    name = str(PACK).replace(".", "_x_")
    spec = importlib.util.spec_from_file_location(name, PACK / "__init__.py")
    sys.modules[name] = module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)

    async def classes():
        return await (await module.comfy_entrypoint()).get_node_list()

    return {c.define_schema().node_id: c for c in asyncio.run(classes())}, sys.modules[f"{name}.nodes.lookahead_config"]


class Bench:
    """The demo model with the two arms; `seconds` and `evaluations` add up by phase."""

    def __init__(self):
        self.nodes, self.config_module = load_pack()
        self.model, self.clip, self.vae, self.reward = self.nodes["LiDARLoadDemoModel"].execute().result
        self.seconds = defaultdict(float)
        self.negative = self._encode("")

    def _encode(self, text):
        return self.clip.encode_from_tokens_scheduled(self.clip.tokenize(text))

    def _timed(self, phase, function, *arguments, **settings):
        start = time.perf_counter()
        result = function(*arguments, **settings)
        self.seconds[phase] += time.perf_counter() - start
        return result

    def _sample(self, phase, model, positive, latent, seed):
        import nodes

        (out,) = self._timed(
            phase, nodes.common_ksampler, model, seed, STEPS, CFG, SAMPLER, SCHEDULER, positive, self.negative, latent
        )
        return self.vae.decode(out["samples"])

    def run(self, text, seed, batch, config):
        """Images (batch,64,64,3) and rewards of both arms for one prompt: {arm: (images, rewards)}, and the lookaheads' rewards."""
        positive, latent = self._encode(text), {"samples": torch.zeros(batch, 4, 8, 8)}
        vanilla = self._sample("vanilla", self.model, positive, latent, seed)
        offset = sys.modules[self.config_module.__name__.replace("lookahead_config", "ksampler")].LOOKAHEAD_SEED_OFFSET
        (lookaheads,) = self._timed(
            "lookaheads", self.nodes["LiDARSampleLookaheads"].execute, self.model, positive, self.negative, latent,
            seed=seed + offset, count=config.count, steps=config.steps, cfg=config.cfg, sampler_name=config.sampler_name,
            scheduler=config.scheduler, batch_size=config.batch_size,
        ).result  # fmt: skip
        decoded = self._timed("scoring", self.vae.decode, lookaheads["samples"])
        rewards = self._timed("scoring", self.reward.score, decoded, text, batch_size=64)
        lookahead_set = self.config_module.__package__.rsplit(".", 1)[0] + ".lidar_core"
        scored = sys.modules[lookahead_set].LookaheadSet(lookaheads["samples"], rewards, self.reward.name)
        (guided_model,) = self.nodes["LiDARApplyGuidance"].execute(
            self.model, scored, guidance_scale=config.guidance_scale, reward_strength=config.reward_strength, reward_scale=config.reward_scale,
            start_percent=config.start_percent, end_percent=config.end_percent,
        ).result  # fmt: skip
        guided = self._sample("guided", guided_model, positive, latent, seed)
        arms = {"vanilla": vanilla, "LiDAR": guided}
        return {
            name: (images, self.reward.score(images, text, batch_size=64)) for name, images in arms.items()
        }, decoded


def interval(per_prompt: np.ndarray, rng: np.random.Generator) -> tuple[float, float]:
    """The 95 % bootstrap interval of the mean over prompts."""
    draws = rng.choice(per_prompt, size=(BOOTSTRAP_DRAWS, len(per_prompt))).mean(axis=1)
    return tuple(np.quantile(draws, [0.025, 0.975]).tolist())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--prompts", type=int, help="how many held-out prompts (default: all)")
    parser.add_argument("--images", type=int, default=4, help="images a prompt (default: %(default)s)")
    parser.add_argument("--output", type=Path, default=PACK / "output" / "demo_quality.json")
    for name, kind in (
        ("count", int),
        ("steps", int),
        ("guidance-scale", float),
        ("reward-strength", float),
        ("end-percent", float),
    ):
        parser.add_argument(f"--{name}", type=kind, help="instead of the demo preset's")
    options = parser.parse_args()
    host_options.cpu = not torch.cuda.is_available()

    from demo_model.grammar import KINDS, PROMPTS
    from demo_model.referee import judge

    bench = Bench()
    presets = sys.modules[bench.config_module.__name__.replace("lookahead_config", "lookahead_presets")].PRESETS
    given = {k: getattr(options, k) for k in ("count", "steps", "guidance_scale", "reward_strength", "end_percent")}
    config = replace(
        bench.config_module.LookaheadConfig(),
        **{**presets["demo"], **{k: v for k, v in given.items() if v is not None}},
    )
    held_out = [p for p in PROMPTS.values() if p.held_out]
    order = np.random.default_rng(0).permutation(len(held_out))[: options.prompts]
    rows = []
    with torch.inference_mode():
        for done, index in enumerate(order):
            prompt = held_out[index]
            arms, decoded = bench.run(prompt.text, 1000 * int(index), options.images, config)
            row = {
                "prompt": prompt.text,
                "kind": prompt.kind,
                "lookaheads_correct": [judge(i.numpy(), prompt.text).correct for i in decoded],
            }
            for arm, (images, rewards) in arms.items():
                row[arm] = {
                    "correct": [judge(i.numpy(), prompt.text).correct for i in images],
                    "rewards": rewards.tolist(),
                }
            rows.append(row)
            if sys.stderr.isatty() or done % 20 == 19:
                print(f"\r{done + 1}/{len(order)} prompts", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)

    rng = np.random.default_rng(1)
    summary = {
        "prompts": len(rows),
        "images": options.images * len(rows),
        "config": asdict(config),
        "seconds": dict(bench.seconds),
    }
    print(f"{len(rows)} held-out prompts, {options.images} images each; {config.summary()}")
    for arm in ("vanilla", "LiDAR"):
        accuracy = np.array([np.mean(r[arm]["correct"]) for r in rows])
        reward = np.array([np.mean(r[arm]["rewards"]) for r in rows])
        kinds = {
            k: float(np.mean([np.mean(r[arm]["correct"]) for r in rows if r["kind"] == k]))
            for k in KINDS
            if any(r["kind"] == k for r in rows)
        }
        summary[arm] = {
            "accuracy": float(accuracy.mean()), "accuracy_interval": interval(accuracy, rng),
            "reward": float(reward.mean()), "reward_interval": interval(reward, rng), "accuracy_by_kind": kinds,
        }  # fmt: skip
        low, high = summary[arm]["accuracy_interval"]
        print(
            f"{arm:8} referee accuracy {accuracy.mean():.3f} [{low:.3f}, {high:.3f}]  mean reward {reward.mean():.4f}  "
            + "  ".join(f"{k} {v:.2f}" for k, v in kinds.items())
        )
    for what in ("correct", "rewards"):
        gain = np.array([np.mean(r["LiDAR"][what]) - np.mean(r["vanilla"][what]) for r in rows])
        low, high = interval(gain, rng)
        summary[f"gain_{what}"] = {"mean": float(gain.mean()), "interval": (low, high)}
        print(f"gain in {what}: {gain.mean():+.4f} [{low:+.4f}, {high:+.4f}] (paired, 95 % bootstrap over prompts)")
    print(f"lookaheads themselves: referee accuracy {np.mean([np.mean(r['lookaheads_correct']) for r in rows]):.3f}")
    print("seconds: " + ", ".join(f"{phase} {s:.1f}" for phase, s in bench.seconds.items()))
    options.output.parent.mkdir(parents=True, exist_ok=True)
    options.output.write_text(json.dumps({**summary, "rows": rows}, indent=1) + "\n")


if __name__ == "__main__":
    main()
