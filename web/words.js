// What the scripts of this pack show, in the language of the page: word("Clear") is "Clear" where nobody has translated it.
// The host sends the words with the texts of the nodes (locales/<language>/main.json), and they hold until the page is reloaded.

import { api } from "../../scripts/api.js";
import { app } from "../../scripts/app.js";

const NUMBER = /-?\d+(?:\.\d+)?(?:e[+-]\d+)?/g;
const words = await wordsOf(app.extensionManager?.setting.get("Comfy.Locale"));

// `given` fills the places in braces: word("Finish {count} picked", { count: 2 }).
export function word(english, given = {}) {
  return (words[english] ?? english).replace(/\{(\w+)\}/g, (_, name) => given[name]);
}

// The same of what a node tells with its numbers in it: "6 of 20 steps" is the word "{0} of {1} steps".
export function phrase(told) {
  const numbers = [];
  return word(String(told).replace(NUMBER, (number) => `{${numbers.push(number) - 1}}`), numbers);
}

async function wordsOf(language) {
  try {
    const sent = await (await api.fetchApi("/i18n")).json();
    return sent[language]?.lidar ?? {};
  } catch {
    return {};
  }
}
