"""The three methods as graphs for the host: one picture, best of N, LiDAR; and what judges their pictures afterwards.

A method's graph ends in pictures as the server saves them for a preview, and is timed. Judging them comes in a second
run, out of the server's cache, and is not timed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .task import LIDAR, Graph, Task

VANILLA, BEST_OF, GUIDED = "one picture", "best of N", "LiDAR"
METHODS = (VANILLA, BEST_OF, GUIDED)
PICTURES, CANDIDATES, SCORE = "compare_pictures", "compare_candidates", "LiDARScoreImages"
_FINAL, _CHOSEN = "compare_final", "compare_chosen"
_SAMPLER_INPUTS = ("model", "positive", "negative", "steps", "cfg", "sampler_name", "scheduler", "denoise")
LARGEST_REPEAT = 64  # of the host's Repeat Latent Batch


@dataclass(frozen=True)
class Drawing:
    """A method's graph, and the link to the pictures in it."""

    graph: Graph
    pictures: list


def vanilla(task: Task, text: str, seed: int) -> Drawing:
    """The host's KSampler in LiDAR KSampler's place, with its values."""
    graph = task.asking_for(text) | {
        "compare_sampler": _ksampler(task, seed, task.lidar["latent_image"]),
        _FINAL: _decode(task, ["compare_sampler", 0]),
    }
    return _shown(graph, [_FINAL, 0])


def guided(task: Task, text: str, seed: int) -> Drawing:
    """The workflow's LiDAR KSampler as it is."""
    lidar = {"class_type": LIDAR, "inputs": dict(task.lidar) | {"prompt": text, "seed": seed}}
    graph = task.asking_for(text) | {"compare_sampler": lidar, _FINAL: _decode(task, ["compare_sampler", 0])}
    return _shown(graph, [_FINAL, 0])


def best_of(
    task: Task, text: str, seed: int, *, count: int, wanted: int, batch: int, scoring: Mapping[str, Any]
) -> Drawing:
    """`count` pictures of one seed, drawn `batch` at a time, of which LiDAR Score Images keeps the `wanted` best.

    Row i of them is the i-th that KSampler would make in one batch. scoring: other inputs of LiDAR Score Images.
    """
    repeated = {"samples": task.lidar["latent_image"], "amount": -(-count // wanted)}
    graph = task.asking_for(text) | {"compare_rows": {"class_type": "RepeatLatentBatch", "inputs": repeated}}
    joined = None
    for start in range(0, count, batch):
        rows, sampler, images = (f"compare_{part}_{start}" for part in ("rows", "sampler", "images"))
        length = min(batch, count - start)
        some = {"samples": ["compare_rows", 0], "batch_index": start, "length": length}
        graph[rows] = {"class_type": "LatentFromBatch", "inputs": some}
        graph[sampler] = _ksampler(task, seed, [rows, 0])
        graph[images] = _decode(task, [sampler, 0])
        if joined is not None:
            both = {"image1": joined, "image2": [images, 0]}
            images = f"compare_joined_{start}"
            graph[images] = {"class_type": "ImageBatch", "inputs": both}
        joined = [images, 0]
    graph[_CHOSEN] = _score(joined, task.lidar["reward_model"], text, dict(scoring) | {"top_k": wanted})
    graph[CANDIDATES] = _told([_CHOSEN, 3])
    return _shown(graph, [_CHOSEN, 0])


def judged(
    drawing: Drawing, task: Task, text: str, held_out: Mapping[str, Mapping[str, Any]], scoring: Mapping[str, Any]
) -> tuple[Graph, dict[str, str]]:
    """The graph with every reward's score of the pictures, and which node tells which: name of the reward -> node id.

    held_out: inputs of LiDAR's loader, by the name of the reward.
    """
    graph, told = dict(drawing.graph), {}
    rewards = [(task.reward_name, task.lidar["reward_model"])]
    for number, (name, inputs) in enumerate(held_out.items(), start=1):
        loader = f"compare_held_out_{number}"
        graph[loader] = {"class_type": "LiDARRewardModelLoader", "inputs": dict(inputs)}
        rewards.append((name, [loader, 0]))
    for number, (name, reward) in enumerate(rewards):
        score, told[name] = f"compare_score_{number}", f"compare_told_{number}"
        graph[score] = _score(drawing.pictures, reward, text, scoring)
        graph[told[name]] = _told([score, 3])
    return graph, told


def numbers_told(outputs: Mapping[str, Any], node_id: str) -> list[float]:
    """The scores that a node of `judged`, or CANDIDATES, has told, in the order of the batch."""
    return [float(text) for text in outputs[node_id]["text"]]


def _ksampler(task: Task, seed: int, latent: Sequence) -> dict[str, Any]:
    inputs = {name: task.lidar[name] for name in _SAMPLER_INPUTS if name in task.lidar}
    return {"class_type": "KSampler", "inputs": inputs | {"seed": seed, "latent_image": latent}}


def _decode(task: Task, latent: list) -> dict[str, Any]:
    return {"class_type": "VAEDecode", "inputs": {"samples": latent, "vae": task.lidar["vae"]}}


def _score(images: list, reward: list, text: str, scoring: Mapping[str, Any]) -> dict[str, Any]:
    inputs = dict(scoring) | {"images": images, "reward_model": reward, "prompt": text}
    return {"class_type": SCORE, "inputs": inputs}


def _told(link: list) -> dict[str, Any]:
    return {"class_type": "PreviewAny", "inputs": {"source": link}}


def _shown(graph: Graph, pictures: list) -> Drawing:
    return Drawing(graph | {PICTURES: {"class_type": "PreviewImage", "inputs": {"images": pictures}}}, pictures)
