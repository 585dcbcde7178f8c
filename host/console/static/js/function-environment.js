// What a revision runs in: the report of its pickles, and for those who may the values of its variables.

import { replace } from "/static/dom.js";
import { askJson } from "./api.js";
import { drawPickles } from "./pickles.js";
import { toast } from "./toast.js";

const { name } = document.getElementById("function").dataset;
const place = `/api/functions/${encodeURIComponent(name)}/revisions/${document.getElementById("of").dataset.number}`;

askJson(place).then(({ inspection }) => replace(document.getElementById("pickles"), drawPickles(inspection)));
document.getElementById("show-values")?.addEventListener("click", async (event) => {
  try {
    const { setup } = await askJson(`${place}/setup`);
    for (const cell of document.querySelectorAll("[data-variable]")) cell.textContent = setup.env[cell.dataset.variable] ?? "–";
    event.target.remove();
  } catch (error) {
    toast(error.message, { bad: true });
  }
});
