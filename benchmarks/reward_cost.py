"""Seconds and memory of scoring 50 images with each reward model at full size: `python3 dev.py python benchmarks/reward_cost.py --work FOLDER`.

Weights do not matter to time: the CLIPs are drawn at random, and ImageReward.pt in FOLDER is the random one of
reward_references/image_reward.py. Every row is a process of its own, through the pack's loader node and the host's memory management. Needs
5 GB of disk in FOLDER; for the row of three ViT-H/14 18 GB of memory, else 12.

Each row tells by count how often a CLIP file was read, how often the host was asked to load a large part, and how often it did so: one that
is loaded still is left where it is.
"""

import argparse
import importlib
import json
import os
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import torch

SIDE, BATCH = 512, 8
VIT_H, VIT_L, HEAD = "pickscore_vit_h.pt", "vit_l.pt", "head.pth"
OTHER_VIT_H = ("hps_vit_h.pt", "clip_vit_h.pt")
PIXEL_KINDS = ("brightness", "contrast", "colourfulness", "sharpness", "symmetry", "palette match")
ROWS = {
    "ImageReward": [{"kind": "ImageReward", "file": "ImageReward.pt"}],
    "PickScore": [{"kind": "PickScore", "file": VIT_H}],
    "HPS v2.1": [{"kind": "HPS v2.1", "file": VIT_H}],
    "CLIP score, ViT-L/14": [{"kind": "CLIP score", "file": VIT_L}],
    "LAION aesthetic v2": [{"kind": "LAION aesthetic v2", "file": HEAD, "clip_file": VIT_L}],
    "CLIP score, aesthetic, similarity and negative prompt on one ViT-L/14": [
        {"kind": "CLIP score", "file": VIT_L},
        {"kind": "LAION aesthetic v2", "file": HEAD, "clip_file": VIT_L},
        {"kind": "CLIP image similarity", "file": VIT_L},
        {"kind": "CLIP negative prompt", "file": VIT_L, "negative_prompt": "blurry"},
    ],
    "PickScore and HPS v2.1 on two ViT-H/14": [
        {"kind": "PickScore", "file": VIT_H},
        {"kind": "HPS v2.1", "file": OTHER_VIT_H[0]},
    ],
    "PickScore, HPS v2.1 and CLIP score on three ViT-H/14": [
        {"kind": "PickScore", "file": VIT_H},
        {"kind": "HPS v2.1", "file": OTHER_VIT_H[0]},
        {"kind": "CLIP score", "file": OTHER_VIT_H[1], "architecture": "ViT-H-14"},
    ],
    "the six pixel rewards": [{"kind": kind} for kind in PIXEL_KINDS],
}


def write_files(folder: Path) -> None:
    import open_clip

    torch.manual_seed(0)
    for name, architecture in ((VIT_H, "ViT-H-14"), (VIT_L, "ViT-L-14-quickgelu")):
        if not (folder / name).exists():
            with torch.device("meta"):
                shapes = open_clip.CLIP(**open_clip.get_model_config(architecture)).state_dict()
            state = {key: torch.randn(each.shape).mul_(0.02).half() for key, each in shapes.items()}
            torch.save({"state_dict": state}, folder / name)
    for name in OTHER_VIT_H:  # other files to the pack, and no more room on the disk
        if not (folder / name).exists():
            os.link(folder / VIT_H, folder / name)
    sizes, layers = (768, 1024, 128, 64, 16, 1), (0, 2, 4, 6, 7)
    head = {}
    for index, given, wanted in zip(layers, sizes, sizes[1:], strict=False):
        head |= {f"layers.{index}.weight": torch.randn(wanted, given), f"layers.{index}.bias": torch.randn(wanted)}
    torch.save(head, folder / HEAD)


def peak_gigabytes() -> float:
    """Of this process alone (Linux); getrusage would give a child that of the parent which wrote the files, too."""
    (line,) = (line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) / 2**20


def counted(owner, name: str, calls: Counter) -> None:
    """Let every call of this function of a module or class be counted under its name."""
    function = getattr(owner, name)

    def count(*given, **options):
        calls[name] += 1
        return function(*given, **options)

    setattr(owner, name, count)


def measure(row: str, folder: Path, count: int) -> dict:
    from comfy.cli_args import args as host_options

    host_options.cpu = not torch.cuda.is_available()  # before anything else of the host is imported
    import folder_paths

    from benchmarks.world import load_pack

    pack = load_pack()
    nodes = importlib.import_module(f"{pack}.nodes")
    score_images = importlib.import_module(f"{pack}.nodes.host.scoring").score_images
    shared = importlib.import_module(f"{pack}.nodes.host.shared_trunks")
    management = importlib.import_module("comfy.model_management")
    folder_paths.folder_names_and_paths["reward_models"] = ([str(folder)], {".pt", ".pth", ".safetensors"})
    calls = Counter()
    counted(shared, "load_clip_trunk", calls)
    counted(management, "load_models_gpu", calls)
    counted(importlib.import_module("comfy.model_patcher").CoreModelPatcher, "load", calls)  # moves the weights
    images = torch.rand(count, SIDE, SIDE, 3)
    reference = images[:1].clone()
    before = peak_gigabytes()
    with torch.inference_mode():
        start = time.perf_counter()
        rewards = []
        for settings in ROWS[row]:
            given = {"architecture": "ViT-L-14-quickgelu", "reference": reference} | settings
            rewards.append(nodes.LiDARRewardModelLoader.execute(**given).result[0])
        loaded = time.perf_counter()
        score_images(rewards, images, "a red cube on a table", BATCH)
        end = time.perf_counter()
    return {
        "load": loaded - start, "score": end - loaded, "base": before, "peak": peak_gigabytes(),
        "read": calls["load_clip_trunk"], "asked": calls["load_models_gpu"], "loaded": calls["load"],
        "threads": torch.get_num_threads(),
    }  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--work", type=Path, required=True, help="a folder for the files of weights")
    parser.add_argument("--only", default="", help="measure the rows whose names hold this")
    parser.add_argument("--row", help="measure this row in this process, and print it as JSON")
    parser.add_argument("--images", type=int, default=50, help="how many to score (default: 50)")
    options = parser.parse_args()
    if options.row:
        print(json.dumps(measure(options.row, options.work, options.images)))
        return
    options.work.mkdir(parents=True, exist_ok=True)
    write_files(options.work)
    print(f"{options.images} images of {SIDE} x {SIDE}, {BATCH} at a time")
    print(
        "| reward | load, s | score, s | peak memory, GB (before) | CLIP files read | asked to load | loaded | threads |"
    )
    print("|---|---|---|---|---|---|---|---|")
    for row in (row for row in ROWS if options.only in row):
        command = [sys.executable, __file__, "--work", options.work, "--row", row, "--images", options.images]
        done = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False)
        if done.returncode:
            print(f"| {row} | failed: {done.stderr.strip().splitlines()[-1]} |", flush=True)
            continue
        got = json.loads(done.stdout.strip().splitlines()[-1])
        print(
            f"| {row} | {got['load']:.1f} | {got['score']:.1f} | {got['peak']:.1f} ({got['base']:.1f}) | {got['read']} | {got['asked']} | "
            f"{got['loaded']} | {got['threads']} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
