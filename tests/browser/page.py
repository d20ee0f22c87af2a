"""The page as both renderers have it: workflows, prompts, undo, subgraphs, runs. Everything a hand does is done with the
mouse and the keys, where the page does not take the same from a script."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

CONFIG = "LiDARLookaheadConfig"
# A warning that our scripts call forth, of a deprecated call for one, is an error of the page, as it is one in Python.
WARNINGS_ARE_ERRORS = """
  const { warn } = console;
  console.warn = (...told) => {
    const { stack } = new Error();
    if (stack.includes("/extensions/lidar/")) setTimeout(() => { throw new Error(told.join(" ") + stack); });
    warn(...told);
  };
"""
NODE_AT = (350, 120)  # on the canvas, which is shown at scale 1 from its origin
BLANK_AT = (1000, 500)
TRACKER = "app.extensionManager.workflow.activeWorkflow.changeTracker"  # the page's, which keeps the steps for undo


class Page:
    """What a user does on the page and sees there; the renderers add how a row is found and turned."""

    def __init__(self, tab, url: str):
        self.tab = tab
        self.errors: list[str] = []
        self.running: list[str] = []
        tab.set_default_timeout(60_000)
        tab.on("dialog", lambda dialog: dialog.accept())  # leave without saving, on a reload
        tab.on("pageerror", lambda error: self.errors.append(str(error)))
        tab.add_init_script(WARNINGS_ARE_ERRORS)
        tab.on("websocket", lambda socket: socket.on("framereceived", self._hear))
        tab.goto(url)
        self.await_load()

    def _hear(self, frame: str | bytes) -> None:
        message = json.loads(frame) if isinstance(frame, str) else {}
        if message.get("type") == "executing" and message["data"]["node"]:
            self.running.append(message["data"]["node"].rsplit(".", 1)[-1].split("_", 1)[0])

    def await_load(self) -> None:
        """Waits for a workflow, and for the socket: a run that begins before it is open tells only its end."""
        self.until(
            "window.app?.extensionManager?.workflow?.activeWorkflow?.changeTracker && app.rootGraph.nodes.length"
            " && app.api.socket?.readyState === WebSocket.OPEN && app.api.clientId",
            seconds=300,
        )

    def js(self, code: str, given: Any = None) -> Any:
        return self.tab.evaluate(code, given)

    def until(self, condition: str, given: Any = None, *, seconds: float = 60) -> None:
        self.tab.wait_for_function(condition, arg=given, timeout=1000 * seconds)

    def start(self) -> None:
        """A new workflow with one LiDAR Lookahead Config."""
        self.open({"nodes": [], "links": [], "version": 0.4})
        self.add(CONFIG, NODE_AT)

    def add(self, node_type: str, place: tuple[int, int]) -> int:
        """Adds a node as one step; returns its id."""
        node_id = self.js(
            """([type, place]) => {
              app.canvas.emitBeforeChange();
              const node = LiteGraph.createNode(type);
              node.pos = place;
              app.rootGraph.add(node);
              app.canvas.emitAfterChange();
              return node.id;
            }""",
            [node_type, place],
        )
        self.look()
        return int(node_id)

    def open(self, workflow: Mapping[str, Any]) -> None:
        self.js("(workflow) => app.loadGraphData(workflow)", workflow)
        self.look()

    def open_prompt(self, prompt: Mapping[str, Any], shown: str = CONFIG) -> None:
        """Opens API JSON, with the node of type `shown` where `start` puts the config and the other nodes out of the way."""
        self.js("(prompt) => app.loadApiJson(prompt, 'prompt')", prompt)
        self.js(
            """([place, shown]) => {
              for (const node of app.rootGraph.nodes)
                node.pos = node.type === shown ? place : [node.pos[0] - 5000, node.pos[1]];
            }""",
            [NODE_AT, shown],
        )
        self.look()

    def reload(self) -> None:
        """Reloads the page once it has put its draft of the workflow away."""
        title = self.js(
            """() => {
              const title = `about to be reloaded, ${crypto.randomUUID()}`; // drafts of other tests are kept as well
              app.canvas.emitBeforeChange();
              app.rootGraph.nodes[0].title = title;
              app.canvas.emitAfterChange();
              return title;
            }"""
        )
        self.until("(title) => Object.values(localStorage).some((kept) => kept.includes(title))", title)
        self.tab.reload()
        self.await_load()
        self.look()

    def look(self) -> None:
        """Shows the canvas from its origin, at scale 1."""
        self.js("() => { app.canvas.ds.scale = 1; app.canvas.ds.offset = [0, 0]; app.canvas.setDirty(true, true); }")
        self.settle()

    def settle(self) -> None:
        """Waits for two frames of the browser: what the last act has changed is drawn then."""
        self.js("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")

    def workflow(self) -> dict[str, Any]:
        return self.js("() => app.rootGraph.serialize()")

    def prompt(self) -> dict[str, Any]:
        return self.js("async () => (await app.graphToPrompt()).output")

    def queued(self) -> dict[str, Any]:
        """The inputs of the only config in the prompt."""
        (inputs,) = (node["inputs"] for node in self.prompt().values() if node["class_type"] == CONFIG)
        return inputs

    def values(self) -> dict[str, Any]:
        """The values of the config's widgets, by name, preset too; of the last one where there are several."""
        return self.js(
            """() => {
              const graphs = [app.rootGraph, ...app.rootGraph.subgraphs.values()];
              const node = graphs.flatMap((graph) => graph.nodes).findLast((each) => each.type === "LiDARLookaheadConfig");
              return Object.fromEntries(node.widgets.map(({ name, value }) => [name, value]));
            }"""
        )

    def enter_subgraph(self, node_id: int) -> None:
        self.js("(id) => app.canvas.setGraph(app.rootGraph.getNodeById(id).subgraph)", node_id)
        self.look()

    def leave_subgraph(self) -> None:
        self.js("() => app.canvas.setGraph(app.rootGraph)")
        self.look()

    def promote(self, setting: str) -> None:
        """Asks, by the menu of its row, for a widget on the outside of the subgraph that is shown."""
        self.tab.mouse.click(*self.label_at(setting), button="right")
        self.tab.get_by_text(f"Promote Widget: {setting}", exact=True).click()
        self.settle()

    def connect(self, source: int, setting: str) -> None:
        """Draws a link with the mouse from the first output of the node `source` to a setting of the config."""
        start, end = self.js(
            """([source, setting]) => {
              const config = app.rootGraph.nodes.find((each) => each.type === "LiDARLookaheadConfig");
              const place = config.getInputPos(config.findInputSlot(setting));
              return [[...app.rootGraph.getNodeById(source).getOutputPos(0)], [...place]];
            }""",
            [source, setting],
        )
        self.tab.mouse.move(*start)
        self.tab.mouse.down()
        self.tab.mouse.move(*end, steps=5)
        self.tab.mouse.up()
        self.settle()

    def run(self) -> list[str]:
        """Presses Run; returns the ids of the nodes that ran, and the classes of those that LiDAR KSampler made (their ids
        tell them, see devtools/comfy_client.py)."""
        return self.until_ended(self.tab.get_by_test_id("queue-button").click)

    def until_ended(self, queue: Callable[[], None]) -> list[str]:
        """Does what queues a run; returns what `run` returns."""
        self.running.clear()
        self.js(
            """() => {
              window.ended = null;
              for (const end of ["execution_success", "execution_error", "execution_interrupted"])
                app.api.addEventListener(end, () => (window.ended = end), { once: true });
            }"""
        )
        queue()
        self.until("() => window.ended", seconds=300)
        assert self.js("() => window.ended") == "execution_success"
        return list(self.running)

    def search(self):
        """The field of the page's search for nodes, opened by its command: a busy page may take a double click for two."""
        self.js("() => app.extensionManager.command.execute('Workspace.SearchBox.Toggle')")
        return self.tab.locator("input[role=combobox]")

    def copy_and_paste(self) -> None:
        self.tab.mouse.click(NODE_AT[0] + 120, NODE_AT[1] - 15)
        self.tab.keyboard.press("Control+c")
        self.tab.mouse.move(700, 120)
        self.tab.keyboard.press("Control+v")
        self.until("() => app.rootGraph.nodes.length === 2")
        self.settle()

    def steps(self) -> int:
        """How many steps can be undone."""
        return self.js(
            f"() => {{ const tracker = {TRACKER}; (tracker.captureCanvasState ?? tracker.checkState).call(tracker); "
            "return tracker.undoQueue.length; }"
        )

    def undo(self) -> None:
        self._step("Control+z", "undoQueue")

    def redo(self) -> None:
        self._step("Control+y", "redoQueue")

    def _step(self, keys: str, queue: str) -> None:
        self.tab.mouse.move(*BLANK_AT)
        self.js("() => document.activeElement?.blur()")
        left = None
        while left != (
            left := self.js(f"() => {TRACKER}.{queue}.length")
        ):  # the page may still be noting the last change
            self.tab.wait_for_timeout(500)
        self.tab.keyboard.press(keys)
        self.until(f"(left) => {TRACKER}.{queue}.length < left && !{TRACKER}._restoringState", left)
        self.settle()
