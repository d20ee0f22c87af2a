"""What a workflow asks for: its LiDAR KSampler, all that feeds it, and the node whose words are replaced."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..cache import SetupError

Graph = dict[str, dict[str, Any]]
LIDAR, CONFIG = "LiDARKSampler", "LiDARLookaheadConfig"
# Inputs of text encoders that hold the prompt
_WORDS = ("text", "prompt", "text_g", "text_l", "clip_l", "t5xxl")


@dataclass(frozen=True)
class Task:
    """nodes: what LiDAR KSampler's inputs come from, without itself; lidar: its inputs; encoder: the node that reads the
    positive prompt; reward_name: for people; shares_noise: whether a lookahead starts from the noise of the final image
    of its row."""

    nodes: Graph
    lidar: Mapping[str, Any]
    encoder: str
    reward_name: str
    shares_noise: bool

    def asking_for(self, text: str) -> Graph:
        """The nodes with this prompt in place of the workflow's."""
        encoder = self.nodes[self.encoder]
        inputs = {name: text if name in _WORDS else value for name, value in encoder["inputs"].items()}
        return self.nodes | {self.encoder: encoder | {"inputs": inputs}}


def task_of(graph: Graph, object_info: Mapping[str, Any], images: int | None = None) -> Task:
    """The task of an API prompt; images: how many are wanted, where it is not the workflow's own number.

    SetupError where the graph has not just one LiDAR KSampler, or its prompt or number of images cannot be set.
    """
    found = [node_id for node_id, node in graph.items() if node["class_type"] == LIDAR]
    if len(found) != 1:
        raise SetupError(f"--workflow needs one LiDAR KSampler, and this one has {len(found)}.")
    lidar = graph[found[0]]["inputs"]
    nodes: Graph = {}
    _gather(graph, found[0], nodes)
    del nodes[found[0]]
    encoder = _encoder(nodes, lidar.get("positive"), object_info)
    if encoder is None:
        raise SetupError(
            "--workflow: no text encoder is found behind LiDAR KSampler's positive, so no prompt can be set."
        )
    if images is not None:
        nodes |= _with_batch(nodes, lidar.get("latent_image"), images)
    config = nodes.get(lidar["lookahead_config"][0]) if "lookahead_config" in lidar else None
    start = config["inputs"].get("start_from") if config and config["class_type"] == CONFIG else None
    return Task(
        nodes=nodes,
        lidar=lidar,
        encoder=encoder,
        reward_name=_reward_name(nodes, lidar.get("reward_model"), object_info),
        shares_noise=start != "own noise",
    )


def is_link(value: Any) -> bool:
    return isinstance(value, list) and len(value) == 2 and isinstance(value[0], str)


def _gather(graph: Graph, node_id: str, found: Graph) -> None:
    if node_id in found or node_id not in graph:
        return
    found[node_id] = graph[node_id]
    for value in graph[node_id]["inputs"].values():
        if is_link(value):
            _gather(graph, value[0], found)


def _encoder(nodes: Graph, link: Any, object_info: Mapping[str, Any]) -> str | None:
    """Back from a CONDITIONING to the first node that reads words; where one takes two sides, its output tells which."""
    if not is_link(link) or link[0] not in nodes:
        return None
    inputs = nodes[link[0]]["inputs"]
    if is_link(inputs.get("positive")) and is_link(inputs.get("negative")):
        return _encoder(nodes, inputs["negative" if link[1] == 1 else "positive"], object_info)
    before = [
        value for value in inputs.values() if is_link(value) and _gives(nodes, value, object_info) == "CONDITIONING"
    ]
    for each in before:
        found = _encoder(nodes, each, object_info)
        if found:
            return found
    return None if before or not any(name in inputs for name in _WORDS) else link[0]


def _gives(nodes: Graph, link: list, object_info: Mapping[str, Any]) -> str | None:
    outputs = object_info.get(nodes[link[0]]["class_type"], {}).get("output", []) if link[0] in nodes else []
    return outputs[link[1]] if link[1] < len(outputs) and isinstance(outputs[link[1]], str) else None


def _with_batch(nodes: Graph, link: Any, images: int) -> Graph:
    source = nodes.get(link[0]) if is_link(link) else None
    if source is None or "batch_size" not in source["inputs"]:
        raise SetupError(
            "--images: the node behind LiDAR KSampler's latent_image has no batch_size; set it in the workflow."
        )
    return {link[0]: source | {"inputs": source["inputs"] | {"batch_size": images}}}


def _reward_name(nodes: Graph, link: Any, object_info: Mapping[str, Any]) -> str:
    source = nodes.get(link[0]) if is_link(link) else None
    if source is None:
        return "reward"
    kind = source["inputs"].get("kind")
    if isinstance(kind, str) and kind != "auto":
        return kind
    shown = object_info.get(source["class_type"], {}).get("display_name", source["class_type"])
    return shown.removeprefix("Load ").removeprefix("LiDAR ")
