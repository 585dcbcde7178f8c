// The table of all functions: live figures, sorting, filters, actions.

import { make } from "/static/dom.js";
import { may } from "./about.js";
import { askJson } from "./api.js";
import { sparkline } from "./sparkline.js";
import { isTrouble, writeCondition } from "./conditions.js";
import { begin as beginDeploys } from "./deploys.js";
import { followFigures } from "./figures.js";
import { bytes, number, seconds, short } from "./format.js";
import { openActions } from "./actions.js";
import { live } from "./live.js";
import { t } from "./strings.js";

const SORT_EVERY = 3000;
const SPARK_EVERY = 10000;
const FIGURES = {
  events: [(figures) => figures.rate("events"), short],
  failed: [(figures) => figures.rate("failed"), short],
  run_p50: [(figures) => figures.mean("run_p50"), seconds],
  run_p99: [(figures) => figures.highest("run_p99"), seconds],
  memory: [(figures) => figures.last("memory") || null, bytes],
};

const body = document.getElementById("rows");
const filter = document.getElementById("filter");
const rows = new Map();
const asked = new URLSearchParams(location.search);
let sorted = asked.get("sort") ?? "name";
const seen = new IntersectionObserver((entries) => {
  for (const entry of entries) {
    const row = rows.get(entry.target.dataset.name);
    if (!row) continue;
    row.isSeen = entry.isIntersecting;
    if (row.isSeen) drawSpark(row);
  }
});

class Row {
  constructor(element, told) {
    this.element = element;
    this.cells = Object.fromEntries([...element.querySelectorAll("[data-is]")].map((cell) => [cell.dataset.is, cell]));
    this.told = told;
    this.values = { name: told.name };
    this.isSeen = false;
    this.note(told);
  }

  /** What the host says of it. */
  note(told) {
    this.told = told;
    Object.assign(this.values, { condition: told.condition, revision: told.revision, instances: told.instances, queued: told.queued });
    writeCondition(this.cells.condition.firstElementChild, told.condition);
    write(this.cells.revision, told.revision ?? "–");
    write(this.cells.instances, `${told.instances}/${told.wanted}`);
    write(this.cells.queued, number(told.queued, 0));
    write(this.cells.last_error, told.last_error ?? "");
    this.cells.last_error.title = told.last_error ?? "";
  }

  /** Its figures of the last seconds. */
  show(figures) {
    for (const [name, [value, form]] of Object.entries(FIGURES)) {
      this.values[name] = value(figures);
      write(this.cells[name], this.values[name] === 0 ? "0" : form(this.values[name]));
    }
    this.cells.failed.classList.toggle("bad", this.values.failed > 0);
  }
}

function write(cell, text) {
  if (cell.textContent !== String(text)) cell.textContent = text;
}

function add(told) {
  const element = body.querySelector(`tr[data-name="${CSS.escape(told.name)}"]`) ?? newRow(told);
  const row = new Row(element, told);
  rows.set(told.name, row);
  seen.observe(element);
  return row;
}

function newRow(told) {
  const element = document.getElementById("row").content.cloneNode(true).querySelector("tr");
  element.dataset.name = told.name;
  const link = make("a", { href: `/console/functions/${encodeURIComponent(told.name)}` }, told.name);
  element.querySelector("th").replaceChildren(told.condition === "missing" ? told.name : link);
  const button = element.querySelector("[data-act]");
  if (button && !(told.condition !== "missing" && may("deploy", told.name))) button.remove();
  else button?.setAttribute("aria-label", t("functions.actions", { name: told.name }));
  if (button) button.dataset.act = told.name;
  body.append(element);
  return element;
}

function note(told) {
  const known = rows.get(told.name);
  const wasMissing = known?.told.condition === "missing";
  if (known && wasMissing === (told.condition === "missing")) return known.note(told);
  if (known) remove(told.name);
  add(told).show(figures.of(told.name));
  arrange();
}

function remove(name) {
  rows.get(name)?.element.remove();
  rows.delete(name);
}

function hear({ names, changed, removed }) {
  const there = names && new Set(names);
  for (const name of [...rows.keys()]) if (there && !there.has(name)) remove(name);
  removed.forEach(remove);
  changed.forEach(note);
  count();
}

// What is filtered out is hidden, not gone: it stays up to date.
function count() {
  const { text, state } = filter.elements;
  const wanted = text.value.trim().toLowerCase();
  let shown = 0;
  for (const [name, { element, told }] of rows) {
    const fits = state.value === "all" || state.value === told.condition || (state.value === "trouble" && isTrouble(told.condition));
    element.hidden = !(fits && name.toLowerCase().includes(wanted));
    shown += element.hidden ? 0 : 1;
  }
  document.getElementById("count").textContent = shown === rows.size ? `${rows.size}` : `${shown}/${rows.size}`;
  document.getElementById("none").hidden = shown > 0 || !rows.size;
  document.getElementById("all").hidden = !rows.size;
  document.getElementById("empty").hidden = rows.size > 0;
}

function arrange() {
  const column = sorted.replace(/^-/, "");
  const sign = sorted.startsWith("-") ? -1 : 1;
  const order = [...rows.values()].sort((one, other) => sign * compare(one.values[column], other.values[column]) || compare(one.values.name, other.values.name));
  order.forEach(({ element }, place) => {
    if (body.children[place] !== element) body.insertBefore(element, body.children[place] ?? null);
  });
  for (const head of document.querySelectorAll("th[data-column]")) {
    if (head.dataset.column === column) head.setAttribute("aria-sort", sign < 0 ? "descending" : "ascending");
    else head.removeAttribute("aria-sort");
  }
}

function compare(one, other) {
  if (typeof one === "string") return one.localeCompare(other);
  return (one ?? -1) - (other ?? -1);
}

function remember() {
  const { text, state } = filter.elements;
  const query = new URLSearchParams();
  if (text.value) query.set("text", text.value);
  if (state.value !== "all") query.set("state", state.value);
  if (sorted !== "name") query.set("sort", sorted);
  history.replaceState(null, "", query.size ? `?${query}` : location.pathname);
}

function drawSpark(row) {
  const { name } = row.told;
  row.cells.spark.replaceChildren(sparkline(figures.of(name).sparks(figures.now()), t("functions.columns.spark")));
}

async function fillSparks() {
  const told = await askJson("/api/metrics?scope=function&columns=events&since=15m&step=10s");
  for (const each of told.series) figures.of(each.function).fill(each.times, each.values.events, told.now);
  drawSparks();
}

function drawSparks() {
  for (const row of rows.values()) if (row.isSeen) drawSpark(row);
}

for (const each of ["text", "state"]) if (asked.has(each)) filter.elements[each].value = asked.get(each);
const figures = followFigures(() => {
  for (const [name, row] of rows) row.show(figures.of(name));
});
for (const told of JSON.parse(document.getElementById("functions").textContent)) add(told);
arrange();
count();
live.on("functions", hear);
fillSparks();
setInterval(drawSparks, SPARK_EVERY);
// Rows that move under a pointer, or from under the focus, are clicked by mistake.
setInterval(() => body.matches(":hover, :focus-within") || arrange(), SORT_EVERY);
filter.addEventListener("submit", (event) => event.preventDefault());
filter.addEventListener("input", () => {
  count();
  remember();
});
for (const head of document.querySelectorAll("th[data-column]")) {
  head.firstElementChild.addEventListener("click", () => {
    const { column } = head.dataset;
    const first = ["name", "condition"].includes(column) ? column : `-${column}`;
    sorted = sorted === first ? (first.startsWith("-") ? column : `-${column}`) : first;
    arrange();
    remember();
  });
}
body.addEventListener("click", (event) => {
  const name = event.target.closest("[data-act]")?.dataset.act;
  if (name) openActions(rows.get(name).told);
});
beginDeploys();
