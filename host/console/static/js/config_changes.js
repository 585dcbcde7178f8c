// Draws what a change of the config would be: what comes and goes, what waits for a restart, and the difference.

import { make } from "/static/dom.js";
import { has, t } from "./strings.js";

const KINDS = { "+": "added", "-": "removed", "@": "place" };

/** The name of a key of the config in the viewer's language, with the key itself. */
export function nameOf(key) {
  const label = `settings-config.label.${key}`;
  return [has(label) && make("strong", {}, t(label), " "), make("code", {}, key)];
}

/** What a check told, as a list. */
export function drawEffects({ changes, keys, restart, keeps_comments: kept }) {
  const listed = new Set(changes.map((each) => each.section));
  const others = keys.filter((key) => !listed.has(key) && !restart.some((each) => each.split(".")[0] === key && key !== "limits"));
  const rows = [
    ...changes.map((each) => make("li", {}, nameOf(each.section), ": ", ["added", "changed", "removed"].filter((what) => each[what].length)
      .map((what) => t(`settings-config.changes.${what}`, { names: each[what].join(", ") })).join("; "),
      each.section === "funcs" && each.removed.length > 0 && make("span", { class: "quiet" }, ` (${t("settings-config.changes.stays")})`))),
    ...others.map((key) => make("li", {}, nameOf(key), ": ", t("settings-config.changes.other"))),
  ];
  return make("div", { class: "stack" },
    rows.length ? make("ul", { class: "effects" }, rows) : make("p", { class: "quiet" }, t("settings-config.changes.nothing")),
    restart.length > 0 && make("div", {}, make("p", { class: "state warn" }, t("settings-config.changes.restart")), make("ul", { class: "effects" }, restart.map((key) => make("li", {}, nameOf(key))))),
    kept ? make("p", { class: "state good" }, t("settings-config.changes.no_loss")) : make("p", { class: "state warn" }, t("settings-config.changes.comments")));
}

/** A unified difference, line by line. */
export function drawDiff(text) {
  return text.split("\n").map((line) => make("span", { class: `diff-line ${KINDS[line[0]] ?? ""}` }, line || " "));
}
