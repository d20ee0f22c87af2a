"""Reads a workflow from its file, as the page saves it (UI format), and says in one line what is wrong with one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from .cache import SetupError

_LINK_NAMES = ("id", "origin_id", "origin_slot", "target_id", "target_slot", "type")


def read_workflow(path: Path) -> dict[str, Any]:
    """The workflow, each of whose links joins nodes that are there. SetupError where the file holds no such thing."""
    workflow = _read_json(path)
    return _sound(workflow, path, "it is in API format" if is_api_format(workflow) else _complaint(workflow))


def read_any_workflow(path: Path) -> dict[str, Any]:
    """The same, or what the page's Export (API) writes: see `is_api_format`."""
    workflow = _read_json(path)
    return _sound(workflow, path, None if is_api_format(workflow) else _complaint(workflow))


def is_api_format(workflow: Any) -> bool:
    """Whether it is an object of nodes by id, each with class_type and inputs."""
    if not isinstance(workflow, dict) or not workflow:
        return False
    nodes = workflow.values()
    return all(isinstance(n, dict) and "class_type" in n and isinstance(n.get("inputs"), dict) for n in nodes)


def _read_json(path: Path) -> Any:
    try:
        if path.exists() and not path.is_file():
            raise SetupError(f"--workflow {path} is no file; name a workflow's .json file.")
        return json.loads(path.read_bytes().decode("utf-8"))
    except OSError as error:
        raise SetupError(f"--workflow {path} cannot be read: {error.strerror}.") from None
    except UnicodeDecodeError:
        raise SetupError(f"--workflow {path} is no UTF-8 text; name a workflow's .json file.") from None
    except (ValueError, RecursionError) as error:
        raise SetupError(f"--workflow {path} is no JSON ({error}); name a workflow's .json file.") from None


def _sound(workflow: Any, path: Path, complaint: str | None) -> dict[str, Any]:
    if complaint:
        raise SetupError(
            f"--workflow {path} is no workflow in UI format: {complaint}. Save it with Workflow > Save, not Export (API)."
        )
    return workflow


def _complaint(workflow: Any) -> str | None:
    if not isinstance(workflow, dict):
        return f"it holds a {type(workflow).__name__}, wanted an object with nodes and links"
    for name in ("nodes", "links"):
        if not isinstance(workflow.get(name), list):
            return f"it has no list {name!r}"
    return _complaint_of_nodes(workflow["nodes"]) or _complaint_of_links(workflow["nodes"], workflow["links"])


def _complaint_of_nodes(nodes: list[Any]) -> str | None:
    if not nodes:
        return "it has no nodes"
    for place, node in enumerate(nodes):
        if not (isinstance(node, dict) and isinstance(node.get("id"), int | str) and isinstance(node.get("type"), str)):
            return f"node {place} of its list has no id or no type"
        sockets = node.get("inputs", [])
        if not isinstance(sockets, list) or any(
            not isinstance(s, dict) or not {"name", "type"} <= set(s) for s in sockets
        ):
            return f"the inputs of node {node['id']} are no list of sockets with name and type"
        if not isinstance(node.get("widgets_values") or [], list | dict):
            return f"the widgets_values of node {node['id']} are no list"
    return None


def _complaint_of_links(nodes: list[dict[str, Any]], links: list[Any]) -> str | None:
    node_ids, link_ids = [str(node["id"]) for node in nodes], []
    for place, link in enumerate(links):
        values = [link.get(name) for name in _LINK_NAMES] if isinstance(link, dict) else link
        if not isinstance(values, list) or len(values) < len(_LINK_NAMES) or not isinstance(values[0], int | str):
            return f"link {place} of its list does not hold {', '.join(_LINK_NAMES)}"
        if str(values[1]) not in node_ids:
            return f"link {values[0]} begins at node {values[1]}, which is not there"
        link_ids.append(values[0])
    for node in nodes:
        for socket in node.get("inputs", []):
            if socket.get("link") is not None and socket["link"] not in link_ids:
                return f"input {socket['name']} of node {node['id']} has the link {socket['link']}, which is not there"
    return None
