// Every chart of the console: what it shows, its cursor, its zoom, its keys, and its words.
/* global uPlot */

import { make } from "/static/dom.js";
import { ChartGroup } from "./chart-group.js";
import { drawMarks, Tip } from "./chart-marks.js";
import { optionsOf, UNITS, unitOf } from "./chart-options.js";
import { time } from "./format.js";
import { t } from "./strings.js";

export { ChartGroup } from "./chart-group.js";
export { UNITS } from "./chart-options.js";
export { Columns } from "./columns.js";
export { sparkline } from "./sparkline.js";

const LEAST_DRAG = 4;
const FAR = 10;
const all = new Set();

/**
 * One chart in `box`. `series` are `{label, unit, kind: "line" | "dots" | "steps" | "area" | "edge" | "points", scale,
 * colour, dash}`, dots being a line that shows its points, and an edge being seen by the band at it only; a second scale has its axis at the right. `bands` are
 * `{from, to, colour}`: between the series at these places it is filled. `marks` gives `[{at, text}]`, oldest first,
 * to be marked on the time axis; `label` says in words what is drawn; `span` is how many seconds are shown at least.
 * Charts of one `group` have one cursor and one zoom. Times are seconds since the epoch; a value null is a gap.
 */
export class Chart {
  #plot = null;
  #data;

  constructor(box, { series, label, height = 200, marks = () => [], stacked = false, bands = [], span = 0, group = new ChartGroup() }) {
    Object.assign(this, { box, series, label, height, marks, stacked, bands, span, group });
    this.#data = [[], ...series.map(() => [])];
    this.words = make("p", { class: "unseen" });
    this.said = make("p", { class: "unseen", "aria-live": "polite" });
    this.whole = make("button", { class: "plain small chart-whole", type: "button", hidden: true, onclick: () => group.zoom(null) }, t("console.chart.whole"));
    this.figure = make("div", {
      class: stacked ? "chart stacked" : "chart", role: "application", tabindex: 0,
      "aria-label": t("console.chart.label", { label }), "aria-roledescription": t("console.chart.kind"),
      onkeydown: (event) => this.#press(event), onblur: () => this.#leave(),
    });
    box.classList.add("chart-box");
    box.replaceChildren(this.figure, this.whole, this.words, this.said);
    this.sizes = new ResizeObserver(() => this.#resize());
    this.sizes.observe(box);
    group.join(this);
    all.add(this);
  }

  /** Show these columns: times, then one for each series. */
  show(data) {
    this.#data = data;
    if (!this.#plot) this.#draw();
    else this.#plot.setData(this.#shown());
    this.#rest();
    const last = data[0].length - 1;
    this.words.textContent = last < 0 ? t("console.chart.empty") : this.#words(last);
  }

  /** Other series from now on, as in the constructor. */
  reshape(series) {
    this.series = series;
    this.#data = [[], ...series.map(() => [])];
    this.redraw();
  }

  /** Draw all of it anew, as when the colours have changed. */
  redraw() {
    this.#plot?.destroy();
    this.#plot = null;
    if (this.#data[0].length) this.#draw();
  }

  /** Show what the group has come to show. */
  rescale() {
    this.whole.hidden = !this.group.zoomed;
    const [min, max] = this.window();
    this.#plot?.setScale("x", { min, max });
  }

  /** Draw the marks anew. */
  remark() {
    this.#plot?.redraw(false);
  }

  /** Put the cursor, of all charts of the group, at this time. */
  point(at) {
    const left = this.#plot?.valToPos(at, "x");
    if (left >= 0 && left <= this.#plot.over.clientWidth) this.#plot.setCursor({ left, top: 1 }, true, true);
  }

  close() {
    this.sizes.disconnect();
    this.#plot?.destroy();
    this.group.leave(this);
    all.delete(this);
  }

  /** The value of a series at a row, as people read it. */
  write(place, row) {
    const value = row == null ? null : this.#data[place + 1]?.[row];
    return value == null ? "–" : UNITS[unitOf(this.series[place])](value);
  }

  /** The times between which it is drawn. */
  window() {
    const [times] = this.#data;
    return this.group.zoomed ?? [Math.min(times[0], times.at(-1) - this.span), times.at(-1)];
  }

  #words(row) {
    return this.series.map((each, place) => t("console.chart.latest", { name: each.label, value: this.write(place, row) })).join(", ");
  }

  // Nothing is stacked on what is not known, and a moment of which nothing is known is a gap.
  #shown() {
    if (!this.stacked) return this.#data;
    const [times, ...columns] = this.#data;
    const sums = times.map((_, row) => (columns.some((column) => column[row] != null) ? 0 : null));
    return [times, ...columns.map((column) => column.map((value, row) => (sums[row] == null ? null : (sums[row] += value ?? 0))))];
  }

  #resize() {
    const width = this.box.clientWidth;
    if (!this.#plot) this.redraw();
    else if (width) this.#plot.setSize({ width, height: this.height });
  }

  #draw() {
    const width = this.box.clientWidth;
    if (!width || !this.#data[0].length) return;
    const hooks = {
      draw: [(plot) => this.#drawOver(plot)],
      setSelect: [(plot) => this.#select(plot)],
      setCursor: [() => this.#follow()],
    };
    this.#plot = new uPlot({ ...optionsOf(this), width, height: this.height, hooks }, this.#shown(), this.figure);
    this.tip = new Tip(this.#plot);
    this.#rest();
  }

  #drawOver(plot) {
    drawMarks(plot, this.marks());
    plot.ctx.save();
    plot.ctx.textAlign = "left";
    for (const axis of plot.axes.filter((each) => each.above)) {
      plot.ctx.fillStyle = axis.stroke();
      plot.ctx.font = axis.font[0];
      plot.ctx.fillText(axis.above, 2, 11 * devicePixelRatio);
    }
    plot.ctx.restore();
  }

  #select(plot) {
    const { left, width } = plot.select;
    if (width < LEAST_DRAG) return;
    plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
    this.group.zoom([plot.posToVal(left, "x"), plot.posToVal(left + width, "x")]);
  }

  // Where no cursor is, the newest values stand below.
  #rest() {
    if (this.#plot && !(this.#plot.cursor.left >= 0)) this.#plot.setLegend({ idx: this.#data[0].length - 1 }, false);
  }

  #follow() {
    this.tip?.show(this.marks());
    this.#rest();
  }

  #leave() {
    this.#plot?.setCursor({ left: -10, top: -10 }, true, true);
  }

  #press(event) {
    const move = this.#plot && !event.altKey && !event.ctrlKey && !event.metaKey && this.#keys()[event.key];
    if (!move) return;
    event.preventDefault();
    const row = move(event.shiftKey ? FAR : 1);
    if (row == null) return;
    const [times] = this.#data;
    this.point(times[Math.max(0, Math.min(times.length - 1, row))]);
    this.#say();
  }

  #keys() {
    const [times] = this.#data;
    const row = this.#plot.cursor.left >= 0 ? this.#plot.cursor.idx : times.length;
    const [from, to] = this.window();
    return {
      ArrowLeft: (far) => Math.max(row - far, times.findIndex((at) => at >= from)),
      ArrowRight: (far) => Math.min(row + far, times.findLastIndex((at) => at <= to)),
      Home: () => times.findIndex((at) => at >= from),
      End: () => times.findLastIndex((at) => at <= to),
      ArrowUp: () => this.#markAt(times[row] ?? Infinity, -1),
      ArrowDown: () => this.#markAt(times[row] ?? Infinity, 1),
      Escape: () => this.group.zoom(null),
    };
  }

  // The row of the mark before or after this time.
  #markAt(at, way) {
    const [times] = this.#data;
    const rows = this.marks().map((mark) => times.findLastIndex((each) => each <= mark.at)).filter((row) => row >= 0);
    return way < 0 ? rows.findLast((row) => times[row] < at) : rows.find((row) => times[row] > at);
  }

  #say() {
    const row = this.#plot.cursor.idx;
    if (row == null) return;
    const marks = this.tip.show(this.marks()).map((mark) => mark.text);
    this.said.textContent = [time(this.#data[0][row]), this.#words(row), ...marks].join("; ");
  }
}

function redrawAll() {
  for (const chart of all) chart.redraw();
}

document.addEventListener("theme:changed", redrawAll);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redrawAll);
