// The index beside the form: its sections in their order, how much is wrong in each, and a way to them.

import { make } from "/static/dom.js";
import { t } from "./strings.js";

/** Fill `box` with a button for each section of the form. */
export function buildIndex(box, fields, form) {
  const sections = [...fields.children].filter((each) => each.dataset.at);
  const first = make("button", { type: "button", class: "plain", "data-section": "", onclick: () => fields.querySelector("input, select")?.focus() }, t("settings-config.general"));
  box.replaceChildren(first, ...sections.map((each) => make("button", { type: "button", class: "plain", "data-section": each.dataset.at, onclick: () => goTo(each.dataset.at, fields, form) },
    (each.querySelector("summary span, button span") ?? each.querySelector("code")).textContent)));
}

/** Open the section `at` and go there; nothing where there is no such section. */
export function goTo(at, fields, form) {
  const section = [...fields.children].find((each) => at && each.dataset.at === at);
  if (!section) return;
  if (section.tagName === "DETAILS") section.open = true;
  form.focus(at);
  section.scrollIntoView({ block: "start" });
}

/** Say how many problems there are in each section. */
export function markIndex(box, faults) {
  const names = [...box.children].map((each) => each.dataset.section);
  for (const each of box.children) {
    const mine = faults.filter(({ path }) => (names.find((name) => name && new RegExp(`^${name}(\\W|$)`, "u").test(path)) ?? "") === each.dataset.section);
    each.querySelector(".state")?.remove();
    if (mine.length) each.append(" ", make("span", { class: "state bad" }, String(mine.length)));
  }
}
