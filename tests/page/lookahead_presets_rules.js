import assert from "node:assert/strict";
import test from "node:test";

import "./extensions/pack/lookahead_presets.js";
import { app } from "./scripts/app.js";

const presets = JSON.parse(process.env.PRESETS);
const DEFAULTS = {
  preset: "recommended", count: 16, steps: 6, cfg: 7.5, sampler_name: "dpmpp_2m", scheduler: "karras", batch_size: 16,
  guidance_scale: 8, reward_strength: 5000, reward_scale: "standardised", start_percent: 0, end_percent: 0.8,
  guidance_form: "difference", effective_dimension: 0, start_from: "own noise", steady_scores: false,
};
const SAVED = {
  count: 7, steps: 3, cfg: 2.5, sampler_name: "euler", scheduler: "simple", batch_size: 4, guidance_scale: 2,
  reward_strength: 1000, reward_scale: "raw", start_percent: 0.1, end_percent: 0.9,
};

class ConfigNode {
  static comfyClass = "LiDARLookaheadConfig";
  static nodeData = { input: { required: { preset: ["COMBO", { presets }] } } };
  widgets = Object.entries(DEFAULTS).map(([name, value]) => ({ name, value }));
  inputs = Object.keys(DEFAULTS).map((name) => ({ name, widget: { name }, link: null }));

  constructor() {
    for (const extension of app.extensions) extension.nodeCreated(this);
  }
  setDirtyCanvas() {}
  widget(name) {
    return this.widgets.find((widget) => widget.name === name);
  }
  seen() {
    return Object.fromEntries(this.widgets.map(({ name, value }) => [name, value]));
  }
  /** As the page does on a user's edit and, many in one act, when it loads an API prompt. */
  set(values) {
    for (const [name, value] of Object.entries(values)) {
      this.widget(name).value = value;
      this.widget(name).callback(value);
    }
  }
  /** As the page does when it loads a workflow: no callback is called. */
  load(values) {
    for (const [name, value] of Object.entries(values)) this.widget(name).value = value;
    return this;
  }
}

const settled = () => new Promise((resolve) => setTimeout(resolve));

test("a new node shows the values of its preset", async () => {
  const node = new ConfigNode();
  await settled();
  assert.deepEqual(node.seen(), { ...DEFAULTS, ...presets.recommended });
});

for (const name of Object.keys(presets)) {
  test(`choosing ${name} shows its values and leaves the others`, async () => {
    const node = new ConfigNode();
    await settled();
    const before = node.seen();
    node.set({ preset: name });
    await settled();
    assert.deepEqual(node.seen(), { ...before, ...presets[name], preset: name });
  });
}

test("changing a value of the preset turns it to custom and changes nothing else", async () => {
  const node = new ConfigNode();
  await settled();
  const before = node.seen();
  node.set({ guidance_scale: 0.6 });
  await settled();
  assert.deepEqual(node.seen(), { ...before, guidance_scale: 0.6, preset: "custom" });
});

test("a value that the preset leaves to the user does not turn it", async () => {
  const node = new ConfigNode();
  await settled();
  node.set({ count: 20 });
  await settled();
  assert.equal(node.seen().preset, "recommended");
});

test("choosing custom keeps what is seen", async () => {
  const node = new ConfigNode();
  node.set({ preset: "demo" });
  await settled();
  const before = node.seen();
  node.set({ preset: "custom" });
  await settled();
  assert.deepEqual(node.seen(), { ...before, preset: "custom" });
});

test("a workflow saved as custom keeps its values, and those it never had their defaults", async () => {
  const node = new ConfigNode().load({ preset: "custom", ...SAVED });
  await settled();
  assert.deepEqual(node.seen(), { ...DEFAULTS, ...SAVED, preset: "custom" });
});

test("a workflow saved with a preset keeps it and shows its values", async () => {
  const node = new ConfigNode().load({ preset: "SDXL (paper)", ...SAVED });
  await settled();
  assert.deepEqual(node.seen(), { ...DEFAULTS, ...SAVED, ...presets["SDXL (paper)"], preset: "SDXL (paper)" });
});

for (const name of ["custom", "recommended"]) {
  test(`an API prompt on ${name} computes the same`, async () => {
    const node = new ConfigNode();
    for (let pass = 0; pass < 2; pass++) node.set({ preset: name, ...SAVED });
    await settled();
    assert.deepEqual(node.seen(), { ...DEFAULTS, ...SAVED, ...presets[name], preset: name });
  });
}

test("what another node sets is no edit", async () => {
  const node = new ConfigNode();
  await settled();
  node.inputs.find((input) => input.name === "guidance_scale").link = 3;
  node.set({ guidance_scale: 2 });
  await settled();
  assert.equal(node.seen().preset, "recommended");
});

test("a linked preset shows nothing", async () => {
  const node = new ConfigNode();
  node.inputs.find((input) => input.name === "preset").link = 3;
  await settled();
  node.set({ preset: "demo" });
  await settled();
  assert.deepEqual(node.seen(), { ...DEFAULTS, preset: "demo" });
});
