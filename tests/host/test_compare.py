"""dev.py compare on the real server: killed and resumed, and its rows hold what the host itself gives."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

REPOSITORY = Path(__file__).resolve().parents[2]
PROMPTS = ("three red circles", "a blue square above a green cross")
SEEDS, WANTED = 1, 1
ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "PYTHONSAFEPATH"}  # of dev.py test


def node(class_type: str, **inputs) -> dict:
    return {"class_type": class_type, "inputs": inputs}


def workflow() -> dict:
    return {
        "demo": node("LiDARLoadDemoModel"),
        "positive": node("CLIPTextEncode", clip=["demo", 1], text="a purple circle"),
        "negative": node("CLIPTextEncode", clip=["demo", 1], text=""),
        "latent": node("EmptyLatentImage", width=64, height=64, batch_size=WANTED),
        "reward": node("LiDARRewardModelLoader", kind="brightness", file="none", architecture="ViT-L-14"),
        "config": node("LiDARLookaheadConfig", start_from="best lookaheads", finish=1, cut_percent=0.45, guidance_form="blend", guidance_scale=0.4,
                       effective_dimension=256.0, steady_scores=False, count=5, steps=2, cfg=3.0, sampler_name="euler",
                       scheduler="normal", batch_size=5, reward_strength=30.0, reward_scale="standardised",
                       start_percent=0.0, end_percent=0.5),
        "lidar": node("LiDARKSampler", model=["demo", 0], positive=["positive", 0], negative=["negative", 0],
                      latent_image=["latent", 0], vae=["demo", 2], reward_model=["reward", 0], prompt="", seed=1,
                      steps=4, cfg=3.0, sampler_name="euler", scheduler="normal", denoise=1.0,
                      lookahead_config=["config", 0]),
        "decode": node("VAEDecode", samples=["lidar", 0], vae=["demo", 2]),
        "save": node("SaveImage", images=["decode", 0], filename_prefix="compare_by_hand"),
    }  # fmt: skip


@pytest.fixture
def command(server, tmp_path):
    """The command's arguments, for a folder of this test's own."""
    (tmp_path / "workflow.json").write_text(json.dumps(workflow()))
    (tmp_path / "prompts.txt").write_text("\n".join(PROMPTS))
    return [
        sys.executable, str(REPOSITORY / "dev.py"), "compare", "--server", server.url, "--seeds", str(SEEDS), "--batch", "2",
        "--workflow", str(tmp_path / "workflow.json"), "--prompts", str(tmp_path / "prompts.txt"), "--held-out", "contrast",
        "--output", str(tmp_path / "out"),
    ]  # fmt: skip


def rows_of(folder: Path) -> list[dict]:
    return [json.loads(line) for line in (folder / "out" / "rows.jsonl").read_text().splitlines()]


def pixels(path: Path) -> np.ndarray:
    with Image.open(path) as picture:
        return np.asarray(picture.convert("RGB"))


def test_comparison_outlives_a_kill_and_holds_what_the_host_gives(server, command, tmp_path):
    written = tmp_path / "out" / "rows.jsonl"
    killed = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=ENVIRONMENT)
    deadline = time.monotonic() + 300
    while killed.poll() is None and time.monotonic() < deadline:
        if written.exists() and written.read_bytes().count(b"\n") >= 3:
            break
        time.sleep(0.05)
    assert killed.poll() is None, killed.communicate()[0]
    os.kill(killed.pid, signal.SIGKILL)
    killed.communicate()
    before = written.read_bytes()
    before = before[: before.rfind(b"\n") + 1]

    done = subprocess.run(command, capture_output=True, text=True, timeout=300, env=ENVIRONMENT)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Measuring the seconds" not in done.stdout
    assert written.read_bytes().startswith(before)
    head, *rows = rows_of(tmp_path)
    cells = {(row["prompt"], row["seed"], row["method"]): row for row in rows}
    assert len(rows) == len(cells) == len(PROMPTS) * SEEDS * 3
    assert head["rewards"] == ["brightness", "contrast"] and head["images"] == WANTED

    for (prompt, seed, method), row in cells.items():
        picture = pixels(tmp_path / "out" / row["pictures"][0])
        luma = (picture / 255 @ [0.2126, 0.7152, 0.0722]).mean()
        assert row["rewards"]["brightness"] == pytest.approx([luma], abs=1 / 255), (prompt, seed, method)
        assert row["seconds"] > 0
        if method == "best of N":
            vanilla = cells[prompt, seed, "one picture"]
            assert len(row["candidates"]) == head["best_of"]
            assert row["candidates"][0] == pytest.approx(vanilla["rewards"]["brightness"][0], abs=1e-5)
            assert row["rewards"]["brightness"] == pytest.approx([max(row["candidates"])], abs=1e-5)
        if method == "LiDAR":
            assert len(row["lookaheads"]) == 5
            genevals = (tmp_path / "out" / row["pictures"][0]).parents[1]  # what its evaluation asks of a folder
            assert genevals.name.isdigit() and json.loads((genevals / "metadata.jsonl").read_text())["prompt"] == prompt
    by_hand(server, cells, tmp_path)

    again = subprocess.run(command, capture_output=True, text=True, timeout=300, env=ENVIRONMENT)
    assert again.returncode == 0 and "0 cells to draw" in again.stdout
    assert rows_of(tmp_path)[1:] == rows
    report = (tmp_path / "out" / "report.md").read_text()
    assert report.startswith(
        f"# LiDAR compared on workflow.json\n\n**LiDAR against best of {head['best_of']}, which took "
    )
    assert pixels(tmp_path / "out" / "sheet_01.jpg").shape[1] > 600


def by_hand(server, cells: dict, folder: Path) -> None:
    """The workflow itself, with prompt and seed written into it, gives the picture that stands in the row."""
    prompt, seed, _ = next(key for key in cells if key[2] == "LiDAR" and key[0] == PROMPTS[1])
    graph = workflow()
    graph["positive"]["inputs"]["text"] = prompt
    graph["lidar"]["inputs"]["seed"] = seed
    result = server.queue(graph, timeout=120)
    assert result.status == "success", result.message
    picture = np.asarray(Image.open(io.BytesIO(server.view(result.outputs["save"]["images"][0]))))
    assert np.array_equal(picture, pixels(folder / "out" / cells[prompt, seed, "LiDAR"]["pictures"][0]))
    result = server.queue(graph | {"lidar": plain_sampler(graph)}, timeout=120)
    picture = np.asarray(Image.open(io.BytesIO(server.view(result.outputs["save"]["images"][0]))))
    assert np.array_equal(picture, pixels(folder / "out" / cells[prompt, seed, "one picture"]["pictures"][0]))


def plain_sampler(graph: dict) -> dict:
    names = (
        "model",
        "positive",
        "negative",
        "latent_image",
        "seed",
        "steps",
        "cfg",
        "sampler_name",
        "scheduler",
        "denoise",
    )
    return node("KSampler", **{name: graph["lidar"]["inputs"][name] for name in names})


def wrong(command: list[str], *more: str) -> str:
    done = subprocess.run([*command, *more], capture_output=True, text=True, timeout=120, env=ENVIRONMENT)
    assert done.returncode == 2, done.stdout + done.stderr
    assert done.stderr.count("\n") == 1, done.stderr
    return done.stderr


def test_what_the_server_cannot_do_is_told_in_one_line(command, tmp_path):
    assert "this server has no kind 'PikScore'; it has auto," in wrong(command, "--held-out", "PikScore")
    assert "--held-out brightness is the reward that guides" in wrong(command, "--held-out", "brightness")
    graph = workflow()
    graph["reward"]["inputs"]["file"] = "absent.safetensors"
    (tmp_path / "workflow.json").write_text(json.dumps(graph))
    assert "absent.safetensors" in wrong(command)
    graph = workflow()
    graph["lidar"]["inputs"]["steps"] = 0
    (tmp_path / "workflow.json").write_text(json.dumps(graph))
    assert "refuses the workflow" in wrong(command)
    graph = workflow()
    graph["config"]["inputs"]["count"] = 1
    graph["latent"] = node("EmptySD3LatentImage", width=64, height=64, batch_size=1)
    graph["reward"] = node("LiDARRewardModelLoader", kind="palette match", file="none", architecture="ViT-L-14")
    (tmp_path / "workflow.json").write_text(json.dumps(graph))
    assert "The server failed at" in wrong(command)
    (tmp_path / "workflow.json").write_text(
        (REPOSITORY / "workflows" / "05 SDXL in parts, for any sampler.json").read_text()
    )
    assert "needs one LiDAR KSampler, and this one has 0" in wrong(command)
