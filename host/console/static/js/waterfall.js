// Where the time of an invocation went: a table of its stages, each with a bar on the same time axis.

import { make } from "/static/dom.js";
import { seconds } from "./format.js";
import { t } from "./strings.js";

/** `[{name, from, to}]` in seconds after the first, of the stages of a record (seconds since the epoch). */
export function spansOf(stages) {
  const began = stages.received ?? stages.queued;
  const at = (name) => (stages[name] == null ? null : stages[name] - began);
  const spans = [];
  const add = (name, from, to) => {
    if (from != null && to != null) spans.push({ name, from, to: Math.max(from, to) });
  };
  add("taken", at("received"), at("queued"));
  if (stages.started == null) {
    add("never", at("queued"), at("ended"));
  } else {
    add("queued", at("queued"), at("started"));
    add("run", at("started"), at("ended"));
  }
  add("published", at("ended"), at("published"));
  add("acknowledged", at("published") ?? at("ended"), at("acknowledged"));
  return spans;
}

/** The element for these spans, readable as a table in words. The strings are those of `waterfall`. */
export function drawWaterfall(spans) {
  const whole = Math.max(...spans.map((span) => span.to), 1e-9);
  const table = make("table", { class: "list waterfall-table" },
    make("thead", {}, make("tr", {},
      make("th", { scope: "col" }, t("waterfall.stage")),
      make("td", { "aria-hidden": "true" }),
      make("th", { scope: "col", class: "number begins" }, t("waterfall.begin")),
      make("th", { scope: "col", class: "number" }, t("waterfall.took")))),
    make("tbody", {}, spans.map((span) => drawSpan(span, whole))),
    make("tfoot", {}, make("tr", {},
      make("th", { scope: "row" }, t("waterfall.total")), make("td", { "aria-hidden": "true" }), make("td", { class: "begins" }),
      make("td", { class: "number" }, seconds(whole)))));
  return make("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": t("waterfall.title") }, table);
}

function drawSpan({ name, from, to }, whole) {
  const bar = make("span", { class: `span-bar ${name}` });
  bar.style.marginLeft = `${(from / whole) * 100}%`;
  bar.style.width = `${((to - from) / whole) * 100}%`;
  return make("tr", {},
    make("th", { scope: "row" }, t(`waterfall.stages.${name}`)),
    make("td", { class: "span-track", "aria-hidden": "true" }, make("span", { class: "span-axis" }, bar)),
    make("td", { class: "number begins" }, seconds(from)),
    make("td", { class: "number" }, seconds(to - from)));
}
