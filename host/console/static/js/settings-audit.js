// The audit log: who changed what, and whether the log itself is whole.

import { make } from "/static/dom.js";
import { askJson } from "./api.js";
import { number, writeTimes } from "./format.js";
import { live } from "./live.js";
import { t } from "./strings.js";

const SHOWN = 300;
const COLUMNS = ["time", "actor", "action", "target", "outcome", "peer"];
const box = document.getElementById("records");
const chain = document.getElementById("chain");

async function list() {
  const { records } = await askJson(`/api/audit?tail=${SHOWN}`);
  if (!records.length) return box.replaceChildren(make("div", { class: "empty" }, t("settings-audit.none")));
  box.replaceChildren(make("table", { class: "list" },
    make("thead", {}, make("tr", {}, COLUMNS.map((each) => make("th", { scope: "col" }, t(`settings-audit.column.${each}`))))),
    make("tbody", {}, records.toReversed().map(row))));
  return writeTimes(box);
}

function row(each) {
  const isDone = each.outcome === "ok";
  return make("tr", {}, make("td", {}, make("time", { "data-at": each.ts })), make("td", {}, make("code", {}, each.actor)), make("td", {}, make("code", {}, each.action)),
    make("td", { class: "text", title: each.target }, each.target ?? ""),
    make("td", {}, make("span", { class: `state ${isDone ? "good" : "bad"}` }, isDone ? t("settings-audit.ok") : each.outcome)), make("td", {}, each.peer ?? ""));
}

async function look() {
  const told = await askJson("/api/audit/chain");
  chain.className = `state ${told.faults.length ? "bad" : "good"}`;
  chain.textContent = told.faults.length ? t("settings-audit.damaged", { fault: told.faults[0] }) : t("settings-audit.whole", { n: number(told.records, 0) });
}

function read() {
  return Promise.all([list(), look()]);
}

document.getElementById("reload").addEventListener("click", read);
document.addEventListener("live:restarted", read);
live.on("config", read);
