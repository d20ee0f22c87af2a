"""The demo itself, run by the environment's Python: queues the demo workflow in a real server and writes what came out.

Rewards of vanilla and guided images are computed here with the shipped reward model, in the same way for both; those
of the lookaheads are the ones that the scoring node reported, which steered the sampling.
"""

from __future__ import annotations

import argparse
import copy
import importlib.metadata
import io
import json
import shutil
import signal
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

from demo_model.referee import judge
from reward_models.base import RewardModel
from reward_models.clip_architecture import FOLDER_CONFIG
from reward_models.registry import load_reward_model

from .cache import SetupError
from .comfy_client import ComfyClient, RunResult
from .demo_progress import PhaseDisplay
from .demo_report import DemoReport, JudgedImage
from .demo_sheet import comparison_sheet
from .environment import REPOSITORY
from .host import HOST
from .server import start_server
from .workflow_file import read_workflow
from .workflow_to_prompt import workflow_to_prompt

Prompt = Mapping[str, Mapping[str, Any]]
REWARD_FILE = REPOSITORY / "demo_model" / "weights" / "demo_clip" / "open_clip_model.safetensors"
PHASES_OF_CHILDREN = {
    "LiDARSampleLookaheads": "lookahead sampling",
    "LiDARSampleCandidates": "lookahead sampling",
    "VAEDecode": "lookahead decoding",
    "LiDARScoreLookaheads": "scoring",
    "KSampler": "guided sampling",
    "LiDARSampleInParts": "guided sampling",
    "LiDARContinueBest": "guided sampling",
    "LiDARKeepBest": "scoring",
}
PHASES = ("vanilla sampling", *dict.fromkeys(PHASES_OF_CHILDREN.values()))
_WARM_UP_SEED = 2**64 - 2
GROUPS = ("vanilla", "lookaheads", "guided")


def main() -> int:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the server is stopped too
    options = _parse()
    workflow = read_workflow(options.workflow)
    print(f"Starting ComfyUI {'on the CPU' if options.cpu else 'on the GPU'} ...", flush=True)
    began = time.monotonic()
    server = start_server(
        python=sys.executable, comfyui=options.comfyui, base_directory=options.base_directory, cpu=options.cpu,
        log_path=options.base_directory / "server.log", extra_args=("--preview-method", "auto"),
    )  # fmt: skip
    try:
        print(f"The server answers after {time.monotonic() - began:.0f} s. Sampling:", flush=True)
        client = ComfyClient(server.url)
        try:
            prompt = workflow_to_prompt(workflow, client.object_info())
        except ValueError as error:
            raise SetupError(f"--workflow {options.workflow}: {error}") from None
        _check(prompt)
        _override(prompt, options.seed, options.prompt)
        prompt["lookaheads"] = {
            "class_type": "SaveImage",
            "inputs": {"images": [_only(prompt, "LiDARKSampler"), 2], "filename_prefix": "lidar_demo/lookaheads"},
        }
        print("First a short run that is not counted, so that nothing is loaded while the clock runs:", flush=True)
        result, seconds = _run(client, _warm_up(prompt))
        if result.status == "success":
            print("The demo:", flush=True)
            result, seconds = _run(client, prompt)
        if result.status != "success":
            print(
                f"\nThe demo ended as {result.status}: {result.message}\nServer log: {server.log_path}", file=sys.stderr
            )
            return 1
        report = _report(client, result, seconds)
    finally:
        server.stop()
    _write(report, options.output)
    print(f"\n{report.prompt}\n\n{report.table()}\n")
    print("One prompt and seed is a single draw; docs/benchmarks.md has the averages over about 200 prompts.")
    print(f"Look at {options.output / 'comparison.png'}")
    return 0


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="demo_run")
    for name in ("--workflow", "--base-directory", "--output", "--comfyui"):
        parser.add_argument(name, type=Path, required=True)
    parser.add_argument("--cpu", action="store_true")
    parser.add_argument("--seed", type=int)
    parser.add_argument("--prompt")
    return parser.parse_args()


def _check(prompt: Prompt) -> None:
    """SetupError where the report will not find what it shows, before minutes are spent on it."""
    for class_type in ("LiDARKSampler", "KSampler"):
        _only(prompt, class_type)
    _words(prompt)
    for group in ("vanilla", "guided"):
        _save_node(prompt, group)


def _words(prompt: Prompt) -> dict[str, Any]:
    """The inputs of the text encoder behind LiDAR KSampler, whose words the judge reads too."""
    positive = prompt[_only(prompt, "LiDARKSampler")]["inputs"].get("positive")
    encoder = prompt[positive[0]]["inputs"] if isinstance(positive, list) else {}
    if "text" not in encoder:
        raise SetupError("The demo needs a workflow whose LiDAR KSampler has its positive from a CLIP Text Encode.")
    return encoder


def _only(prompt: Prompt, class_type: str) -> str:
    """The id of the one node of that class."""
    found = [node_id for node_id, node in prompt.items() if node["class_type"] == class_type]
    if len(found) != 1:
        raise SetupError(f"The demo needs a workflow with one {class_type}; this one has {len(found)}.")
    return found[0]


def _override(prompt: dict[str, dict[str, Any]], seed: int | None, text: str | None) -> None:
    lidar, vanilla = prompt[_only(prompt, "LiDARKSampler")]["inputs"], prompt[_only(prompt, "KSampler")]["inputs"]
    if seed is not None:
        lidar["seed"] = vanilla["seed"] = seed
    if text is not None:
        _words(prompt)["text"] = text
        lidar["prompt"] = ""  # the words of that encoder


def _warm_up(prompt: Prompt) -> Prompt:
    """The same with two steps and another seed, so that no result of it is kept for the demo."""
    short = copy.deepcopy(prompt)
    for class_type in ("LiDARKSampler", "KSampler"):
        short[_only(short, class_type)]["inputs"] |= {"seed": _WARM_UP_SEED, "steps": 2}
    return short


def _run(client: ComfyClient, prompt: Prompt) -> tuple[RunResult, dict[str, float]]:
    display = PhaseDisplay(lambda node_id: _phase_of(prompt, node_id))
    result = client.queue(prompt, timeout=1800, on_event=display.on_event)
    return result, {phase: display.seconds.get(phase, 0.0) for phase in PHASES}


def _phase_of(prompt: Prompt, node_id: str) -> str | None:
    if node_id in prompt:
        return "vanilla sampling" if prompt[node_id]["class_type"] == "KSampler" else None
    return PHASES_OF_CHILDREN.get(node_id.rsplit(".", 1)[-1])


def _report(client: ComfyClient, result: RunResult, seconds: Mapping[str, float]) -> DemoReport:
    inputs = result.prompt[_only(result.prompt, "LiDARKSampler")]["inputs"]
    lidar = {name: _typed(result.prompt, value) for name, value in inputs.items()}
    text = lidar["prompt"] or _typed(result.prompt, _words(result.prompt)["text"])
    vanilla, labelled, guided = (_pictures(client, result, group) for group in GROUPS)
    lookaheads = [_without_label(picture, vanilla[0].size) for picture in labelled]
    scoring = next(node_id for node_id in result.outputs if result.class_of(node_id) == "LiDARScoreLookaheads")
    reward_model = load_reward_model("CLIP score", str(REWARD_FILE), FOLDER_CONFIG)
    return DemoReport(
        prompt=text,
        reward_name=reward_model.name,
        vanilla=_judged("vanilla", text, vanilla, vanilla, _rewards(reward_model, vanilla, text)),
        lookaheads=_judged("lookahead", text, lookaheads, labelled, result.outputs[scoring]["rewards"]),
        guided=_judged("guided", text, guided, guided, _rewards(reward_model, guided, text)),
        seconds=seconds,
        settings=_settings(result, lidar),
        versions={
            "comfyui": HOST.version,
            "torch": torch.__version__,
            "open_clip": importlib.metadata.version("open_clip_torch"),
        },
    )


def _typed(prompt: Prompt, value: Any) -> Any:
    """An input's value; of one that a Text or Int node feeds, that node's. Any other link stays a link."""
    if isinstance(value, list) and prompt[value[0]]["class_type"].startswith("Primitive"):
        return prompt[value[0]]["inputs"]["value"]
    return value


def _pictures(client: ComfyClient, result: RunResult, group: str) -> list[Image.Image]:
    images = result.outputs[_save_node(result.prompt, group)]["images"]
    return [Image.open(io.BytesIO(client.view(image))) for image in images]


def _save_node(prompt: Prompt, group: str) -> str:
    """The id of the SaveImage node whose filename_prefix ends with the group's name."""
    for node_id, node in prompt.items():
        prefix = str(node["inputs"].get("filename_prefix", ""))
        if node["class_type"] == "SaveImage" and prefix.rsplit("/", 1)[-1] == group:
            return node_id
    raise SetupError(f"The demo needs a Save Image node with a filename_prefix that ends in /{group}.")


def _without_label(picture: Image.Image, size: tuple[int, int]) -> Image.Image:
    """A ranked lookahead is an enlarged image over a strip with its label: the image alone, in its own size."""
    return picture.crop((0, 0, picture.width, picture.width * size[1] // size[0])).resize(size, Image.Resampling.BOX)


def _rewards(reward_model: RewardModel, pictures: Sequence[Image.Image], text: str) -> list[float]:
    pixels = torch.from_numpy(np.stack([_pixels(picture) for picture in pictures])).permute(0, 3, 1, 2)
    with torch.inference_mode():
        return reward_model.score(pixels, [text] * len(pictures)).tolist()


def _judged(
    name: str, text: str, pictures: Sequence[Image.Image], saved: Sequence[Image.Image], rewards: Sequence[float]
) -> tuple[JudgedImage, ...]:
    judged = []
    for index, (picture, shown, reward) in enumerate(zip(pictures, saved, rewards, strict=True), start=1):
        try:
            verdict = judge(_pixels(picture), text)
            correct, reason = verdict.correct, verdict.reason
        except ValueError as unknown:
            correct, reason = None, str(unknown)
        judged.append(JudgedImage(picture, shown, f"{name}_{index:02d}.png", reward, correct, reason))
    return tuple(judged)


def _pixels(picture: Image.Image) -> np.ndarray:
    return np.asarray(picture.convert("RGB"), dtype=np.float32) / 255


def _settings(result: RunResult, lidar: Mapping[str, Any]) -> dict[str, Any]:
    """The sampler's own values, and those of its lookahead config."""
    settings = {name: value for name, value in lidar.items() if not isinstance(value, list) and name != "prompt"}
    if "lookahead_config" in lidar:
        settings["lookahead_config"] = dict(result.prompt[lidar["lookahead_config"][0]]["inputs"])
    return settings


def _write(report: DemoReport, folder: Path) -> None:
    try:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        for image in (*report.vanilla, *report.lookaheads, *report.guided):
            image.saved.save(folder / image.file)
        comparison_sheet(report).save(folder / "comparison.png")
        (folder / "summary.json").write_text(json.dumps(report.summary(), indent=2) + "\n", encoding="utf-8")
    except OSError as error:
        raise SetupError(f"The images cannot be written to {folder} ({error}).") from None


if __name__ == "__main__":
    try:
        sys.exit(main())
    except SetupError as error:
        sys.stderr.write(f"dev.py: {error}\n")
        sys.exit(2)
    except KeyboardInterrupt:
        sys.exit(130)
