// One lookahead large, with each judge's score, beside the pointed tile: over the page, so that no zoom makes it small.

import { element } from "./element.js";

const GAP = 12;

export class LargeView {
  show(tile, { url, title, scores }) {
    this.hide();
    this.tile = tile;
    const picture = element("img", "");
    picture.src = url;
    picture.addEventListener("error", () => picture.remove());
    const rows = scores.map(([judge, score]) => {
      const row = element("tr", "", element("td", "", element("bdi", "", judge)), element("td", "", score));
      row.firstChild.title = judge;
      return row;
    });
    this.element = element("div", "lidar-large", picture, element("strong", "", title), element("table", "", ...rows));
    document.body.append(this.element);
    this.place(tile.getBoundingClientRect());
    picture.addEventListener("load", () => tile.isConnected && this.element?.contains(picture) && this.place(tile.getBoundingClientRect()));
  }

  hide() {
    this.element?.remove();
    this.element = this.tile = undefined;
  }

  place(tile) {
    const { width, height } = this.element.getBoundingClientRect();
    const right = tile.right + GAP + width <= window.innerWidth;
    const left = right ? tile.right + GAP : Math.max(0, tile.left - GAP - width);
    const top = Math.min(Math.max(0, tile.top + (tile.height - height) / 2), Math.max(0, window.innerHeight - height));
    Object.assign(this.element.style, { left: `${left}px`, top: `${top}px` });
  }
}
