// The menu of a KSampler puts LiDAR KSampler in its place: the same links and values, the VAE of the VAE Decode behind it, and
// a reward model, the one that is there or a loader for it.

import { app } from "../../scripts/app.js";
import { word } from "./words.js";

const ROOM = 900; // pixels that a LiDAR KSampler needs in height once it has a contact sheet
const FRAMES = 3; // in which new nodes grow to the size that they need: their growing is no step of its own
const TITLE = 30; // pixels of a node's title, above its place

app.registerExtension({
  name: "LiDAR.ReplaceKSampler",
  getNodeMenuItems(node) {
    if (node.comfyClass !== "KSampler") return [];
    return [{ content: word("Replace with LiDAR KSampler"), callback: () => asOneStep(() => replace(node)) }];
  },
});

async function asOneStep(act) {
  app.canvas.emitBeforeChange(); // one step for undo
  try {
    act();
    app.canvas.setDirty(true, true);
    for (let frame = 0; frame < FRAMES; frame++) await new Promise(requestAnimationFrame);
  } finally {
    app.canvas.emitAfterChange();
  }
}

function replace(node) {
  const { graph } = node;
  const lidar = add(graph, "LiDARKSampler", node.pos);
  for (const { name, value } of node.widgets) {
    const widget = name !== "control_after_generate" && lidar.widgets.find((each) => each.name === name); // its seed stays fixed
    if (widget) widget.value = value;
  }
  const behind = linksBehind(graph, node);
  const vae = behind.map((link) => link.inputNode?.inputs.find((input) => input.type === "VAE")).find((input) => input?.link != null);
  for (const input of node.inputs) connect(graph, input.link, lidar, input.name);
  if (vae) connect(graph, vae.link, lidar, "vae");
  for (const { inputNode, link, subgraphOutput } of behind) {
    if (inputNode) lidar.connect(0, inputNode, link.target_slot);
    else subgraphOutput?.connect(lidar.outputs[0], lidar);
  }
  makeRoom(graph, node, lidar);
  const judge = rewardModel(graph, lidar);
  judge.connect(judge.outputs.findIndex(isReward), lidar, lidar.findInputSlot("reward_model"));
  graph.remove(node);
  app.canvas.selectItems?.([lidar]);
}

function add(graph, type, [x, y]) {
  const node = LiteGraph.createNode(type);
  node.pos = [x, y];
  graph.add(node);
  return node;
}

// The links of a node's first output, each with the nodes at its ends, or the subgraph's own socket where it leads outside.
function linksBehind(graph, node) {
  const links = [...graph.links.values()].filter((link) => link.origin_id === node.id && link.origin_slot === 0);
  return links.map((link) => link.resolve(graph));
}

// Leads what comes through the link with this id to an input of LiDAR KSampler as well.
function connect(graph, id, lidar, name) {
  const slot = lidar.findInputSlot(name);
  if (id == null || slot < 0) return;
  const { outputNode, link, subgraphInput } = graph.getLink(id).resolve(graph);
  if (outputNode) outputNode.connect(link.origin_slot, lidar, slot);
  else subgraphInput?.connect(lidar.inputs[slot], lidar);
}

// The node that has a reward model already, or a new loader: with the only file that there is, else with none, to be chosen.
function rewardModel(graph, lidar) {
  const there = graph.nodes.find((each) => each.outputs?.some(isReward));
  if (there) return there;
  const loader = add(graph, "LiDARRewardModelLoader", lidar.pos);
  loader.pos = freePlace(graph, loader, lidar);
  const file = loader.widgets.find(({ name }) => name === "file");
  const files = file.options.values.filter((each) => each !== "none");
  if (files.length === 1) file.value = files[0];
  return loader;
}

// Left of LiDAR KSampler, as far down as nothing else stands there.
function freePlace(graph, node, { pos: [right, top] }) {
  const [width, height] = node.size, x = right - width - 60;
  const others = graph.nodes.filter((each) => each !== node);
  const covers = (y) => others.some(({ pos, size }) => pos[0] < x + width + 20 && pos[0] + size[0] > x - 20 && pos[1] - TITLE < y + height + 20 && pos[1] + size[1] > y - TITLE - 20);
  let y = top;
  while (covers(y)) y += 20;
  return [x, y];
}

function isReward(output) {
  return output.type === "LIDAR_REWARD_MODEL";
}

// Moves what would be covered: to the right what stands right of KSampler, down what stands below it. Frames move or grow with it.
function makeRoom(graph, node, lidar) {
  const right = node.pos[0] + node.size[0], bottom = node.pos[1] + node.size[1];
  const wider = lidar.size[0] - node.size[0], higher = ROOM - node.size[1];
  for (const frame of graph.groups) {
    const [x, y] = frame.pos, [width, height] = frame.size;
    if (x >= right) frame.pos = [x + wider, y];
    else if (x + width > node.pos[0]) {
      const below = y >= bottom;
      if (below) frame.pos = [x, y + higher];
      frame.size = [width + (x + width > right ? wider : 0), height + (!below && y + height > bottom ? higher : 0)];
    }
  }
  for (const each of graph.nodes) {
    if (each === node || each === lidar) continue;
    const [x, y] = each.pos;
    if (x >= right) each.pos = [x + wider, y];
    else if (y >= bottom && x + each.size[0] > node.pos[0]) each.pos = [x, y + higher];
  }
}
