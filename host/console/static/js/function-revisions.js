// What was deployed of a function: build logs on demand, who deployed, and new revisions as they come.

import { make } from "/static/dom.js";
import { may } from "./about.js";
import { ask, askJson } from "./api.js";
import { live } from "./live.js";
import { t } from "./strings.js";

const MOST_SHOWN = 200000;
const { name } = document.getElementById("function").dataset;
const body = document.getElementById("revisions");

async function open(button) {
  const row = button.closest("tr");
  const isOpen = button.getAttribute("aria-expanded") === "true";
  button.setAttribute("aria-expanded", String(!isOpen));
  if (isOpen) return row.nextElementSibling.remove();
  const box = make("pre", { tabindex: "0", lang: "en", class: "build-log", "aria-label": t("function-revisions.log") }, "…");
  row.after(make("tr", { class: "of-above" }, make("td", { colspan: row.children.length }, box)));
  try {
    const text = await (await ask(`/api/functions/${encodeURIComponent(name)}/revisions/${button.dataset.log}/build-log`)).text();
    box.textContent = text.length > MOST_SHOWN ? `…${text.slice(-MOST_SHOWN)}` : text || t("function-revisions.no_log");
  } catch (error) {
    box.textContent = error.status === 404 ? t("function-revisions.no_log") : error.message;
  }
  return box.scrollTo(0, box.scrollHeight);
}

// Only the audit log knows, which is for admins.
async function tellWho() {
  const { records } = await askJson("/api/audit?tail=1000");
  for (const each of records) {
    const cell = each.action === "deploy" && body.querySelector(`[data-who="${CSS.escape(each.revision ?? "")}"]`);
    if (cell) cell.textContent = each.peer ? `${each.actor} (${each.peer})` : each.actor;
  }
}

body.addEventListener("click", (event) => {
  const button = event.target.closest("[data-log]");
  if (button) open(button);
});
let known = null;
live.on(`function:${name}`, ({ function: told }) => {
  const now = told && JSON.stringify([told.revision, told.revisions.map((each) => [each.number, each.state])]);
  // A revision more is seldom: the page is as quickly had anew, unless somebody reads a log or deploys here.
  if (known && now && now !== known && !document.querySelector(".job, .build-log")) location.reload();
  known ??= now;
});
if (may("admin")) tellWho();
