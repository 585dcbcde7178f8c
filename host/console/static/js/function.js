// The head of a function's page, which is the same above all of its tabs.

import { writeCondition } from "./conditions.js";
import { copy } from "./copy.js";
import { begin as beginDeploys } from "./deploys.js";
import { Figures } from "./figures.js";
import { bytes, number, rate, seconds, short } from "./format.js";
import { removeFunction, scale } from "./actions.js";
import { live } from "./live.js";
import { t } from "./strings.js";
import { toast } from "./toast.js";

const { name } = document.getElementById("function").dataset;
const figures = new Figures();
const FIGURES = {
  events: () => rate(figures.rate("events")),
  failed: () => rate(figures.rate("failed")),
  run_p50: () => seconds(figures.mean("run_p50")),
  run_p99: () => seconds(figures.highest("run_p99")),
  memory: () => bytes(figures.last("memory") || null),
  cpu_seconds: () => `${short(figures.rate("cpu_seconds") * 100)} %`,
};

function write(id, text) {
  const box = document.getElementById(id);
  if (box && box.textContent !== text) box.textContent = text;
}

function figure(named, text) {
  const box = document.querySelector(`[data-figure="${named}"]`);
  if (box.textContent !== text) box.textContent = text;
}

function show(told) {
  if (!told) {
    toast(t("functions.remove.done", { name }), { href: "/console/functions", label: t("console.page.functions"), stays: true });
    return;
  }
  writeCondition(document.querySelector("#condition .state"), told.condition);
  const digest = told.revisions.find((each) => each.number === told.revision)?.sha256 ?? "";
  write("revision", told.revision ? `${name}@${told.revision}` : "–");
  write("digest", digest.slice(0, 12) || "–");
  const button = document.getElementById("copy-digest");
  if (button) button.dataset.digest = digest;
  write("aliases", Object.entries(told.aliases).map(([alias, at]) => `${alias} → ${at}`).join(", ") || "–");
  write("counters", t("function.counters", { ok: number(told.counters.ok, 0), failed: number(told.counters.failed, 0) }));
  write("last-error", told.last_error ?? "");
  document.getElementById("trouble").hidden = !told.last_error;
  document.getElementById("scale")?.toggleAttribute("hidden", told.revision == null);
  figure("queued", number(told.queued, 0));
  const how = told.fixed == null ? "function.instances.auto" : "function.instances.fixed";
  figure("instances", t(how, { n: told.instances, wanted: told.wanted }));
}

live.on(`function:${name}`, ({ function: told }) => show(told));
live.on(`metrics:${name}`, ({ rows }) => {
  figures.add(rows);
  for (const [named, text] of Object.entries(FIGURES)) figure(named, text());
});
document.getElementById("copy-digest")?.addEventListener("click", (event) => copy(event.target.dataset.digest));
document.getElementById("scale")?.addEventListener("click", () => scale(name));
document.getElementById("remove")?.addEventListener("click", async () => {
  if (await removeFunction(name)) location.assign("/console/functions");
});
beginDeploys();
