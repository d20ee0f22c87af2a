// The widgets of a ranked sheet's node. Where the picks are written: the node's own widget, that of LiDAR Pick Lookaheads behind it, or, where a
// subgraph shows that widget outside, the one there; undefined where a link from another node gives them.

import { app } from "../../../scripts/app.js";

const PICKS = "picks";
const LOOK_FIRST = "look_first", SEED = "seed";
const FROM_OUTSIDE = -10; // the page's id of a subgraph's inputs

export function picksWidget(node, host) {
  const owner = node.comfyClass === "LiDARScoreLookaheads" ? pickNode(node) : node;
  return owner && widgetOf(owner, PICKS, host);
}

// Whether a run of the node ends where a person should choose; not known where a link from another node says so.
export function looksFirst(node, host) {
  return widgetOf(node, LOOK_FIRST, host)?.value === true;
}

// Writes the seed that lookaheads were drawn with and keeps it, for the page may have chosen another one after the run.
export function keepSeed(node, seed, host) {
  const widget = widgetOf(node, SEED, host);
  if (!widget || seed === undefined || widget.value === Number(seed)) return;
  set(widget, Number(seed));
  const after = widget.linkedWidgets?.[0]; // control after generate
  if (after) set(after, "fixed");
}

export function set(widget, value) {
  widget.value = value;
  widget.callback?.(value);
}

function pickNode(node) {
  return node.graph && node.getOutputNodes(0)?.find((each) => each.comfyClass === "LiDARPickLookaheads");
}

function widgetOf(node, name, host) {
  const slot = node.findInputSlot(name);
  // Of any node: that of a subgraph's node answers for the subgraph's outputs
  const link = slot < 0 || !node.graph ? null : LiteGraph.LGraphNode.prototype.getInputLink.call(node, slot);
  if (!link) return node.widgets?.find((widget) => widget.name === name);
  if (link.origin_id != FROM_OUTSIDE) return undefined;
  host ??= hostOf(node.graph);
  const outside = host?.inputs[link.origin_slot];
  return outside && widgetOf(host, outside.name);
}

// The node that shows a subgraph; the first where there are several.
function hostOf(subgraph) {
  const graphs = [app.rootGraph, ...app.rootGraph.subgraphs.values()];
  return graphs.flatMap((graph) => graph.nodes).find((node) => node.isSubgraphNode?.() && node.subgraph === subgraph);
}
