// The contact sheet on the page: LiDAR KSampler, Score Lookaheads and Score Images show what they ranked, and the first two
// take picks by click. The picks are the text of a picks widget and nothing else; the sheet is kept where the page keeps
// what nodes have told, so that it comes back with a tab, after undo, and in a subgraph.

import { api } from "../../scripts/api.js";
import { app } from "../../scripts/app.js";
import { ContactSheet } from "./sheet/contact_sheet.js";
import { lastRun } from "./sheet/last_run.js";
import { laidOver, partOf, withSheet } from "./sheet/message.js";
import { keepSeed, looksFirst, picksWidget, set } from "./sheet/picks_widget.js";
import { word } from "./words.js";

const WIDGET = "contact_sheet"; // no space: Nodes 2.0 would not find it outside of a subgraph
const SOCKET = "LIDAR_SHEET";
const LEAST_WIDTH = 380; // of a node that gets a sheet: four tiles beside each other
const EMPTY = word("Run, and what was ranked is shown here, best first.");
const NODES = {
  LiDARKSampler: word("picks come through a link: pick where they are written."),
  LiDARScoreLookaheads: word("To pick here, connect LiDAR Pick Lookaheads."),
  LiDARScoreImages: "",
};
const onPage = new Map(); // the newest element of a sheet, by its node's place and its widget's name

app.registerExtension({
  name: "LiDAR.ContactSheet",
  setup() {
    const style = document.createElement("link");
    style.rel = "stylesheet";
    style.href = new URL("./sheet/contact_sheet.css", import.meta.url).href;
    document.head.append(style);
    api.addEventListener("graphChanged", refreshAll);
    api.addEventListener("execution_start", forgetNews);
    // A node whose results the server had tells nothing; once the run has ended, the history may know what it told
    let cached = [];
    api.addEventListener("execution_cached", ({ detail }) => (cached = detail.nodes));
    api.addEventListener("executing", ({ detail }) => detail ?? bringBack(cached.splice(0).map(nodeOf)));
    for (const end of ["pointerup", "keyup"]) window.addEventListener(end, () => requestAnimationFrame(refreshAll), true);
  },
  nodeCreated(node) {
    if (node.comfyClass in NODES) addSheet(node);
    if (node.isSubgraphNode?.()) followPromotions(node);
  },
  // The page has brought back what the nodes of a workflow told, as after a change of tabs.
  onNodeOutputsUpdated(outputs) {
    for (const node of rankingNodes()) show(node);
    for (const [id, output] of Object.entries(outputs)) {
      // Told by a node that LiDAR KSampler expanded while another tab was shown: the page kept it under that node's id
      const owner = id.includes(".") && nodeOf(id.split(".")[0]);
      if (owner && owner.comfyClass in NODES) receive(owner, output);
    }
  },
  // After a reload the page has kept nothing, but the server has.
  async afterConfigureGraph() {
    if (app.extensionManager.workflow.activeWorkflow?.changeTracker?._restoringState) return; // undo or redo
    await bringBack(rankingNodes());
  },
});

function addSheet(node) {
  node.addInput(WIDGET, SOCKET, { widget: { name: WIDGET } }); // so that a subgraph can show the widget outside
  const widget = sheetWidget(node, WIDGET, node);
  // In the workflow. Such a widget must be the last: the page counts it when it saves the values, and not when it loads them.
  widget.serialize = false;
  chain(node, "onExecuted", (output) => receive(node, output));
  chain(node, "onGraphConfigured", () => show(node));
}

// A widget on `shown` with a sheet of what `node` ranked.
function sheetWidget(shown, name, node) {
  const host = shown === node ? undefined : shown;
  const sheet = new ContactSheet({
    empty: EMPTY,
    whyNot: NODES[node.comfyClass],
    read: () => picksWidget(node, host)?.value ?? null,
    write: (text) => write(picksWidget(node, host), text),
    looksFirst: () => looksFirst(node, host),
    finish: (seed) => {
      asOneStep(() => keepSeed(node, seed, host));
      app.queuePrompt(0, 1);
    },
    url: (filename, subfolder) => api.apiURL(`/view?${new URLSearchParams({ filename, subfolder, type: "temp" })}`),
  });
  const widget = shown.addDOMWidget(name, "lidar_sheet", sheet.element, {
    serialize: false, // in the prompt
    hideOnZoom: false,
    getMinHeight: () => sheet.height + 20, // the page's own margin
  });
  Object.assign(widget, { sheet, source: node, label: word("contact sheet") }); // the label is shown in the simple view
  forwardToCanvas(sheet.element);
  shown.setSize([Math.max(shown.size[0], LEAST_WIDTH), Math.max(shown.size[1], shown.computeSize()[1])]);
  chain(shown, "onRemoved", () => sheet.large.hide());
  return widget;
}

// The page projects a widget that a subgraph shows outside as its value alone: what has an element must be made anew there.
function followPromotions(host) {
  host.subgraph.events.addEventListener("widget-promoted", ({ detail }) => {
    const bare = host.inputs.find((input) => input.type === SOCKET && input.widgetId && !input._widget?.sheet);
    // At once, for Nodes 2.0 looks for the element only when it shows the row; the link is not made yet
    if (detail.subgraphNode === host && detail.widget.source && bare) adopt(host, bare, detail.widget.source);
  });
  const adoptAll = () => {
    for (const input of host.inputs) if (input.type === SOCKET && !input._widget?.sheet) adopt(host, input, sourceOf(host, input));
  };
  chain(host, "onGraphConfigured", adoptAll);
  queueMicrotask(adoptAll);
}

function adopt(host, input, source) {
  if (!source || !input.widgetId || host.graph?.getNodeById(host.id) !== host) return;
  const adopted = host.widgets?.find((widget) => widget.sheet && widget.source === source); // newer pages lay their own over it
  input._widget = adopted ?? sheetWidget(host, input.name, source);
  standOnce(host, input._widget);
  show(source);
}

// Newer pages show the widget of an input, and then the node's own: it would be drawn twice, and lost when the page makes it anew.
function standOnce(host, widget) {
  if (host.widgets.filter((each) => each === widget).length < 2) return;
  widget.onRemove = () => {}; // it stays on the page
  host.removeWidget(widget);
  delete widget.onRemove;
}

// The node inside whose sheet an input of a subgraph shows.
function sourceOf(host, input) {
  const links = input._subgraphSlot?.linkIds ?? [];
  const inside = links.map((id) => host.subgraph.getLink(id)?.resolve(host.subgraph)).find((link) => link?.inputNode);
  return inside?.inputNode.widgets?.find((widget) => widget.sheet && widget.name === inside.input.name)?.source;
}

function receive(node, output) {
  const part = partOf(output);
  if (!part) return;
  const place = placeOf(node);
  app.nodeOutputs[place] = withSheet(app.nodeOutputs[place], laidOver(sheetsOf(node)[0].told, part));
  show(node);
}

// Shows what those of the nodes told that show nothing yet.
async function bringBack(nodes) {
  const lacking = rankingNodes().filter((node) => nodes.includes(node) && !partOf(app.nodeOutputs[placeOf(node)]));
  if (!lacking.length) return;
  const outputs = await lastRun(app.rootGraph.id);
  for (const [id, output] of Object.entries(outputs)) {
    const node = nodeOf(id.split(".")[0]);
    if (lacking.includes(node)) receive(node, output);
  }
}

// What was news in the last run is none in the next.
function forgetNews() {
  for (const node of rankingNodes()) {
    const place = placeOf(node), { reseeded, ...rest } = partOf(app.nodeOutputs[place]) ?? {};
    if (!reseeded) continue;
    app.nodeOutputs[place] = withSheet(app.nodeOutputs[place], rest);
    show(node);
  }
}

// Shows what the page has kept of the node.
function show(node) {
  const kept = partOf(app.nodeOutputs[placeOf(node)]);
  for (const sheet of sheetsOf(node)) sheet.show(kept);
  app.canvas.setDirty(true, true);
}

function write(widget, text) {
  asOneStep(() => set(widget, text));
  refreshAll();
}

function asOneStep(change) {
  app.canvas.emitBeforeChange(); // for undo
  try {
    change();
  } finally {
    app.canvas.emitAfterChange();
  }
}

function refreshAll() {
  for (const node of everyNode()) {
    for (const { name, sheet } of node.widgets ?? []) {
      if (!sheet) continue;
      takePlace(`${placeOf(node)} ${name}`, sheet.element);
      sheet.refresh();
    }
  }
}

// Undo makes all nodes anew, and Nodes 2.0 goes on showing the element of the node before it.
function takePlace(place, element) {
  const before = onPage.get(place);
  if (LiteGraph.vueNodesMode && before !== element && before?.isConnected && !element.isConnected) before.replaceWith(element);
  onPage.set(place, element);
}

// The sheets of a node: its own first, then those outside of subgraphs.
function sheetsOf(node) {
  const widgets = [node, ...everyNode()].flatMap((each) => each.widgets ?? []);
  return [...new Set(widgets.filter((widget) => widget.source === node).map((widget) => widget.sheet))];
}

function rankingNodes() {
  return everyNode().filter((node) => node.comfyClass in NODES);
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
  return id.split(":").reduce((within, part) => (within?.subgraph ?? within)?.getNodeById?.(part), app.rootGraph);
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
    if (!app.canvas.canvas.checkVisibility()) return; // in the page's app view it scrolls the panel
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
