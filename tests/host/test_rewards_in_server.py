"""Rewards in the real server, with the demo model: swapped, mixed, picked, typed in, and as a tool of their own."""

from __future__ import annotations

import io
import json
import pickle
import shutil
import zlib
from pathlib import Path

import pytest
import torch
from PIL import Image

PROMPT = "three red circles"
DEMO_CLIP = Path(__file__).resolve().parents[2] / "demo_model" / "weights" / "demo_clip"
CLIP_FILE = str(Path("demo_clip", "open_clip_model.safetensors"))
NO_TOKENIZER = str(Path("no_tokenizer", "open_clip_model.safetensors"))
PAPERS = {"guidance_form": "difference", "effective_dimension": 0.0}
DRAWING = {"LiDARSampleLookaheads", "VAEDecode"}


def loader(kind: str, file: str = "none", **others) -> dict:
    inputs = {"kind": kind, "file": file, "architecture": "open_clip_config.json"} | others
    return {"class_type": "LiDARRewardModelLoader", "inputs": inputs}


def node(class_type: str, **inputs) -> dict:
    return {"class_type": class_type, "inputs": inputs}


def graph(seed: int, **lidar) -> dict:
    """LiDAR KSampler on the demo model with the reward model "reward"; lidar: its inputs to replace."""
    return {
        "demo": node("LiDARLoadDemoModel"),
        "positive": node("CLIPTextEncode", clip=["demo", 1], text=PROMPT),
        "negative": node("CLIPTextEncode", clip=["demo", 1], text=""),
        "latent": node("EmptyLatentImage", width=64, height=64, batch_size=1),
        "reward": loader("brightness"),
        "config": node("LiDARLookaheadConfig", **PAPERS, start_from="own noise", finish=1, cut_percent=0.45,
                       steady_scores=False, count=5, steps=2, cfg=3.0, sampler_name="dpmpp_2m",
                       scheduler="karras", batch_size=5, guidance_scale=4.0, reward_strength=30.0,
                       reward_scale="standardised", start_percent=0.0, end_percent=0.5),
        "lidar": node("LiDARKSampler", **{
            "model": ["demo", 0], "positive": ["positive", 0], "negative": ["negative", 0], "latent_image": ["latent", 0],
            "vae": ["demo", 2], "reward_model": ["reward", 0], "prompt": PROMPT, "seed": seed, "steps": 3, "cfg": 3.0,
            "sampler_name": "euler", "scheduler": "normal", "denoise": 1.0, "lookahead_config": ["config", 0],
        } | lidar),
        "decode": node("VAEDecode", samples=["lidar", 0], vae=["demo", 2]),
        "save": node("SaveImage", images=["decode", 0], filename_prefix="rewards"),
    }  # fmt: skip


def parts(seed: int) -> dict:
    """The same by hand, up to the scored lookaheads."""
    prompt = graph(seed)
    del prompt["lidar"], prompt["config"]
    task = {"positive": ["positive", 0], "negative": ["negative", 0], "latent_image": ["latent", 0], "denoise": 1.0}
    sampler = {"steps": 2, "cfg": 3.0, "sampler_name": "euler", "scheduler": "normal"}
    return prompt | {
        "draw": node("LiDARSampleLookaheads", model=["demo", 0], seed=seed, count=4, batch_size=4, **task, **sampler),
        "lookahead_images": node("VAEDecode", samples=["draw", 0], vae=["demo", 2]),
        "guide": node("LiDARApplyGuidance", model=["demo", 0], lookaheads=["judged", 0], percent_of="whole process", **PAPERS, guidance_scale=4.0,
                      reward_strength=30.0, reward_scale="standardised", start_percent=0.0, end_percent=0.5),
        "lidar": node("KSampler", model=["guide", 0], seed=seed, **task, **sampler),
    }  # fmt: skip


@pytest.fixture
def seed(request):
    """A seed that no other test uses, so that nothing of this one is in the server's cache."""
    return zlib.crc32(request.node.name.encode())


@pytest.fixture(scope="module")
def models(_running_server):
    """The server's models/reward_models, with the demo's CLIP in a folder of its own."""
    folder = Path(_running_server.base_directory, "models", "reward_models")
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copytree(DEMO_CLIP, folder / "demo_clip", dirs_exist_ok=True)
    return folder


@pytest.fixture
def run(server, record_figure):
    """run(prompt) -> the result of a run that succeeds; with a name, its executed nodes are shown."""

    def queue(prompt, name=None, **options):
        result = server.queue(prompt, timeout=120, **options)
        assert result.status == "success", result.message
        if name:
            record_figure(f"executed: {name}", ", ".join(result.executed_classes))
        return result

    return queue


def text_on(result, node_id: str) -> str:
    return "\n".join(text for node, text in result.texts if node == node_id)


def test_swapping_between_kinds_keeps_the_lookaheads(run, models, seed):
    run(graph(seed))
    for swapped in (
        loader("PickScore", CLIP_FILE),
        loader("CLIP negative prompt", CLIP_FILE, negative_prompt="a blue square"),
        loader("auto", CLIP_FILE),
        loader("colourfulness"),
    ):
        kind = swapped["inputs"]["kind"]
        result = run(graph(seed) | {"reward": swapped}, f"reward swapped for {kind}")
        assert not DRAWING & set(result.executed_classes[:-2]), "the final image alone is decoded"
        assert {"LiDARScoreLookaheads", "LiDARApplyGuidance", "KSampler"} <= set(result.executed_classes)
        if kind == "auto":
            assert "CLIP score (demo_clip): a CLIP, by its tensors" in text_on(result, "reward")


def test_combining_three_and_changing_a_weight_keeps_the_lookaheads(run, models, seed):
    prompt = graph(seed, reward_model=["combined", 0]) | {
        "clip": loader("CLIP score", CLIP_FILE),
        "away": loader("CLIP negative prompt", CLIP_FILE, negative_prompt="a blue square"),
        "combined": node("LiDARCombineRewards", weights="0.5, 0.3, 0.2", **{
            "rewards.reward_1": ["clip", 0], "rewards.reward_2": ["reward", 0], "rewards.reward_3": ["away", 0],
        }),
    }  # fmt: skip
    first = run(prompt, "three rewards combined")
    name = "0.5 CLIP score (demo_clip) + 0.3 brightness + 0.2 CLIP negative prompt (demo_clip)"
    assert name in text_on(first, "lidar")
    prompt["combined"]["inputs"]["weights"] = "0.5, 0.3, -0.2"
    again = run(prompt, "weight of a combined reward changed")
    assert not {"LiDARSampleLookaheads", "LiDARRewardModelLoader"} & set(again.executed_classes)
    assert "LiDARScoreLookaheads" in again.executed_classes


def test_picks_only_guide_and_sample_again(run, seed):
    first = run(graph(seed))
    picked = run(graph(seed, picks="2, -4"), "picks typed into LiDAR KSampler")
    expected = (
        "LiDARKSampler",
        "LiDARPickLookaheads",
        "LiDARApplyGuidance",
        "KSampler",
        "LiDARRunReport",
        "VAEDecode",
        "SaveImage",
    )
    assert picked.executed_classes == expected
    assert "picked no. 2 (+1), no. 4 (-1) of 5; now best: no. 2" in text_on(picked, "lidar")
    other = run(graph(seed, picks="5"), "picks changed")
    assert other.executed_classes == expected
    assert first.outputs["save"]["images"] and "now best: no. 5" in text_on(other, "lidar")


def test_a_pick_that_is_not_there_is_told_in_one_line(server, seed):
    result = server.queue(graph(seed, picks="9"))
    assert result.status == "error"
    assert "LiDAR KSampler: picks names lookahead 9, but there are 5: use the numbers 1 to 5" in result.message


def test_values_from_another_node_become_rewards(run, server, seed):
    prompt = parts(seed) | {
        "score": node("LiDARScoreImages", images=["lookahead_images", 0], reward_model=["reward", 0], prompt="",
                      prompt_per_line=False, top_k=1, use_threshold=False, threshold=0.0, batch_size=4, steady_scores=False),
        "judged": node("LiDARRewardsFromValues", lookaheads=["draw", 0], values=["score", 3], name="another node"),
    }  # fmt: skip
    result = run(prompt, "rewards from the list of another node")
    assert "4 values, best" in text_on(result, "judged")
    prompt["judged"]["inputs"]["values"] = "0.1, 0.4, -2, 0.3"
    typed = run(prompt, "rewards typed in")
    assert "4 values, best 0.4 for no. 2" in text_on(typed, "judged")
    assert not DRAWING & set(typed.executed_classes[:-2]) and "LiDARScoreImages" not in typed.executed_classes
    prompt["judged"]["inputs"]["values"] = "0.1, 0.4"
    wrong = server.queue(prompt)
    assert wrong.status == "error"
    assert "LiDAR Rewards From Values: values has 2 numbers for 4 lookaheads" in wrong.message


def score_graph(seed: int) -> dict:
    """Four plain images, scored with two held-out rewards, the best two saved."""
    prompt = graph(seed)
    for name in ("config", "lidar", "decode"):
        del prompt[name]
    prompt["latent"]["inputs"]["batch_size"] = 4
    return prompt | {
        "clip": loader("CLIP score", CLIP_FILE),
        "colour": loader("colourfulness"),
        "sampler": node("KSampler", model=["demo", 0], positive=["positive", 0], negative=["negative", 0], seed=seed, steps=3,
                        latent_image=["latent", 0], cfg=3.0, sampler_name="euler", scheduler="normal", denoise=1.0),
        "decoded": node("VAEDecode", samples=["sampler", 0], vae=["demo", 2]),
        "score": node("LiDARScoreImages", images=["decoded", 0], reward_model=["clip", 0], prompt=PROMPT, top_k=2,
                      prompt_per_line=False, use_threshold=False, threshold=0.0, batch_size=4, steady_scores=False, latents=["sampler", 0],
                      **{"held_out.held_out_1": ["reward", 0], "held_out.held_out_2": ["colour", 0]}),
        "text": node("PreviewAny", source=["score", 4]),
        "latents": node("SaveLatent", samples=["score", 1], filename_prefix="best"),
        "save": node("SaveImage", images=["score", 0], filename_prefix="best"),
    }  # fmt: skip


def test_score_table_has_a_column_for_each_held_out_reward(run, models, seed, record_figure):
    result = run(score_graph(seed), "images scored with two held-out rewards")
    (table,) = result.outputs["text"]["text"]
    record_figure("score table", "\n" + table)
    assert table.splitlines()[0].split() == [
        "rank",
        "no.",
        "CLIP",
        "score",
        "(demo_clip)",
        "brightness",
        "colourfulness",
    ]
    assert len(result.outputs["save"]["images"]) == 2
    assert len(result.outputs["latents"]["latents"]) == 1


def test_a_threshold_that_no_image_reaches_is_told_first_on_the_node(run, models, seed):
    prompt = score_graph(seed)
    prompt["score"]["inputs"] |= {"use_threshold": True, "threshold": 99.0}
    result = run(prompt)
    assert len(result.outputs["save"]["images"]) == 1
    assert text_on(result, "score").startswith("no image reaches the threshold 99: the best one, no. ")


def test_scores_go_into_the_metadata_of_saved_pictures(run, server, models, seed):
    result = run(score_graph(seed), extra_data={"extra_pnginfo": {"workflow": {"nodes": []}}})
    saved = Image.open(io.BytesIO(server.view(result.outputs["save"]["images"][0])))
    written = json.loads(saved.info["lidar_scores"])["score"]
    assert list(written["scores"]) == ["CLIP score (demo_clip)", "brightness", "colourfulness"]
    clip = written["scores"]["CLIP score (demo_clip)"]
    assert len(clip) == 4 and clip[written["kept"][0] - 1] == max(clip) and len(written["kept"]) == 2
    guided = run(graph(seed), extra_data={"extra_pnginfo": {"workflow": {"nodes": []}}})
    saved = Image.open(io.BytesIO(server.view(guided.outputs["save"]["images"][0])))
    lookaheads = json.loads(saved.info["lidar_scores"])["lidar"]["lookaheads"]
    assert [len(scores) for scores in lookaheads.values()] == [5]


def test_an_unconnected_latents_output_names_the_input(server, models, seed):
    prompt = score_graph(seed)
    del prompt["score"]["inputs"]["latents"]
    result = server.queue(prompt)
    assert "latents" not in result.outputs and result.outputs["save"]["images"], "the rest of the graph runs"
    assert "LiDAR Score Images: its output latents is used, but its input latents is not connected" in result.message


class Planted:
    """Runs when it is unpickled: it would leave a file behind."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return (open, (str(self.path), "w"))


def bad_files(folder: Path) -> dict[str, tuple[str, str]]:
    """name -> (kind, what the message says); writes the files."""
    weights = torch.rand(64, 64)
    torch.save({"layers.0.weight": weights}, folder / "whole.pt")
    (folder / "cut.pt").write_bytes((folder / "whole.pt").read_bytes()[:3000])
    shutil.copy(DEMO_CLIP / "open_clip_model.safetensors", folder / "cut.safetensors")
    with (folder / "cut.safetensors").open("r+b") as file:
        file.truncate(500_000)
    (folder / "empty.pt").write_bytes(b"")
    (folder / "page.pt").write_text("<!DOCTYPE html><html>Please log in</html>")
    (folder / "words.bin").write_text("This is no model.")
    (folder / "lfs.pth").write_text("version https://git-lfs.github.com/spec/v1\noid sha256:1\nsize 5\n")
    (folder / "code.pt").write_bytes(pickle.dumps({"weights": Planted(folder / "planted")}))
    (folder / "old_code.pt").write_bytes(pickle.dumps({"weights": Planted(folder / "planted")}, protocol=2))
    torch.save({"weights": Planted(folder / "planted")}, folder / "zipped_code.pt")
    torch.save({"encoder.weight": weights}, folder / "other.pt")
    shutil.copytree(DEMO_CLIP, folder / "no_tokenizer", dirs_exist_ok=True)
    config = folder / "no_tokenizer" / "open_clip_config.json"
    content = json.loads(config.read_text(encoding="utf-8"))
    content["model_cfg"]["text_cfg"]["hf_tokenizer_name"] = "google/siglip"
    config.write_text(json.dumps(content), encoding="utf-8")
    return {
        "cut.pt": ("auto", "cut.pt is cut off"),
        "cut.safetensors": ("CLIP score", "cut.safetensors is damaged or cut off"),
        "empty.pt": ("LAION aesthetic v2", "empty.pt is empty (0 bytes)"),
        "page.pt": ("HPS v2.1", "page.pt is a web page that was saved instead of the model"),
        "words.bin": ("auto", "words.bin is no model file"),
        "lfs.pth": ("PickScore", "lfs.pth is a Git LFS pointer"),
        "code.pt": ("auto", "code.pt is refused: besides tensors it holds the Python object"),
        "old_code.pt": ("PickScore", "old_code.pt is refused: besides tensors it holds the Python object"),
        "zipped_code.pt": ("CLIP score", "zipped_code.pt is refused: besides tensors it holds the Python object"),
        "other.pt": ("auto", "other.pt is no reward model that is known here (its first tensors: encoder.weight)"),
        "whole.pt": ("PickScore", "whole.pt holds no CLIP (its first tensors: layers.0.weight)"),
        NO_TOKENIZER: (
            "CLIP score",
            "no_tokenizer needs the tokenizer of google/siglip, and nothing is downloaded here",
        ),
    }


def test_every_bad_file_is_one_clear_line_and_nothing_in_it_runs(server, models, seed, record_figure):
    for name, (kind, wanted) in bad_files(models).items():
        architecture = "open_clip_config.json" if name == NO_TOKENIZER else "ViT-B-32"
        others = {"architecture": architecture, "clip_file": CLIP_FILE}
        result = server.queue(graph(seed) | {"reward": loader(kind, name, **others)}, timeout=60)
        assert result.status == "error", name
        assert f"Load LiDAR Reward Model: {wanted}" in result.message
        assert len(result.message.strip().splitlines()) == 1, result.message
        record_figure(f"bad file {name}", result.message.strip())
    assert not (models / "planted").exists()


def test_what_a_kind_lacks_is_told_before_or_when_it_runs(server, models, seed):
    cases = {
        "auto needs a model file": loader("auto"),
        "LAION aesthetic v2 reads the embeddings of a CLIP": loader("LAION aesthetic v2", CLIP_FILE),
        "CLIP negative prompt needs the text": loader("CLIP negative prompt", CLIP_FILE),
        "CLIP image similarity compares with a picture: connect one to 'reference'": loader(
            "CLIP image similarity", CLIP_FILE
        ),
    }
    for wanted, reward in cases.items():
        result = server.queue(graph(seed) | {"reward": reward}, timeout=60)
        assert result.status in ("error", "rejected")
        assert wanted in result.message
