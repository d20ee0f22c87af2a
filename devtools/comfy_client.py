"""A client of one ComfyUI server: queues an API prompt, follows it over the websocket and keeps all that it was told.

Class types of expanded nodes: the host's messages carry node ids only. `RunResult.executed_classes` therefore reads
the class from the id where the prompt does not know it: a node that expands gives its children ids that begin with
their class type, `graph.node("VAEDecode", id="VAEDecode")` or `id="VAEDecode_lookaheads"`, and the host
turns that into `<parent>.<call>.<graph>.VAEDecode_lookaheads`.
"""

from __future__ import annotations

import asyncio
import json
import struct
import time
import urllib.error
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import aiohttp

from .comfy_http import ComfyHttp, refused_nodes

_TEXT, _PREVIEW_WITH_METADATA = 3, 4  # the host's kinds of binary message (protocol.py)
_ENDINGS = {
    "execution_success": "success",
    "execution_error": "error",
    "execution_interrupted": "interrupted",
}


@dataclass(frozen=True)
class Progress:
    """One step of one node's progress bar; `node` is the expanded child's own id."""

    node: str
    value: float
    maximum: float


@dataclass(frozen=True)
class RunResult:
    """What one queued prompt did. `status` is success, error, interrupted, rejected (nothing ran, see node_errors), or
    partial (what ran ran well, but the server left out the outputs that node_errors tells of).

    `previews` are (node id, JPEG bytes) and `texts` the lines written on nodes, (node id, text), as they came.
    """

    status: str
    prompt_id: str
    prompt: Mapping[str, Mapping[str, Any]]
    executed: tuple[str, ...] = ()
    cached: tuple[str, ...] = ()
    outputs: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    errors: tuple[Mapping[str, Any], ...] = ()
    node_errors: Mapping[str, Any] = field(default_factory=dict)
    progress: tuple[Progress, ...] = ()
    previews: tuple[tuple[str, bytes], ...] = ()
    texts: tuple[tuple[str, str], ...] = ()
    seconds: Mapping[str, float] = field(default_factory=dict)

    def class_of(self, node_id: str) -> str:
        """The class type of a node of the prompt, or of an expanded child by this module's naming rule."""
        if node_id in self.prompt:
            return self.prompt[node_id]["class_type"]
        return node_id.rsplit(".", 1)[-1].split("_", 1)[0]

    @property
    def executed_classes(self) -> tuple[str, ...]:
        """Class types in the order in which their nodes really ran (cached ones are absent)."""
        return tuple(self.class_of(node_id) for node_id in self.executed)

    @property
    def message(self) -> str:
        """All that went wrong, one line per error; empty after a success."""
        lines = [str(error.get("exception_message", "")).strip() for error in self.errors]
        lines += refused_nodes(self.node_errors)
        return "\n".join(line for line in lines if line)


class ComfyClient(ComfyHttp):
    """Queues prompts and follows them."""

    def queue(
        self,
        prompt: Mapping[str, Mapping[str, Any]],
        timeout: float = 300.0,
        *,
        on_event: Callable[[str, Mapping[str, Any]], None] | None = None,
        extra_data: Mapping[str, Any] | None = None,
    ) -> RunResult:
        """Queues `prompt` (API format) and waits for its end. `on_event(type, data)` sees each message as it comes and
        may call `interrupt`. Raises TimeoutError after `timeout` seconds, having interrupted the prompt."""
        return asyncio.run(self._queue(prompt, timeout, on_event, extra_data or {}))

    async def _queue(self, prompt, timeout, on_event, extra_data) -> RunResult:
        client_id = uuid.uuid4().hex
        async with aiohttp.ClientSession() as session:
            async with session.ws_connect(f"{self.url}/ws?clientId={client_id}", max_msg_size=0) as socket:
                await socket.send_json({"type": "feature_flags", "data": {"supports_preview_metadata": True}})
                try:
                    content = {"prompt": prompt, "client_id": client_id, "extra_data": dict(extra_data)}
                    answer = self.post("/prompt", content)
                except urllib.error.HTTPError as refusal:
                    if refusal.code != 400:
                        raise
                    answer = json.loads(refusal.read())
                    error = {"exception_message": f"{answer['error']['message']}: {answer['error']['details']}"}
                    return RunResult(
                        "rejected", "", prompt, errors=(error,), node_errors=answer.get("node_errors") or {}
                    )
                try:
                    result = await asyncio.wait_for(
                        self._follow(socket, prompt, answer["prompt_id"], on_event), timeout
                    )
                except asyncio.TimeoutError:
                    self.interrupt()
                    raise TimeoutError(f"The prompt did not end within {timeout:.0f} s and was interrupted.") from None
                if answer["node_errors"]:
                    status = "partial" if result.status == "success" else result.status
                    return replace(result, status=status, node_errors=answer["node_errors"])
                return result

    async def _follow(self, socket, prompt, prompt_id, on_event) -> RunResult:
        executed, cached, errors, progress, previews, texts, seconds = [], [], [], [], [], [], {}
        status, began = "", time.monotonic()
        async for frame in socket:
            if frame.type == aiohttp.WSMsgType.BINARY:
                binary_kind, length = struct.unpack(">II", frame.data[:8])
                head, body = frame.data[8 : 8 + length], frame.data[8 + length :]
                if binary_kind == _PREVIEW_WITH_METADATA:
                    previews.append((json.loads(head)["node_id"], body))
                elif binary_kind == _TEXT:
                    texts.append((head.decode(), body.decode()))
                continue
            if frame.type != aiohttp.WSMsgType.TEXT:
                continue
            event = json.loads(frame.data)
            kind, data = event["type"], event["data"]
            if data.get("prompt_id", prompt_id) != prompt_id:
                continue
            if on_event is not None:
                on_event(kind, data)
            if kind == "executing":
                now = time.monotonic()
                if executed:
                    seconds[executed[-1]] = seconds.get(executed[-1], 0.0) + now - began
                if data["node"] is None:
                    break
                executed.append(data["node"])
                began = now
            elif kind == "execution_cached":
                cached.extend(data["nodes"])
            elif kind == "progress":
                progress.append(Progress(data["node"], data["value"], data["max"]))
            elif kind in _ENDINGS:
                status = _ENDINGS[kind]
                if kind == "execution_error":
                    errors.append(data)
        else:
            raise ConnectionError("The server closed the websocket before the prompt ended; its log tells why.")
        outputs = self.history(prompt_id).get("outputs", {})
        return RunResult(
            status=status, prompt_id=prompt_id, prompt=prompt, executed=tuple(executed), cached=tuple(cached),
            outputs=outputs, errors=tuple(errors), progress=tuple(progress), previews=tuple(previews),
            texts=tuple(texts), seconds=seconds,
        )  # fmt: skip
