// The contact sheet on the page: LiDAR KSampler, Score Lookaheads and Score Images show what they ranked, and the first two
// take picks by click. The picks are the text of a picks widget and nothing else; the sheet is kept where the page keeps
// what nodes have told, so that it comes back with a tab, after undo, and in a subgraph.

import { api } from "../../scripts/api.js";
import { app } from "../../scripts/app.js";
import { ContactSheet } from "./sheet/contact_sheet.js";
import { lastRun } from "./sheet/last_run.js";
import { laidOver, partOf, withSheet } from "./sheet/message.js";
import { picksWidget } from "./sheet/picks_widget.js";

const WIDGET = "contact sheet";
const EMPTY = "Run, and what was ranked is shown here, best first.";
const NODES = {
  LiDARKSampler: "picks come through a link: pick where they are written.",
  LiDARScoreLookaheads: "To pick here, connect LiDAR Pick Lookaheads.",
  LiDARScoreImages: "",
};

app.registerExtension({
  name: "LiDAR.ContactSheet",
  setup() {
    const style = document.createElement("link");
    style.rel = "stylesheet";
    style.href = new URL("./sheet/contact_sheet.css", import.meta.url).href;
    document.head.append(style);
    api.addEventListener("graphChanged", markAll);
    for (const end of ["pointerup", "keyup"]) window.addEventListener(end, () => requestAnimationFrame(markAll), true);
  },
  nodeCreated(node) {
    if (node.comfyClass in NODES) addSheet(node);
  },
  // The page has brought back what the nodes of a workflow told, as after a change of tabs.
  onNodeOutputsUpdated(outputs) {
    for (const [id, output] of Object.entries(outputs)) {
      // A node that LiDAR KSampler expanded told it while another tab was shown: the page kept it under that node's id
      const owner = id.includes(".") && nodeOf(id.split(".")[0]);
      if (owner && sheetOf(owner)) receive(owner, output);
    }
    for (const node of everyNode()) if (sheetOf(node)) restore(node);
  },
  // After a reload the page has kept nothing, but the server has.
  async afterConfigureGraph() {
    const lacking = everyNode().filter((node) => sheetOf(node) && !sheetOf(node).sheet.sheet);
    if (!lacking.length) return;
    const graph = app.rootGraph.id;
    const outputs = await lastRun(graph);
    if (graph !== app.rootGraph.id) return;
    for (const [id, output] of Object.entries(outputs)) {
      const node = nodeOf(id.split(".")[0]);
      if (lacking.includes(node) && node.graph) receive(node, output);
    }
  },
});

function addSheet(node) {
  const sheet = new ContactSheet({
    empty: EMPTY,
    whyNot: NODES[node.comfyClass],
    namesSets: false,
    read: () => picksWidget(node)?.value ?? null,
    write: (text) => write(node, text),
    finish: () => app.queuePrompt(0, 1),
    url: (filename, subfolder) => api.apiURL(`/view?${new URLSearchParams({ filename, subfolder, type: "temp" })}`),
  });
  const widget = node.addDOMWidget(WIDGET, "lidar_sheet", sheet.element, {
    serialize: false, // in the prompt
    hideOnZoom: false,
    getMinHeight: () => sheet.height + 20, // the page's own margin
  });
  // In the workflow. Such a widget must be the last: the page counts it when it saves the values, and not when it loads them.
  widget.serialize = false;
  widget.sheet = sheet;
  node.setSize([Math.max(node.size[0], 400), node.size[1]]);
  forwardToCanvas(sheet.element);
  chain(node, "onExecuted", (output) => receive(node, output));
  chain(node, "onGraphConfigured", () => restore(node));
  chain(node, "onRemoved", () => sheet.large.hide());
}

function receive(node, output) {
  const part = partOf(output);
  if (!part) return;
  const { sheet } = sheetOf(node);
  const whole = laidOver(sheet.sheet, part);
  app.nodeOutputs[placeOf(node)] = withSheet(app.nodeOutputs[placeOf(node)], whole);
  sheet.show(whole);
  node.setDirtyCanvas(true, true);
}

// Shows what the page has kept of the node.
function restore(node) {
  const kept = partOf(app.nodeOutputs[placeOf(node)]);
  sheetOf(node).sheet.show(kept);
}

function write(node, text) {
  const widget = picksWidget(node);
  app.canvas.emitBeforeChange(); // one step for undo
  try {
    widget.value = text;
    widget.callback?.(text);
  } finally {
    app.canvas.emitAfterChange();
  }
  markAll();
}

function markAll() {
  for (const node of everyNode()) sheetOf(node)?.sheet.mark();
}

function sheetOf(node) {
  return node.widgets?.find((widget) => widget.name === WIDGET && widget.sheet);
}

function everyNode() {
  if (!app.isGraphReady) return [];
  return [app.rootGraph, ...app.rootGraph.subgraphs.values()].flatMap((graph) => graph.nodes);
}

// Where the page keeps what a node told: its id, after that of its subgraph.
function placeOf(node) {
  return node.graph === app.rootGraph ? String(node.id) : `${node.graph.id}:${node.id}`;
}

// The node with an id of the queued prompt, "12:5" for node 5 in the subgraph node 12.
function nodeOf(id) {
  return id.split(":").reduce((graphOrNode, part) => (graphOrNode?.subgraph ?? graphOrNode)?.getNodeById?.(part), app.rootGraph);
}

function chain(node, name, act) {
  const before = node[name];
  node[name] = function (...given) {
    before?.apply(this, given);
    act(...given);
  };
}

// The wheel zooms and the middle button moves the canvas, as beside the sheet; a sheet with the focus scrolls.
function forwardToCanvas(element) {
  const middle = (event) => event.button === 1 || event.buttons === 4;
  element.addEventListener("wheel", (event) => {
    const list = event.target.closest(".lidar-tiles");
    if (list && element.contains(document.activeElement) && list.scrollHeight > list.clientHeight && !event.ctrlKey) return event.stopPropagation();
    event.preventDefault();
    event.stopPropagation();
    app.canvas.processMouseWheel(event);
  });
  element.addEventListener("pointerdown", (event) => middle(event) && app.canvas.processMouseDown(event));
  element.addEventListener("pointermove", (event) => middle(event) && app.canvas.processMouseMove(event));
  element.addEventListener("pointerup", (event) => middle(event) && app.canvas.processMouseUp(event));
}
