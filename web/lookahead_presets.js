// The presets of LiDAR Lookahead Config on the page: a chosen preset shows its values in the widgets, and a value changed
// there turns the preset to custom, so that what is seen is what runs. The values come with the node's definition.

import { app } from "../../scripts/app.js";

const CUSTOM = "custom";

app.registerExtension({
  name: "LiDAR.LookaheadPresets",
  nodeCreated(node) {
    if (node.constructor.comfyClass === "LiDARLookaheadConfig") {
      followPresets(node, node.constructor.nodeData.input.required.preset[1].presets);
    }
  },
});

function followPresets(node, presets) {
  const widgetOf = (name) => node.widgets.find((widget) => widget.name === name);
  const linked = (name) => node.inputs.some((input) => input.widget?.name === name && input.link != null);
  const changed = new Set();

  // One act may change many widgets: loading an API prompt sets the preset and then every value, which is no edit of the
  // preset. So it is judged when all callbacks of the act have run. A new node counts as one whose preset was chosen, and
  // a loaded one has its saved values by then.
  function note(name) {
    if (changed.size === 0) queueMicrotask(settle);
    changed.add(name);
  }

  function settle() {
    const names = [...changed];
    changed.clear();
    const preset = widgetOf("preset");
    const values = presets[preset.value]; // undefined for custom
    if (!values || linked("preset")) return;
    if (names.includes("preset")) {
      for (const [name, value] of Object.entries(values)) widgetOf(name).value = value;
    } else if (names.some((name) => name in values && widgetOf(name).value !== values[name])) {
      preset.value = CUSTOM;
    }
    node.setDirtyCanvas(true, true);
  }

  for (const widget of node.widgets) {
    const callback = widget.callback;
    widget.callback = function (...given) {
      const answer = callback?.apply(this, given);
      if (!linked(widget.name)) note(widget.name); // another node sets a linked one, also while a workflow loads
      return answer;
    };
  }
  note("preset");
}
