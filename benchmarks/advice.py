"""What LiDAR Measure Drafts advises on the demo model, prompt after prompt; docs/benchmarks.md holds it against what the bench found.

    python3 dev.py python benchmarks/advice.py [--prompts 10] [--pictures 64]

It runs the node in a real server on held-out prompts, one image wanted, and reads its report. Nothing else should run meanwhile, for
the advice rests on seconds.
"""

import argparse
import re
import sys
from collections import Counter
from pathlib import Path
from statistics import median

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from demo_model.grammar import PROMPTS  # noqa: E402
from devtools.comfy_client import ComfyClient  # noqa: E402
from devtools.templates.__main__ import running_server  # noqa: E402

DRAFTS = {
    "distilled, 1 step": {"steps": 1, "cfg": 1.0, "sampler_name": "euler", "scheduler": "sgm_uniform"},
    "distilled, 2 steps": {"steps": 2, "cfg": 1.0, "sampler_name": "euler", "scheduler": "sgm_uniform"},
    "the model itself, 6 steps": {"steps": 6, "cfg": 3.0, "sampler_name": "dpmpp_2m", "scheduler": "karras"},
}
BUDGETS = ("2", "4", "8")
# As in "4  +1.03  n 20, finish 1: +1.25 [+1.10, +1.36]  n 6 at 50%, finish 2: +1.20 [+1.1, +1.3]  drafts"
ROW = re.compile(r"^\s*(\d+)\s.*\b(best of N|drafts|continuing)\s*$", re.MULTILINE)
RHO = re.compile(r"rho of a draft\s+(-?[\d.]+)")


def node(class_type: str, **inputs) -> dict:
    return {"class_type": class_type, "inputs": inputs}


def graph(text: str, drafts: str, pictures: int, seed: int) -> dict:
    measured = node(
        "LiDARMeasureDrafts", model=["demo", 0], positive=["positive", 0], negative=["negative", 0], latent_image=["latent", 0],
        vae=["demo", 2], reward_model=["demo", 3], prompt=text, seed=seed, steps=25, cfg=3.0, sampler_name="dpmpp_2m",
        scheduler="karras", denoise=1.0, lookahead_config=["config", 0], pictures=pictures, budget=4.0,
    )  # fmt: skip
    if drafts.startswith("distilled"):
        measured["inputs"]["lookahead_model"] = ["demo", 4]
    return {
        "demo": node("LiDARLoadDemoModel"),
        "positive": node("CLIPTextEncode", clip=["demo", 1], text=text),
        "negative": node("CLIPTextEncode", clip=["demo", 1], text=""),
        "latent": node("EmptyLatentImage", width=64, height=64, batch_size=1),
        "config": node("LiDARLookaheadConfig", start_from="best lookaheads", **DRAFTS[drafts]),
        "measured": measured,
        "report": node("PreviewAny", source=["measured", 1]),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--prompts", type=int, default=10)
    parser.add_argument("--pictures", type=int, default=64)
    options = parser.parse_args()
    held_out = [text for text, prompt in PROMPTS.items() if prompt.held_out]
    texts = [held_out[i] for i in np.random.default_rng(0).permutation(len(held_out))[: options.prompts]]  # as pool.py
    with running_server() as server:
        measure(server, texts, options.pictures)


def measure(server: ComfyClient, texts: list[str], pictures: int) -> None:
    print("| drafts | median rho | " + " | ".join(f"budget {budget}" for budget in BUDGETS) + " |")
    print("|---" * (2 + len(BUDGETS)) + "|")
    for drafts in DRAFTS:
        rhos, advice = [], {budget: Counter() for budget in BUDGETS}
        for seed, text in enumerate(texts):
            result = server.queue(graph(text, drafts, pictures, seed), timeout=1800)
            if result.status != "success":
                raise SystemExit(result.message)
            (report,) = result.outputs["report"]["text"]
            rhos.append(float(RHO.search(report)[1]))
            for budget, choice in ROW.findall(report):
                if budget in advice:
                    advice[budget][choice] += 1
            print(report, file=sys.stderr)
        cells = [", ".join(f"{choice} {count}" for choice, count in advice[budget].most_common()) for budget in BUDGETS]
        print(f"| {drafts} | {median(rhos):.2f} | " + " | ".join(cells) + " |", flush=True)


if __name__ == "__main__":
    main()
