// The contact sheet as an element: a card of facts, what can be done with the picks, and below the tiles, best first.
// It knows neither graph nor host: `owner` reads and writes the picks, queues, and tells where a thumbnail lies.

import { phrase, word } from "../words.js";
import { button, element } from "./element.js";
import { LargeView } from "./large_view.js";
import { PICKED, readPicks, REJECTED, remarked } from "./picks.js";

const EMPTY_HEIGHT = 59; // pixels of a sheet that has nothing to show
const TILE = 80, CAPTION = 20, GAP = 4; // pixels, as in contact_sheet.css: least side of a picture, below it, between tiles
const FULL = 4; // rows of tiles that are shown without scrolling; half of the next one tells that there are more
const BEGAN = word("final images began here");
const RESEEDED = word("new lookaheads: the seed changed");
const GONE = word("The pictures are gone; a run that ranks anew brings them back.");
const LOOK = word("Look first: click what you like, then Finish picked.");
const HINT = word("Click: pick. Again, or with Alt: reject. Keys: 1 to 9, arrows, Enter.");
const BADGES = { [PICKED]: word("picked"), [REJECTED]: word("rejected"), started: word("started here"), kept: word("kept") };

export class ContactSheet {
  constructor(owner) {
    this.owner = owner;
    this.told = undefined; // what came of a sheet so far
    this.sheet = undefined; // the same, once it has pictures
    this.tiles = new Map();
    this.current = undefined; // the number of the tile that the keys act on
    this.large = new LargeView();
    this.card = element("div", "lidar-card");
    this.list = element("div", "lidar-tiles");
    this.list.setAttribute("role", "listbox");
    this.list.setAttribute("aria-multiselectable", "true");
    this.finish = button("lidar-finish", word("Finish picked"), () => this.finishPicked());
    this.clear = button("lidar-clear", word("Clear"), () => owner.write(""));
    this.note = element("span", "lidar-note");
    this.actions = element("div", "lidar-actions", this.finish, this.clear, this.note);
    this.element = element("div", "lidar-sheet", this.card, this.actions, this.list);
    this.element.tabIndex = 0;
    this.element.addEventListener("keydown", (event) => this.onKey(event));
    this.element.addEventListener("blur", () => this.large.hide());
    this.listHeight = 0;
    new ResizeObserver(() => {
      this.layOut();
      this.refresh();
    }).observe(this.list);
    this.show(undefined);
  }

  // The height in pixels that its node must give it. Never too much, nor before it is on the page: the page would make the node
  // higher and keep that as a change, and what was undone just before could not be redone.
  get height() {
    if (!this.actions.offsetHeight) return EMPTY_HEIGHT;
    return this.card.offsetHeight + this.actions.offsetHeight + this.listHeight + 2 * GAP + 8;
  }

  // The tiles fill the width; more rows than FULL are scrolled, or shown where the node is made higher.
  layOut() {
    const width = this.list.clientWidth;
    if (!width) return; // not on the page
    const columns = Math.max(1, Math.floor((width + GAP) / (TILE + GAP)));
    const height = (width - GAP * (columns - 1)) / columns + CAPTION;
    const rows = Math.ceil(this.tiles.size / columns);
    this.scrolls = rows > FULL;
    this.listHeight = Math.ceil((this.scrolls ? FULL + 0.5 : rows) * (height + GAP));
    Object.assign(this.list.style, { minHeight: `${this.listHeight}px`, gridAutoRows: `${height}px` });
  }

  show(sheet) {
    const before = this.sheet;
    this.told = sheet;
    this.sheet = sheet?.numbers ? sheet : undefined;
    if (!this.sheet || before?.folder !== this.sheet.folder || String(before?.numbers) !== String(this.sheet.numbers)) this.layTiles();
    const { reseeded, facts = [], run_facts = [], started = [] } = this.sheet ?? {};
    const began = started.length ? [[BEGAN, word("{count} of {all}", { count: started.length, all: this.tiles.size })]] : [];
    const all = [...(reseeded ? [["", RESEEDED]] : []), ...run_facts.map(translated), ...began, ...facts.map(translated)];
    this.card.replaceChildren(...all.map(([what, much]) => fact(what, much)));
    this.mark();
  }

  // Draws the marks anew if the picks are others than those drawn.
  refresh() {
    if (this.state() !== this.drawn) this.mark();
  }

  mark() {
    const text = this.owner.read(), looks = this.owner.looksFirst();
    this.drawn = this.state();
    const set = this.sheet?.set;
    const picks = readPicks(text);
    const others = Boolean(picks.marks.size && picks.set && set && picks.set !== set);
    const marks = others ? new Map() : picks.marks;
    const wrong = !others && this.sheet ? picks.words.find(({ number }) => !this.tiles.has(number)) : undefined;
    const started = new Set(this.sheet?.started), kept = new Set(this.sheet?.kept);
    for (const [number, tile] of this.tiles) {
      const badges = [marks.get(number), started.has(number) && "started", kept.has(number) && "kept"].filter(Boolean);
      tile.classList.toggle("lidar-picked", marks.get(number) === PICKED);
      tile.classList.toggle("lidar-rejected", marks.get(number) === REJECTED);
      tile.classList.toggle("lidar-current", number === this.current);
      tile.setAttribute("aria-selected", String(marks.get(number) === PICKED));
      tile.lastChild.replaceChildren(...badges.map((badge) => element("span", `lidar-badge lidar-${badge}`, BADGES[badge])));
      tile.lastChild.title = badges.map((badge) => BADGES[badge]).join(", ");
    }
    this.list.setAttribute("aria-activedescendant", this.tiles.get(this.current)?.id ?? "");
    const writes = text !== null;
    this.finish.hidden = this.clear.hidden = !this.sheet || !writes;
    const count = [...marks.values()].filter((mark) => mark === PICKED).length;
    this.finish.textContent = looks && !count ? word("Finish the best") : count > 1 ? word("Finish {count} picked", { count }) : word("Finish picked");
    this.finish.disabled = Boolean(wrong) || (!marks.size && !looks);
    this.clear.disabled = !marks.size && !wrong;
    const hint = wrong ? word("picks has {what}, which is not on this sheet.", { what: wrong.text }) : this.gone ? GONE : others ? word("The picks belong to another set; a click begins anew.") : looks && !count ? LOOK : this.scrolls ? word("{count} tiles: click one, then scroll. Again, or with Alt: reject.", { count: this.tiles.size }) : HINT;
    this.note.textContent = !this.sheet ? this.owner.empty : writes || this.gone ? hint : this.owner.whyNot ?? "";
  }

  // What else than the sheet is drawn.
  state() {
    return JSON.stringify([this.owner.read(), this.owner.looksFirst(), this.scrolls]);
  }

  // Where a run looks first it needs a favourite to go on: without one the best that is not rejected becomes it.
  finishPicked() {
    const { marks, set } = readPicks(this.owner.read());
    const mine = !set || !this.sheet.set || set === this.sheet.set ? marks : new Map();
    if (this.owner.looksFirst() && ![...mine.values()].includes(PICKED)) this.choose(this.sheet.numbers.find((number) => !mine.has(number)) ?? this.sheet.numbers[0], PICKED);
    this.owner.finish(this.sheet.seed);
  }

  layTiles() {
    this.large.hide();
    this.tiles.clear();
    this.gone = false; // whether a picture is not there any more
    const { numbers = [], scores = [] } = this.sheet ?? {};
    const lowest = Math.min(...scores), range = Math.max(...scores) - lowest;
    numbers.forEach((number, rank) => this.tiles.set(number, this.tile(number, rank, range > 0 ? (scores[rank] - lowest) / range : 1)));
    if (!this.tiles.has(this.current)) this.current = undefined;
    this.list.replaceChildren(...this.tiles.values());
    this.list.scrollTop = 0;
    this.layOut();
  }

  tile(number, rank, share) {
    const picture = element("img", "");
    picture.alt = "";
    picture.draggable = false;
    picture.loading = "lazy";
    picture.decoding = "async";
    picture.src = this.url(number);
    picture.addEventListener("error", () => this.lose(picture));
    const bar = element("i", "lidar-bar");
    bar.style.width = `${4 + 96 * share}%`;
    const tile = element("div", "lidar-tile", element("div", "lidar-picture", picture), element("b", "lidar-number", number), element("div", "lidar-score", bar), element("div", "lidar-badges"));
    tile.setAttribute("role", "option");
    tile.setAttribute("aria-label", word("no. {number}, rank {rank}, score {score}", { number, rank: rank + 1, score: this.sheet.scores[rank] }));
    tile.dataset.number = number;
    tile.addEventListener("click", (event) => this.choose(number, event.altKey ? REJECTED : undefined));
    // Not on entering: a tile also comes below a pointer that rests, when the card above gets another line
    tile.addEventListener("pointermove", () => this.large.tile !== tile && this.enlarge(number));
    tile.addEventListener("pointerleave", () => this.large.hide());
    return tile;
  }

  // The number, the bar and the marks of its tile stay.
  lose(picture) {
    const late = !picture.isConnected; // of tiles that have gone
    picture.remove();
    if (late || this.gone) return;
    this.gone = true;
    this.mark();
  }

  choose(number, mark) {
    this.current = number;
    const text = this.owner.read();
    if (text === null) return this.mark();
    this.owner.write(remarked(text, number, { mark, set: this.sheet.set }));
  }

  enlarge(number) {
    const { numbers, scores, judges = {}, reward } = this.sheet;
    const rank = numbers.indexOf(number);
    const all = [[reward, scores], ...Object.entries(judges)].map(([judge, values]) => [judge, values[rank]]);
    this.large.show(this.tiles.get(number), { url: this.url(number), title: word("no. {number}, rank {rank} of {all}", { number, rank: rank + 1, all: numbers.length }), scores: all });
  }

  url(number) {
    return this.owner.url(`${number}.jpg`, this.sheet.folder);
  }

  onKey(event) {
    if (event.ctrlKey || event.metaKey || !this.sheet || event.target !== this.element) return;
    const { numbers } = this.sheet;
    const digit = /^(?:Digit|Numpad)([1-9])$/.exec(event.code)?.[1];
    const step = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -this.columns(), ArrowDown: this.columns() }[event.key];
    if (digit) {
      if (!this.tiles.has(Number(digit))) return;
      this.choose(Number(digit), event.altKey ? REJECTED : undefined);
    } else if (step) {
      const place = this.current === undefined ? 0 : numbers.indexOf(this.current) + step;
      this.current = numbers[Math.min(Math.max(place, 0), numbers.length - 1)];
      this.mark();
      this.enlarge(this.current);
    } else if (this.current !== undefined && (event.key === "Enter" || event.key === " ")) {
      this.choose(this.current, event.altKey ? REJECTED : undefined);
    } else if (event.key === "Escape") {
      this.large.hide();
    } else if (event.key === "Delete" || event.key === "Backspace") {
      const mark = readPicks(this.owner.read()).marks.get(this.current);
      if (mark) this.choose(this.current, mark); // the same mark again clears it
    } else return;
    this.tiles.get(this.current)?.scrollIntoView({ block: "nearest" });
    event.preventDefault();
    event.stopPropagation(); // on the canvas such keys move and delete nodes
  }

  // The number of tiles beside each other.
  columns() {
    const tops = [...this.tiles.values()].map((tile) => tile.offsetTop);
    return tops.filter((top) => top === tops[0]).length;
  }
}

function translated([what, much]) {
  return [phrase(what), phrase(much)];
}

function fact(what, much) {
  const dot = what === BEGAN ? [element("i", "lidar-dot")] : [];
  const label = what ? [element("span", "", ...dot, what)] : [];
  return element("div", "lidar-fact", ...label, element("b", "", much));
}
