// The list of invocations: its address follows its filters, and it says what is new without moving.

import { live } from "./live.js";
import { t } from "./strings.js";
/* global htmx */

const form = document.getElementById("filters");
const newer = document.getElementById("newer");
const rows = document.getElementById("rows");
const MOST = 999;
let count = 0;
let shown = newestShown();

function newestShown() {
  return Number(rows.querySelector("table")?.dataset.newest ?? 0);
}

function matches([, name, result, trigger]) {
  const wanted = Object.fromEntries(new FormData(form));
  return (!wanted.function || wanted.function === name) && (!wanted.trigger || wanted.trigger === trigger) &&
    (!wanted.result || wanted.result === result || (wanted.result === "failed" && result !== "ok"));
}

function tell() {
  newer.hidden = !count;
  newer.textContent = t(count >= MOST ? "invocations.newer_many" : "invocations.newer", { n: Math.min(count, MOST) });
}

live.on("invocations", ({ new: found }) => {
  count += found.filter((each) => each[0] > shown && matches(each)).length;
  tell();
});

newer.addEventListener("click", () => htmx.trigger(form, "refresh"));
form.addEventListener("submit", (event) => event.preventDefault());

rows.addEventListener("htmx:afterSwap", (event) => {
  if (event.detail.target !== rows) return;
  count = 0;
  shown = Math.max(shown, newestShown());
  tell();
  const query = new URLSearchParams([...new FormData(form)].filter(([, value]) => value));
  history.replaceState(null, "", query.size ? `?${query}` : location.pathname);
});
