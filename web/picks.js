// Picks on the page belong to the set of lookaheads that was looked at: numbers typed without the name of a set get the name of
// the one last shown on their node when the prompt is queued, "3, 7" becomes "3, 7 @k7f2". Numbers typed before any was shown
// hold for the one that is drawn, and get its name when it is.

import { app } from "../../scripts/app.js";
import { readPicks } from "./sheet/picks.js";

const NODES = ["LiDARKSampler", "LiDARPickLookaheads"];

app.registerExtension({
  name: "LiDAR.Picks",
  nodeCreated(node) {
    if (!NODES.includes(node.comfyClass)) return;
    const picks = node.widgets.find((widget) => widget.name === "picks");
    let shown, queued;
    picks.beforeQueued = () => {
      if (shown) belongTo(shown, node, picks);
      queued = picks.value;
    };
    const { onExecuted } = node;
    node.onExecuted = function (output) {
      onExecuted?.apply(this, arguments);
      if (!output?.set?.[0]) return;
      shown = output.set[0];
      if (picks.value === queued) belongTo(shown, node, picks);
    };
  },
});

function belongTo(set, node, picks) {
  const numbers = String(picks.value ?? "").trim();
  if (!readPicks(numbers).marks.size || numbers.includes("@") || node.isInputConnected(node.findInputSlot("picks"))) return;
  app.canvas.emitBeforeChange(); // one step for undo
  try {
    picks.value = `${numbers} @${set}`;
    picks.callback?.(picks.value);
  } finally {
    app.canvas.emitAfterChange();
  }
}
