// The newest decisions of the autoscaler, as a list and as marks of a chart.

import { make } from "/static/dom.js";
import { sentenceOf } from "./decisions.js";
import { writeTimes } from "./format.js";
import { live } from "./live.js";

const MOST = 100;

export class Decisions {
  #kept = [];

  constructor(box) {
    this.box = box;
    this.chart = null;
    document.addEventListener("live:restarted", () => this.#clear());
  }

  /** Follow them, from the newest that the host has kept; `chart` is told to draw its marks anew. */
  follow(chart) {
    this.chart = chart;
    live.on("decisions", ({ decisions }) => this.#add(decisions));
  }

  marks() {
    return this.#kept.map(({ at, text }) => ({ at, text }));
  }

  // A connection that is made anew begins with all of them.
  #add(decisions) {
    const last = this.#kept.at(-1)?.at ?? 0;
    for (const each of decisions.filter(({ at }) => at > last)) {
      const text = `${each.function}: ${sentenceOf(each)}`;
      const point = () => this.chart.point(each.at);
      const line = make("li", { onmouseenter: point, onfocusin: point },
        make("time", { "data-at": each.at }), make("p", {}, make("a", { href: pageOf(each.function) }, each.function), ` ${sentenceOf(each)}`));
      this.box.prepend(line);
      this.#kept.push({ at: each.at, text, line });
    }
    for (const { line } of this.#kept.splice(0, Math.max(0, this.#kept.length - MOST))) line.remove();
    writeTimes(this.box);
    this.chart.remark();
  }

  #clear() {
    this.#kept = [];
    this.box.replaceChildren();
  }
}

function pageOf(name) {
  return `/console/functions/${encodeURIComponent(name)}?tab=why`;
}
