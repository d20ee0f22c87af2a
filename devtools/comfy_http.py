"""ComfyUI over plain HTTP, with the standard library alone: what a server is asked without following a run."""

from __future__ import annotations

import json
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping
from typing import Any

# Loopback traffic must not go through a proxy that the environment names.
_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class ComfyHttp:
    """Talks to the server at `url`, e.g. `http://127.0.0.1:8188`."""

    def __init__(self, url: str):
        self.url = url.rstrip("/")

    def get(self, path: str, **query: str) -> bytes:
        address = f"{self.url}{path}" + (f"?{urllib.parse.urlencode(query)}" if query else "")
        with _OPENER.open(address, timeout=120) as response:
            return response.read()

    def post(self, path: str, content: Mapping[str, Any]) -> Any:
        request = urllib.request.Request(
            f"{self.url}{path}", json.dumps(content).encode(), {"Content-Type": "application/json"}
        )
        with _OPENER.open(request, timeout=120) as response:
            return json.loads(response.read() or b"null")

    def object_info(self, node: str | None = None) -> dict[str, Any]:
        return json.loads(self.get(f"/object_info/{node}" if node else "/object_info"))

    def history(self, prompt_id: str) -> dict[str, Any]:
        return json.loads(self.get(f"/history/{prompt_id}")).get(prompt_id, {})

    def interrupt(self) -> None:
        self.post("/interrupt", {})

    def forget(self) -> None:
        """Drops the server's cached results. The host does so after the next run at the latest, so a tiny one follows."""
        self.post("/free", {"free_memory": True})
        empty = {"width": 8, "height": 8, "batch_size": 1, "color": int(time.time()) % 2**24}
        prompt = {
            "forget_1": {"class_type": "EmptyImage", "inputs": empty},
            "forget_2": {"class_type": "PreviewImage", "inputs": {"images": ["forget_1", 0]}},
        }
        prompt_id = self.post("/prompt", {"prompt": prompt})["prompt_id"]
        while prompt_id in self.waiting():
            time.sleep(0.05)

    def waiting(self) -> list[str]:
        """The prompts that run or wait to run."""
        queue = json.loads(self.get("/queue"))
        return [item[1] for item in (*queue["queue_running"], *queue["queue_pending"])]

    def view(self, image: Mapping[str, str]) -> bytes:
        """The file behind one entry of a node's `images` output."""
        return self.get(
            "/view", filename=image["filename"], subfolder=image.get("subfolder", ""), type=image.get("type", "output")
        )


def refused_nodes(node_errors: Mapping[str, Any]) -> Iterator[str]:
    """A line for each error in the `node_errors` of an answer to /prompt."""
    for node_id, report in node_errors.items():
        for error in report["errors"]:
            yield f"{report['class_type']} ({node_id}): {error['message']}: {error['details']}"
