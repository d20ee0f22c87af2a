// The text of a picks widget, "3, -2, 7=5 @k7f2": which lookaheads are picked or rejected, and of which set.

export const PICKED = "picked";
export const REJECTED = "rejected";

const NEXT = { [PICKED]: REJECTED, [REJECTED]: null };

// { words: [{ text, number or NaN }], marks: Map of number -> PICKED or REJECTED, set: name or null }
export function readPicks(text) {
  const { words, set } = taken(text);
  return { words, marks: new Map(words.filter(({ mark }) => mark).map(({ number, mark }) => [number, mark])), set };
}

// The text with this lookahead's mark, or its next one where mark is undefined; what else stands there stays as it is.
export function remarked(text, number, { mark, set }) {
  const { words, set: old } = taken(text);
  const kept = old && set && old !== set ? [] : words; // numbers of another set name other pictures
  const before = kept.find((word) => word.number === number);
  const after = mark ? (before?.mark === mark ? null : mark) : before ? NEXT[before.mark] ?? null : PICKED;
  const word = after && { number, text: after === REJECTED ? `-${number}` : `${number}` };
  const all = before ? kept.flatMap((each) => (each !== before ? [each] : word ? [word] : [])) : word ? [...kept, word] : kept;
  return all.length ? all.map((each) => each.text).join(", ") + (set ? ` @${set}` : "") : "";
}

function taken(text) {
  const [, listed, set] = /^([^@]*)(?:@\s*([^\s,;]*)[\s,;]*)?/.exec(String(text ?? "").normalize("NFKC"));
  const words = listed
    .replace(/\s*=\s*/g, "=")
    .split(/[\s,;\u3001]+/)
    .filter(Boolean)
    .map((word) => {
      const [, minus, digits, value] = /^(-?)0*(\d+)(?:=(.+))?$/.exec(word) ?? [];
      const worth = value === undefined ? (minus ? -1 : 1) : Number(value);
      return { text: word, number: Number(digits), mark: worth > 0 ? PICKED : worth < 0 ? REJECTED : null };
    });
  return { words, set: set || null };
}
