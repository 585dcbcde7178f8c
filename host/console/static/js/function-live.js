// The tab Live: input fields against output fields on one plot, as events come; fields are chosen in the JSON.

import { make, replace } from "/static/dom.js";
import { Chart } from "./charts.js";
import { writeCsv } from "./csv.js";
import { SIDES, firstField, numberAt, pathOf, pointer, readable } from "./fields.js";
import { bytes, time } from "./format.js";
import { drawJson, updateJson } from "./json.js";
import { live } from "./live.js";
import { Samples } from "./samples.js";
import { t } from "./strings.js";
import { toast } from "./toast.js";

const MOST_FIELDS = 8;
const MOST_DEVICES = 200;
const LONGEST = 15 * 60;
const APART = 8;
const $ = (id) => document.getElementById(id);

const name = $("tap").dataset.name;
const samples = new Samples(LONGEST);
const devices = new Set();
const asked = new URLSearchParams(location.search);
let fields = SIDES.flatMap((side) => asked.getAll(side === "input" ? "in" : "out").map((text) => ({ side, path: pathOf(text) }))).slice(0, MOST_FIELDS);
let proposed = fields.length > 0;
let paused = false;
let seen = 0;
let failed = 0;
let drawn = "";

const chart = new Chart($("plot"), { series: [], label: t("function-live.chart"), height: 320, span: 60, marks: () => failures() });

$("window").value = ["1", "5", "15"].includes(asked.get("window")) ? asked.get("window") : "1";
$("window").addEventListener("change", () => remember());
$("device").addEventListener("change", () => remember());
$("pause").addEventListener("click", pause);
$("csv").addEventListener("click", () => writeCsv(`${name}.csv`, csvRows()));
if (asked.get("device")) addDevice(asked.get("device"), true);

live.on(`tap:${name}`, hear);
setInterval(draw, 500);

function hear(told) {
  if (!told) return;
  seen += told.seen;
  failed += told.failed;
  for (const each of told.samples) take(each);
}

function take({ input, output, ...rest }) {
  const sample = { ...rest, size: (input.text?.length ?? 0) + (output.text?.length ?? 0) + 300, raw: { input, output } };
  for (const [side, body] of [["input", input], ["output", output]]) sample[side] = parse(body.text);
  samples.add(sample);
  if (sample.device != null) addDevice(String(sample.device));
  if (!proposed && sample.result === "ok") propose(sample);
}

function parse(text) {
  if (text == null || text === "") return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function propose(sample) {
  const found = SIDES.map((side) => ({ side, path: sample[side] === undefined ? null : firstField(sample[side]) })).filter((each) => each.path);
  proposed = found.length > 0;
  if (proposed) choose(found);
}

function addDevice(device, chosen = false) {
  if (!devices.has(device) && devices.size < MOST_DEVICES) {
    devices.add(device);
    $("device").append(make("option", { value: device }, device));
    $("device-choice").hidden = false;
  }
  if (chosen) $("device").value = device;
}

function pick(side, path) {
  const newest = shown().at(-1);
  if (!newest || numberAt(newest, { side, path }) === null) {
    toast(t("function-live.not_a_number"));
    return;
  }
  const place = fields.findIndex((each) => each.side === side && pointer(each.path) === pointer(path));
  if (place >= 0) choose(fields.filter((each, at) => at !== place));
  else if (fields.length >= MOST_FIELDS) toast(t("function-live.too_many", { n: MOST_FIELDS }));
  else choose([...fields, { side, path: path.map(String) }]);
}

function choose(chosen) {
  fields = chosen;
  proposed = true;
  drawn = "";
  remember();
}

// The choice is in the address, so that a link shows the same.
function remember() {
  const query = new URLSearchParams({ tab: "live", window: $("window").value });
  for (const { side, path } of fields) query.append(side === "input" ? "in" : "out", pointer(path));
  if ($("device").value) query.set("device", $("device").value);
  history.replaceState(null, "", `?${query}`);
  draw();
}

function pause() {
  paused = !paused;
  $("pause").textContent = t(paused ? "function-live.resume" : "function-live.pause");
  $("pause").setAttribute("aria-pressed", String(paused));
  draw();
}

function shown() {
  const device = $("device").value;
  const since = (samples.all.at(-1)?.at ?? 0) - Number($("window").value) * 60;
  return samples.all.filter((each) => each.at >= since && (!device || String(each.device) === device));
}

let marks = [];
function failures() {
  return marks;
}

function draw() {
  $("waiting").hidden = samples.all.length > 0;
  $("tapped").hidden = samples.all.length === 0;
  if (!samples.all.length || (paused && drawn)) return;
  const rows = shown();
  marks = rows.filter((each) => each.result !== "ok").map((each) => ({ at: each.at, text: each.error?.message ?? each.result }));
  $("tap-state").textContent = t("function-live.sampled", { shown: samples.all.length, seen: Math.max(seen, samples.all.length), failed });
  plot(rows.filter((each) => each.result === "ok"));
  const newest = rows.at(-1);
  if (newest) drawBoth(rows.findLast((each) => each.result === "ok") ?? newest, rows.findLast((each) => each.error));
}

function plot(rows) {
  const columns = fields.map((field) => rows.map((each) => numberAt(each, field)));
  const scales = scalesOf(columns);
  const shape = JSON.stringify([fields, scales]);
  chart.span = Number($("window").value) * 60;
  if (shape !== drawn) {
    drawn = shape;
    chart.reshape(fields.map((field, place) => ({ label: labelOf(field), kind: "dots", scale: scales[place] })));
    drawChips();
  }
  $("no-fields").hidden = fields.length > 0;
  $("plot").hidden = fields.length === 0;
  if (fields.length) chart.show([rows.map((each) => each.at), ...columns]);
}

// One scale, unless what goes in and what comes out are so far apart that one of them would be a flat line.
function scalesOf(columns) {
  const span = (side) => Math.max(0, ...columns.flatMap((column, place) => (fields[place].side === side ? column.map((value) => Math.abs(value ?? 0)) : [])));
  const [input, output] = SIDES.map(span);
  const apart = Math.max(input, output) > APART * Math.min(input, output) && SIDES.every((side) => fields.some((each) => each.side === side));
  return fields.map(({ side }) => (apart ? side : "value"));
}

function labelOf({ side, path }) {
  return t(`function-live.side.${side}`, { path: path.length ? readable(path) : t("function-live.value") });
}

function drawChips() {
  replace($("chips"), fields.map((field, place) => {
    const label = labelOf(field);
    const chip = make("button", { type: "button", class: `chip ${field.side}`, "aria-label": t("function-live.remove", { name: label }), onclick: () => choose(fields.filter((each, at) => at !== place)) }, label, make("span", { "aria-hidden": "true" }, " ✕"));
    chip.style.borderLeftColor = `var(--series-${(place % 8) + 1})`;
    return chip;
  }));
}

// A failure does not take the trees away: somebody may be about to choose a field in them.
function drawBoth(sample, failure) {
  $("tap-failed").hidden = !failure;
  if (failure) $("tap-failed").textContent = t("function-live.not_answered", { at: time(failure.at), error: `${failure.error.type}: ${failure.error.message}` });
  for (const side of SIDES) drawSide(side, sample);
}

function drawSide(side, sample) {
  const box = $(side);
  document.querySelector(`[data-of="${side}"]`).textContent = [time(sample.at), sample.device].filter((each) => each != null).join(" · ");
  if (sample[side] === undefined) {
    replace(box, drawOther(sample.raw[side]));
  } else if (!box.firstElementChild || !updateJson(box.firstElementChild, sample[side])) {
    replace(box, drawJson(sample[side], { pick: (path) => pick(side, path) }));
  }
}

function drawOther({ text, size, lost }) {
  if (lost) return make("p", { class: "quiet", lang: "en" }, lost);
  if (text == null) return make("p", { class: "quiet" }, t("function-live.not_whole", { size: bytes(size) }));
  return make("div", {}, make("p", { class: "quiet" }, t("function-live.not_json")), make("pre", { tabindex: "0" }, text));
}

function csvRows() {
  const head = ["time", "epoch", "id", "device", "result", ...fields.map(labelOf)];
  return [head, ...shown().map((each) => [new Date(each.at * 1000).toISOString(), each.at.toFixed(4), each.id, each.device ?? "", each.result, ...fields.map((field) => numberAt(each, field) ?? "")])];
}
