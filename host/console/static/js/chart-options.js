// How lines, areas, axes and scales of every chart look.
/* global uPlot */

import { colour, seriesColour } from "./colours.js";
import { bytes, dayTime, number, rate, seconds, short, time } from "./format.js";
import { t } from "./strings.js";

/** How values of a unit are written. */
export const UNITS = { rate, seconds, bytes, count: (value) => number(value, 0), value: short, percent: (value) => `${short(value)} %` };

const FONT = "12px system-ui, 'Noto Sans', sans-serif";
const DASHES = [[], [8, 4], [2, 3], [10, 3, 2, 3], [5, 5], [1, 4], [12, 4], [4, 2, 1, 2]];
// What an axis writes is short: its unit stands above it.
const TICKS = { ...UNITS, rate: short };
const ABOVE = { rate: "console.unit.events_per_second" };
const GAP = 8;
// Seconds: what is idle is looked at each ten.
const LEAST_GAP = 12;
const LEAST_AXIS = 30;

export function unitOf(each) {
  return each.unit ?? "value";
}

export function scaleOf(each) {
  return each.scale ?? unitOf(each);
}

/** The options of uPlot for `chart`, a Chart, but its size. */
export function optionsOf(chart) {
  const scales = [...new Map(chart.series.map((each) => [scaleOf(each), unitOf(each)]))];
  return {
    padding: [scales.some(([, unit]) => ABOVE[unit]) ? 20 : GAP, null, 0, 0],
    cursor: cursorOf(chart),
    legend: { live: true, markers: { width: 2, dash: (plot, place) => borderOf(plot.series[place].dash) } },
    scales: {
      x: { time: true, range: () => chart.window() },
      ...Object.fromEntries(scales.map(([scale]) => [scale, { range: (plot, low, high) => bounds(low, high) }])),
    },
    axes: [timeAxis(), ...scales.map(([scale, unit], place) => valueAxis(scale, unit, place, axisColour(chart, scale, scales)))],
    series: [
      { label: t("console.chart.time"), value: (plot, at) => time(at) },
      ...chart.series.map((each, place) => lineOf(chart, each, place)),
    ],
    bands: chart.stacked ? layers(chart.series) : chart.bands.map((each) => bandOf(chart.series, each)),
  };
}

function cursorOf(chart) {
  const end = () => () => {
    chart.group.zoom(null);
    return null;
  };
  return {
    y: false, points: { size: 6 }, bind: { dblclick: end },
    drag: { x: true, y: false, setScale: false, dist: 4 },
    sync: { key: chart.group.sync.key, setSeries: false },
  };
}

function axis() {
  const line = colour("--line");
  return { stroke: colour("--quiet"), font: FONT, grid: { stroke: line, width: 1 }, ticks: { stroke: line, width: 1, size: 5 } };
}

function timeAxis() {
  // A second line beneath a tick has its day.
  const size = (plot, values) => (values?.some((text) => text.includes("\n")) ? 42 : 28);
  return { ...axis(), space: 80, size, values: (plot, splits, place, space, step) => splits.map((at, which) => dayTime(at, splits[which - 1], step)) };
}

// Of two axes each has the colour of what it measures.
function axisColour({ series }, scale, scales) {
  const place = series.findIndex((each) => scaleOf(each) === scale);
  return scales.length > 1 ? series[place].colour ?? seriesColour(place) : "--quiet";
}

function valueAxis(scale, unit, place, named) {
  const drawn = { ...axis(), stroke: colour(named) };
  const above = ABOVE[unit];
  return {
    ...drawn, scale, side: place ? 1 : 3, gap: 4, grid: place ? { show: false } : drawn.grid,
    values: (plot, splits) => splits.map((value) => TICKS[unit](value)),
    size: (plot, values) => sizeOf(plot, values),
    incrs: unit === "count" ? WHOLE : unit === "bytes" ? BINARY : undefined,
    above: above && t(above),
  };
}

const WHOLE = Array.from({ length: 12 }, (_, power) => [1, 2, 5].map((digit) => digit * 10 ** power)).flat();
const BINARY = Array.from({ length: 48 }, (_, power) => 2 ** power);

// As wide as the longest number: a small screen has no room to give away.
function sizeOf(plot, values) {
  if (!values) return LEAST_AXIS;
  plot.ctx.save();
  plot.ctx.font = FONT;
  const widest = Math.max(...values.map((value) => plot.ctx.measureText(value ?? "").width));
  plot.ctx.restore();
  return Math.ceil(Math.max(LEAST_AXIS, widest + 5 + 4 + GAP));
}

// Colour alone tells no series from another: each has dashes of its own, too. What is stacked has no lines: that of
// a series that adds nothing would hide the one below it.
function lineOf(chart, each, place) {
  const named = each.colour ?? seriesColour(place);
  return {
    label: each.label, scale: scaleOf(each), stroke: colour(named), width: each.kind === "edge" || chart.stacked ? 0 : 1.5,
    dash: each.dash ?? (chart.stacked ? [] : DASHES[place % DASHES.length]), gaps: longGaps,
    fill: each.kind === "area" || chart.stacked ? colour(named, chart.stacked ? 0.65 : 0.2) : undefined,
    paths: each.kind === "steps" ? uPlot.paths.stepped({ align: 1 }) : each.kind === "points" ? () => null : undefined,
    points: { show: ["points", "dots"].includes(each.kind) || hasFew, size: 4 },
    value: (plot, value, series, at) => chart.write(series - 1, at),
  };
}

// A busy host passes a second by now and then, which is no gap; what it did not do for longer is one.
function longGaps(plot, series, from, to, gaps) {
  const [times] = plot.data;
  const least = Math.max(LEAST_GAP, 2 * (times[1] - times[0]));
  return gaps.filter(([left, right]) => plot.posToVal(right, "x", true) - plot.posToVal(left, "x", true) > least);
}

// One value alone makes no line.
function hasFew(plot, series) {
  let known = 0;
  for (const value of plot.data[series]) if (value != null && (known += 1) > 2) return false;
  return true;
}

// The border of its marker in the legend looks like the line, as far as borders can.
function borderOf(dash) {
  if (!dash?.length) return "solid";
  return Math.max(...dash) > 4 ? "dashed" : "dotted";
}

// Of stacked series each is filled down to the one below it.
function layers(series) {
  return series.slice(1).map((_, place) => ({ series: [place + 2, place + 1] }));
}

function bandOf(series, { from, to, colour: named }) {
  return { series: [to + 1, from + 1], fill: colour(named ?? series[to].colour ?? seriesColour(to), 0.18) };
}

function bounds(low, high) {
  if (low == null || high == null) return [0, 1];
  const from = Math.min(0, low);
  return [from, high > from ? high + (high - from) * 0.08 : from + 1];
}
