// One device: its figures, its plot with fields chosen in the JSON, what it said last, and when it was there.

import { make } from "/static/dom.js";
import { t } from "./strings.js";
import { number, rate, seconds, writeTimes } from "./format.js";
import { live } from "./live.js";
import { DevicePlot } from "./device-plot.js";
import { drawLine, drawValue } from "./device-values.js";
import { drawStrip } from "./device-strip.js";

const STATES = { online: "good", offline: "warn", never: "" };
const name = document.getElementById("device").dataset.name;
const shown = Boolean(document.getElementById("figures"));
const plot = shown ? new DevicePlot(document.getElementById("plot"), document.getElementById("fields")) : null;

function writeFigures(device) {
  const state = document.getElementById("state");
  state.className = `state ${STATES[device.state]}`;
  state.textContent = t(`devices.state.${device.state}`);
  const told = { rate: device.rate ? rate(device.rate) : "–", interval: seconds(device.interval), count: number(device.count, 0) };
  for (const [figure, text] of Object.entries(told)) document.querySelector(`[data-figure="${figure}"]`).textContent = text;
  document.querySelector('[data-figure="seen"]').dataset.at = device.seen;
}

const parts = (box, names) => [...box.querySelectorAll(names)];

// What somebody has folded stays so while values change, and the keyboard stays where it stands.
function put(box, key, element) {
  if (box.dataset.key === key) return;
  const open = parts(box, "details").map((each) => each.open);
  const place = parts(box, "summary, button, a").indexOf(document.activeElement);
  box.dataset.key = key;
  box.replaceChildren(element);
  const folds = parts(box, "details");
  if (folds.length === open.length) folds.forEach((each, at) => { each.open = open[at]; });
  if (place >= 0) parts(box, "summary, button, a")[place]?.focus();
}

function hear(told) {
  const { device } = told;
  if (!device) return;
  if (!shown) {
    if (device.state !== "never") location.reload();
    return;
  }
  writeFigures(device);
  if (told.series) plot.add(told.series);
  const newest = device.lines.find((line) => line.function === device.newest) ?? device.lines[0];
  const pick = (of) => (path, value) => plot.toggle(of, path, value);
  put(document.getElementById("value"), JSON.stringify(newest?.input), drawValue(newest?.input, pick("")));
  const outputs = document.getElementById("outputs");
  put(outputs, JSON.stringify(device.lines), make("div", { class: "stack" }, device.lines.map((line) => drawLine(line, pick(line.function)))));
  drawStrip(device, told.now);
  writeTimes();
}

const plain = (text) => text.replace(/[%\u0000-\u001f\u007f]/g, (sign) => `%${sign.charCodeAt(0).toString(16).padStart(2, "0")}`);
live.on(`device:${plain(name)}`, hear);
