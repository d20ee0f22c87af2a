// The presets of LiDAR Lookahead Config on the page: its last row, preset, names the preset whose values stand in the
// widgets above it, or says custom; choosing one writes its values there. The row is neither saved nor queued, so that what
// the widgets show is all that counts. The values come with the node's definition, on its first widget.

import { api } from "../../scripts/api.js";
import { app } from "../../scripts/app.js";
import { word } from "./words.js";

const NODE = "LiDARLookaheadConfig";
const CUSTOM = "custom";

app.registerExtension({
  name: "LiDAR.LookaheadPresets",
  setup() {
    api.addEventListener("graphChanged", soon(nameAll));
    // The page tells it with the mouse-up; Nodes 2.0 changes values and links after that, with the click, and tells a click later.
    for (const end of ["pointerup", "keyup"]) window.addEventListener(end, soon(nameAll), true);
  },
  nodeCreated(node) {
    if (node.comfyClass !== NODE) return;
    addRow(node);
    queueMicrotask(() => name(node)); // a node that is loaded or pasted has its values and links by then
  },
});

// Once the page has drawn what was chosen: older pages would keep showing it.
function soon(act) {
  return (given) => requestAnimationFrame(() => act(given));
}

function nameAll() {
  for (const graph of [app.rootGraph, ...app.rootGraph.subgraphs.values()]) {
    for (const node of graph.nodes) if (node.comfyClass === NODE) name(node);
  }
}

function addRow(node) {
  const presets = presetsOf(node);
  const row = node.addWidget("combo", "preset", CUSTOM, (chosen) => write(node, presets[chosen] ?? {}), {
    values: [CUSTOM, ...Object.keys(presets)],
    serialize: false, // in the prompt
  });
  // In the workflow. Such a row must be the last: the page counts it when it saves the values, and not when it loads them.
  row.serialize = false;
  row.label = word("preset");
  row.tooltip = word(
    "Writes the values of known settings into the widgets above, and shows whose values stand there now: custom if no preset's. It overrules nothing: the widgets are what counts. A setting that a link gives is left alone.",
  );
}

function name(node) {
  const stands = ({ widget, value, linked }) => !linked && same(widget.value, value); // what a link gives is not known
  const mostFirst = Object.entries(presetsOf(node)).sort(([, a], [, b]) => Object.keys(b).length - Object.keys(a).length);
  const named = mostFirst.find(([, values]) => rows(node, values).every(stands));
  rowOf(node, "preset").value = named?.[0] ?? CUSTOM;
  node.setDirtyCanvas(true);
}

function write(node, values) {
  app.canvas.emitBeforeChange(); // one step for undo
  try {
    for (const { widget, value, linked } of rows(node, values)) {
      if (linked) continue;
      widget.value = value;
      widget.callback?.(value);
    }
  } finally {
    app.canvas.emitAfterChange();
  }
  soon(name)(node);
}

function presetsOf(node) {
  return node.constructor.nodeData.input.optional.start_from[1].presets;
}

function rows(node, values) {
  return Object.entries(values).map(([setting, value]) => ({
    widget: rowOf(node, setting),
    value,
    linked: node.isInputConnected(node.findInputSlot(setting)),
  }));
}

function rowOf(node, setting) {
  return node.widgets.find((widget) => widget.name === setting);
}

// The page's arrows leave 8.000000000000002 where it shows 8.
function same(one, other) {
  return typeof other === "number" ? Math.abs(one - other) < 1e-6 : one === other;
}
