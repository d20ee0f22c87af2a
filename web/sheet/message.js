// What a node tells the page of the images that it ranked (nodes/host/contact_sheet.py), and how its parts come together.

const KEY = "lidar_sheet";

// The sheet, or part of one, in a node's ui output; undefined where it has none. A lookahead set's name comes beside it.
export function partOf(output) {
  const text = output?.[KEY]?.[0];
  try {
    const part = JSON.parse(text);
    if (part === null || typeof part !== "object") return undefined;
    return output.set?.[0] ? { ...part, set: output.set[0] } : part;
  } catch {
    return undefined;
  }
}

// The ui output with this sheet in it, as the page keeps it for a tab that is not shown.
export function withSheet(output, sheet) {
  return { ...output, [KEY]: [JSON.stringify(sheet)] };
}

// A part laid over what is there. The host sends parts again, in any order: what is the same adds nothing, a part of
// another sheet is not for this sheet, and new pictures or scores take away what was told of the old. `reseeded` is news of one run.
export function laidOver(sheet, part) {
  if (!sheet) return part;
  const same = sheet.sheet_id === part.sheet_id;
  if (!part.numbers) return same || !sheet.numbers ? { ...sheet, ...part } : sheet;
  const known = Object.entries(part).every(([key, value]) => JSON.stringify(sheet[key]) === JSON.stringify(value));
  if (known || (same && !sheet.numbers)) return { ...sheet, ...part };
  const reseeded = Boolean(part.apart_from_seed) && part.apart_from_seed === sheet.apart_from_seed && part.seed !== sheet.seed;
  return reseeded ? { ...part, reseeded } : part;
}
