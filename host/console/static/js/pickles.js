// What the pickles of a package import and were made with, and what does not fit.

import { make } from "/static/dom.js";
import { bytes } from "./format.js";
import { t } from "./strings.js";

const MOST = 30;

/** The report of a revision's `inspection`, as the API has it; a sentence where there is nothing to report. */
export function drawPickles(inspection) {
  if (!inspection) return make("p", { class: "quiet" }, t("deploy.pickles.unknown"));
  const fault = inspection.fault && make("p", { class: "notice warn", lang: "en" }, inspection.fault);
  if (!inspection.pickles.length) return make("div", {}, fault, make("p", { class: "quiet" }, t("deploy.pickles.none")));
  return make("div", { class: "stack" }, fault, inspection.pickles.map(drawPickle));
}

function drawPickle(told) {
  const wrong = [...told.mismatches, ...told.lacking, ...told.refused, ...(told.fault ? [told.fault] : [])];
  const made = [...Object.entries(told.versions).map(([name, version]) => `${name} ${version}`), ...told.python.map((version) => `Python ${version}`)];
  return make("details", { class: "pickle", open: wrong.length > 0 },
    make("summary", {}, make("span", { class: wrong.length ? "state warn" : "state good" }, told.file), " ",
      make("span", { class: "quiet" }, t("deploy.pickles.brief", { size: bytes(told.size), protocol: told.protocol, n: told.imports.length }))),
    wrong.map((line) => make("p", { class: "notice warn", lang: "en" }, `${told.file} ${line}`)),
    make("dl", { class: "facts" },
      made.length ? [make("dt", {}, t("deploy.pickles.made")), make("dd", {}, made.join(", "))] : [],
      listed(t("deploy.pickles.imports"), told.imports), listed(t("deploy.pickles.calls"), told.calls)));
}

function listed(title, names) {
  if (!names.length) return [];
  const more = names.length - MOST;
  return [make("dt", {}, title), make("dd", { class: "mono" },
    names.slice(0, MOST).map((name) => make("div", {}, name)), more > 0 && make("div", { class: "quiet" }, `… +${more}`))];
}
