// Every chart of the console: its options, its colours in light and dark, its size, its words.
/* global uPlot */

import { make } from "/static/dom.js";
import { bytes, number, rate, seconds, short, time } from "./format.js";
import { t } from "./strings.js";

/** How values of a unit are written. */
export const UNITS = { rate, seconds, bytes, count: (value) => number(value, 0), value: short, percent: (value) => `${short(value)} %` };

const FONT = "12px system-ui, 'Noto Sans', sans-serif";
const PALETTE = ["--series-1", "--series-2", "--series-3", "--series-4", "--series-5", "--series-6", "--series-7", "--series-8"];
const DASHES = [[], [8, 4], [2, 3], [10, 3, 2, 3], [5, 5], [1, 4], [12, 4], [4, 2, 1, 2]];
const all = new Set();

// A canvas knows no variables and no light-dark(): an element that has the colour tells what it comes to.
function colour(name, opacity = 1) {
  const probe = make("i", { hidden: true });
  probe.style.color = `var(${name})`;
  document.body.append(probe);
  const found = getComputedStyle(probe).color;
  probe.remove();
  return opacity === 1 ? found : found.replace(/^rgb\((.*)\)$/, `rgba($1, ${opacity})`);
}

/**
 * One chart in `box`. `series` are `{label, unit, kind: "line" | "steps" | "area" | "points", scale, colour, dash}`;
 * `marks` gives `[{at, text}]` to be marked on the time axis; `label` says in words what is drawn;
 * `span` is how many seconds are shown at least. Times are seconds since the epoch; a value null is a gap.
 */
export class Chart {
  #plot = null;
  #data;

  constructor(box, { series, label, height = 200, marks = () => [], stacked = false, span = 0, onpick = null }) {
    Object.assign(this, { box, series, label, height, marks, stacked, span, onpick });
    this.#data = [[], ...series.map(() => [])];
    this.words = make("p", { class: "unseen" });
    this.figure = make("div", { class: "chart", role: "img", "aria-label": label });
    box.replaceChildren(this.figure, this.words);
    this.sizes = new ResizeObserver(() => this.#resize());
    this.sizes.observe(box);
    all.add(this);
  }

  /** Show these columns: times, then one for each series. */
  show(data) {
    this.#data = data;
    if (!this.#plot) this.#draw();
    else this.#plot.setData(this.#shown());
    const last = data[0].length - 1;
    this.words.textContent = last < 0 ? t("console.chart.empty") : this.series.map((each, place) =>
      t("console.chart.latest", { name: each.label, value: this.#write(each, data[place + 1][last]) })).join(", ");
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

  close() {
    this.sizes.disconnect();
    this.#plot?.destroy();
    all.delete(this);
  }

  #write(each, value) {
    return value == null ? "–" : UNITS[each.unit ?? "value"](value);
  }

  #shown() {
    if (!this.stacked) return this.#data;
    const sums = this.#data[0].map(() => 0);
    return [this.#data[0], ...this.#data.slice(1).map((column) => column.map((value, at) => (sums[at] += value ?? 0)))];
  }

  #resize() {
    const width = this.box.clientWidth;
    if (this.#plot && width) this.#plot.setSize({ width, height: this.height });
  }

  #draw() {
    const width = this.box.clientWidth;
    if (!width) return;
    this.#plot = new uPlot(this.#options(width), this.#shown(), this.figure);
  }

  #options(width) {
    const text = colour("--quiet");
    const line = colour("--line");
    const axis = { stroke: text, font: FONT, grid: { stroke: line, width: 1 }, ticks: { stroke: line, width: 1 } };
    const scales = [...new Set(this.series.map((each) => each.scale ?? each.unit ?? "value"))];
    const units = new Map(this.series.map((each) => [each.scale ?? each.unit ?? "value", each.unit ?? "value"]));
    return {
      width, height: this.height, padding: [8, 8, 0, 0],
      cursor: { y: false, points: { size: 6 } },
      legend: { live: true },
      scales: {
        x: { time: true, range: (plot, from, to) => [Math.min(from ?? to, to - this.span), to] },
        ...Object.fromEntries(scales.map((scale) => [scale, { range: (plot, low, high) => bounds(low, high) }])),
      },
      axes: [
        { ...axis, values: (plot, splits) => splits.map((at) => time(at)), space: 90 },
        ...scales.map((scale, place) => ({
          ...axis, scale, side: place ? 1 : 3, size: 78, grid: place ? { show: false } : axis.grid,
          values: (plot, splits) => splits.map((value) => UNITS[units.get(scale)](value)),
        })),
      ],
      series: [{ label: "", value: (plot, at) => time(at) }, ...this.series.map((each, place) => this.#line(each, place))],
      hooks: { draw: [(plot) => this.#mark(plot)] },
    };
  }

  // Colour alone tells no series from another: each has dashes of its own, too.
  #line(each, place) {
    const named = each.colour ?? PALETTE[place % PALETTE.length];
    const stroke = colour(named);
    const filled = each.kind === "area" || this.stacked;
    return {
      label: each.label, scale: each.scale ?? each.unit ?? "value", stroke, width: 1.5,
      dash: each.dash ?? DASHES[place % DASHES.length], spanGaps: false,
      fill: filled ? colour(named, 0.2) : undefined,
      paths: each.kind === "steps" ? uPlot.paths.stepped({ align: 1 }) : each.kind === "points" ? () => null : undefined,
      points: { show: each.kind === "points", size: 4 },
      value: (plot, value, series, at) => this.#write(each, this.#data[series]?.[at] ?? value),
    };
  }

  #mark(plot) {
    const { ctx, bbox } = plot;
    ctx.save();
    ctx.strokeStyle = colour("--warn");
    ctx.fillStyle = colour("--warn");
    for (const mark of this.marks()) {
      const x = plot.valToPos(mark.at, "x", true);
      if (x < bbox.left || x > bbox.left + bbox.width) continue;
      ctx.beginPath();
      ctx.setLineDash([3, 3]);
      ctx.moveTo(x, bbox.top);
      ctx.lineTo(x, bbox.top + bbox.height);
      ctx.stroke();
      ctx.beginPath();
      ctx.moveTo(x - 4, bbox.top);
      ctx.lineTo(x + 4, bbox.top);
      ctx.lineTo(x, bbox.top + 7);
      ctx.fill();
    }
    ctx.restore();
  }
}

/** Columns of times that grow to the right and are cut at the left: what a live chart shows. */
export class Columns {
  constructor(count, seconds) {
    this.seconds = seconds;
    this.data = Array.from({ length: count + 1 }, () => []);
  }

  /** Begin with these. */
  fill(data) {
    this.data = data.map((column) => [...column]);
  }

  /** One moment more; a moment that is there is replaced. */
  add(at, values) {
    const times = this.data[0];
    if (times.at(-1) === at) this.data.forEach((column) => column.pop());
    [at, ...values].forEach((value, place) => this.data[place].push(value));
    const first = times.findIndex((each) => each >= at - this.seconds);
    if (first > 0) this.data.forEach((column) => column.splice(0, first));
  }
}

/** A small line without axes in an SVG of its own: `values` from left to right, null for a gap. */
export function sparkline(values, label) {
  const width = 120;
  const height = 24;
  const most = Math.max(...values.map((value) => value ?? 0), 1e-9);
  const step = width / Math.max(1, values.length - 1);
  let path = "";
  values.forEach((value, place) => {
    const begins = place === 0 || values[place - 1] == null;
    if (value != null) path += `${begins ? "M" : "L"}${(place * step).toFixed(1)} ${(height - 2 - (value / most) * (height - 4)).toFixed(1)}`;
  });
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  for (const [name, value] of Object.entries({ viewBox: `0 0 ${width} ${height}`, class: "sparkline", role: "img", "aria-label": label, preserveAspectRatio: "none" })) svg.setAttribute(name, value);
  const line = document.createElementNS("http://www.w3.org/2000/svg", "path");
  line.setAttribute("d", path || "M0 22L120 22");
  svg.append(line);
  return svg;
}

function bounds(low, high) {
  if (low == null || high == null) return [0, 1];
  const from = Math.min(0, low);
  return [from, high > from ? high + (high - from) * 0.08 : from + 1];
}

function redrawAll() {
  for (const chart of all) chart.redraw();
}

document.addEventListener("theme:changed", redrawAll);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redrawAll);
