"""Runs one graph in the server and waits for its end: what came out, and the seconds that the server itself counts."""

from __future__ import annotations

import contextlib
import http.client
import json
import time
import urllib.error
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ..cache import SetupError
from ..comfy_http import ComfyHttp, refused_nodes
from .task import Graph

_LONGEST_WAIT = 1.0  # between two looks at the server, s


@dataclass(frozen=True)
class Finished:
    """seconds: from the prompt's start to its end in the server, waiting in its queue not counted; outputs: by node id."""

    seconds: float
    outputs: Mapping[str, Any]


class RunningComfy(ComfyHttp):
    """A server that has answered and has this pack. SetupError, one line, for every other and for all that fails there."""

    def __init__(self, url: str):
        super().__init__(url if "://" in url else f"http://{url}")
        with self._answering():
            self.nodes = self.object_info()
            if not isinstance(self.nodes, dict):
                raise ValueError
        if "LiDARKSampler" not in self.nodes:
            raise SetupError(f"--server {self.url} has no LiDAR KSampler: install this pack there and restart it.")

    def run(self, graph: Graph) -> Finished:
        """Queues a graph (API format) and waits, however long it takes. If it is left early, the server drops it."""
        with self._answering():
            prompt_id = self._submit(graph)
            try:
                record = self._wait(prompt_id)
            except BaseException:
                with contextlib.suppress(OSError, http.client.HTTPException):
                    self.post("/queue", {"delete": [prompt_id]})
                    self.post("/interrupt", {"prompt_id": prompt_id})
                raise
        times = {}
        for kind, told in record["status"]["messages"]:
            times[kind] = told["timestamp"]
            if kind == "execution_error":
                reason = " ".join(str(told["exception_message"]).split())
                raise SetupError(f"The server failed at {told['node_type']}: {reason}")
            if kind == "execution_interrupted":
                raise SetupError("The run was cancelled in the server. Run the same command again to go on.")
        return Finished((times["execution_success"] - times["execution_start"]) / 1000, record["outputs"])

    def forget(self) -> None:
        with self._answering():
            super().forget()

    def _submit(self, graph: Graph) -> str:
        try:  # scores come in the pictures' metadata only where a run brings a place for it
            answer = self.post("/prompt", {"prompt": graph, "extra_data": {"extra_pnginfo": {}}})
        except urllib.error.HTTPError as refusal:
            if refusal.code != 400:
                raise
            answer = json.loads(refusal.read())
        if answer.get("node_errors") or "prompt_id" not in answer:
            lines = list(refused_nodes(answer.get("node_errors") or {}))
            reason = "; ".join(lines) or f"{answer['error']['message']} {answer['error']['details']}"
            raise SetupError("The server refuses the workflow: " + " ".join(reason.split()))
        return answer["prompt_id"]

    def _wait(self, prompt_id: str) -> Mapping[str, Any]:
        wait, missed = 0.05, 0
        while True:
            record = self.history(prompt_id)
            if record:
                return record
            missed = 0 if prompt_id in self.waiting() else missed + 1
            if missed == 3:  # once it may have ended between the two questions
                raise SetupError("The prompt was taken out of the server's queue. Run the same command again to go on.")
            time.sleep(wait)
            wait = min(1.5 * wait, _LONGEST_WAIT)

    @contextlib.contextmanager
    def _answering(self) -> Iterator[None]:
        try:
            yield
        except (OSError, http.client.HTTPException) as error:  # urllib's errors are OSErrors
            reason = getattr(error, "reason", None) or error
            raise SetupError(
                f"No ComfyUI answers at {self.url} ({reason}): start it, or name another in --server."
            ) from None
        except ValueError:
            raise SetupError(f"What answers at {self.url} is no ComfyUI; name its address in --server.") from None
