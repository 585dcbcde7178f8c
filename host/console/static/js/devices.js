// The list of devices: rows that change are written anew, and where devices come or go the list is asked for again.
/* global htmx */

import { number, rate, writeTimes } from "./format.js";
import { live } from "./live.js";
import { t } from "./strings.js";

const STATES = { online: "good", offline: "warn", never: "" };
const PATIENCE = 3000;

const filters = document.getElementById("filters");
const rows = document.getElementById("rows");
let known = null;
let waiting = 0;

function writeRates(root) {
  for (const cell of root.querySelectorAll("[data-rate]")) {
    const value = Number(cell.dataset.rate);
    cell.textContent = value ? rate(value) : "–";
  }
}

function cell(row, name) {
  return row.querySelector(`[data-cell="${name}"]`);
}

function write(row, device) {
  cell(row, "state").className = `state ${STATES[device.state]}`;
  cell(row, "state").textContent = t(`devices.state.${device.state}`);
  cell(row, "rate").dataset.rate = device.rate;
  cell(row, "count").textContent = number(device.count, 0);
  cell(row, "value").firstElementChild.textContent = device.value || "–";
  const result = cell(row, "result");
  if (result && device.result) {
    result.className = `state ${device.result === "ok" ? "good" : "bad"}`;
    result.textContent = t(`devices.result.${device.result}`);
  }
  const seen = cell(row, "seen");
  if (seen) seen.dataset.at = device.seen;
  writeRates(row);
  writeTimes(row);
}

function ask() {
  waiting ||= setTimeout(() => {
    waiting = 0;
    htmx.trigger(filters, "refresh");
  }, PATIENCE);
}

live.on("devices", (told) => {
  const shown = new Map([...rows.querySelectorAll("tr[data-device]")].map((row) => [row.dataset.device, row]));
  for (const device of told.changed) {
    const row = shown.get(device.name);
    if (row) write(row, device);
  }
  for (const place of document.querySelectorAll("#counts [data-state]")) place.textContent = number(told.counts[place.dataset.state], 0);
  const total = told.counts.online + told.counts.offline;
  if (known !== null && total !== known) ask();
  if (told.changed.some((device) => shown.get(device.name) && !cell(shown.get(device.name), "seen"))) ask();
  known = total;
});
// Another filter begins with its first page; the same one asked for again stays on the page that is open.
filters.addEventListener("htmx:configRequest", (event) => {
  if (event.detail.triggeringEvent?.type !== "refresh") event.detail.parameters.offset = "0";
});
filters.addEventListener("submit", (event) => event.preventDefault());
rows.addEventListener("htmx:afterSwap", () => {
  writeRates(rows);
  history.replaceState(null, "", `?${new URLSearchParams(new FormData(filters))}`);
});
writeRates(rows);
