// The list of dead letters: replay and drop one or all of a choice, and what came of it.
/* global htmx */

import { askJson } from "./api.js";
import { confirmed } from "./confirm.js";
import { bytes, number } from "./format.js";
import { live } from "./live.js";
import { t } from "./strings.js";
import { toast } from "./toast.js";

const PATIENCE = 700;
const API = "/api/dead-letters";

const filters = document.getElementById("filters");
const rows = document.getElementById("rows");
let known = null;
let waiting = 0;

function refresh() {
  waiting ||= setTimeout(() => {
    waiting = 0;
    htmx.trigger(filters, "refresh");
  }, PATIENCE);
}

// What is chosen, as the API wants it: nobody means all by saying nothing, nor what died since the page was drawn.
function choice(until) {
  const told = [...new FormData(filters)].filter(([, value]) => value);
  return new URLSearchParams([...(told.length ? told : [["all", "1"]]), ["until", until]]);
}

function tell(answer) {
  if (answer.replayed) toast(t("dead-letters.done.replayed", { count: number(answer.replayed, 0) }));
  const stranded = Object.entries(answer.stranded ?? {});
  const count = stranded.reduce((sum, [, each]) => sum + each, 0);
  if (count) toast(t("dead-letters.done.stranded", { count, lanes: stranded.map(([lane]) => lane).join(", ") }), { bad: true });
  if (answer.dropped) toast(t("dead-letters.done.dropped", { count: number(answer.dropped, 0) }));
}

const ACTS = {
  replay: ({ seq }) => askJson(`${API}/${seq}/replay`, { method: "POST" }),
  drop: async ({ seq }) => (await confirmed(t("dead-letters.ask.drop", { seq }), t("dead-letters.drop"))) && askJson(`${API}/${seq}`, { method: "DELETE" }),
  replay_all: async ({ count, until }) => (await confirmed(t("dead-letters.ask.replay_all", { count }), t("dead-letters.replay"))) && askJson(`${API}/replay?${choice(until)}`, { method: "POST" }),
  drop_all: async ({ count, until }) => (await confirmed(t("dead-letters.ask.drop_all", { count }), t("dead-letters.drop"))) && askJson(`${API}?${choice(until)}`, { method: "DELETE" }),
};

rows.addEventListener("click", async (event) => {
  const button = event.target.closest("button[data-act]");
  if (!button) return;
  button.disabled = true;
  try {
    tell(await ACTS[button.dataset.act](button.dataset));
  } catch (error) {
    toast(error.message, { bad: true });
  }
  button.disabled = false;
  refresh();
});

function writeSizes() {
  for (const cell of rows.querySelectorAll("[data-bytes]")) cell.textContent = bytes(Number(cell.dataset.bytes));
}

live.on("dead-letters", (told) => {
  document.querySelector("#counts [data-count]").textContent = number(told.count, 0);
  for (const place of document.querySelectorAll("#counts [data-state]")) place.textContent = number(told.totals[place.dataset.state], 0);
  // Who reads an older page is left in peace.
  if (known !== null && told.count !== known && !document.getElementById("newest")) refresh();
  known = told.count;
});
document.body.addEventListener("htmx:afterSwap", writeSizes);
writeSizes();
