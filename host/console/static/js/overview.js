// The overview: follows the host, and asks anew for what is wrong when that has changed.
/* global htmx */

import { live } from "./live.js";
import { followMetrics } from "./metrics.js";
import { COLUMNS, OverviewCharts } from "./overview-charts.js";
import { Decisions } from "./overview-decisions.js";
import { writeFigures } from "./overview-figures.js";
import { MemoryChart } from "./overview-memory.js";

const LEAST_PAUSE = 3000;
// Of the span, which is shown whatever the host has to tell.
const LEAST_PART = 7.5;

const decisions = new Decisions(document.getElementById("decisions"));
const charts = new OverviewCharts(() => decisions.marks());
const memory = new MemoryChart(charts.group);
const spans = [...document.querySelectorAll(".spans a")];
let endHistory = () => {};

// A host that has just been started has not much to show: its first minutes are not a thin line at the edge.
function trimmed(columns, seconds) {
  const [times] = columns;
  const began = columns[COLUMNS.indexOf("outbox") + 1].findIndex((value) => value != null);
  const first = times.findIndex((at) => at >= times.at(-1) - seconds / LEAST_PART);
  const from = Math.min(began < 0 ? times.length : began, first);
  return from > 0 ? columns.map((column) => column.slice(from)) : columns;
}

function show(all) {
  const columns = trimmed(all, shownSeconds());
  charts.show(columns);
  const column = (name) => columns[COLUMNS.indexOf(name) + 1];
  memory.show(columns[0], column("memory"), column("host_memory"));
}

function follow(seconds) {
  endHistory();
  charts.group.zoom(null);
  endHistory = followMetrics("", COLUMNS, seconds, show);
  memory.read(seconds);
}

function shownSeconds() {
  return Number(spans.find((each) => each.hasAttribute("aria-current")).dataset.seconds);
}

for (const link of spans) {
  link.addEventListener("click", (event) => {
    event.preventDefault();
    for (const each of spans) each.toggleAttribute("aria-current", false);
    link.setAttribute("aria-current", "true");
    history.replaceState(null, "", link.href);
    follow(shownSeconds());
  });
}

// A fragment that changes all the time is asked for now and then.
function renewer(name) {
  const box = document.getElementById(name);
  let asked = 0;
  let timer = 0;
  return (mark) => {
    if (box.querySelector("[data-mark]")?.dataset.mark === mark) return;
    clearTimeout(timer);
    timer = setTimeout(() => {
      asked = Date.now();
      htmx.ajax("GET", `/console/overview?part=${name}`, { target: box });
    }, Math.max(0, asked + LEAST_PAUSE - Date.now()));
  };
}

const renewProblems = renewer("problems");
const renewBrokers = renewer("brokers");

live.on("overview", (now) => {
  renewProblems(now.problems);
  renewBrokers(now.brokers);
  memory.note(now.largest, shownSeconds());
  writeFigures({ memory_used: now.memory.used, memory_budget: now.memory.budget });
});
live.on("metrics", ({ rows }) => rows.length && writeFigures(rows.at(-1)));
decisions.follow(charts.load);
writeFigures();
follow(shownSeconds());
