// What there is to say above the config: whether it can be changed, what waits for a restart, what was found.

import { make } from "/static/dom.js";
import { copy } from "./copy.js";
import { nameOf } from "./config_changes.js";
import { t } from "./strings.js";

const box = document.getElementById("notices");

/** Say something in the place called `name`, instead of what was said there; without `parts` nothing is. */
export function notice(name, kind, ...parts) {
  box.querySelector(`[data-notice="${name}"]`)?.remove();
  if (parts.length) box.append(make("div", { class: `notice ${kind}`, "data-notice": name, role: "status" }, parts));
}

export function button(text, onclick) {
  return make("button", { type: "button", class: "plain small", onclick }, text);
}

/** A list of keys of the config. */
export function keyList(keys) {
  return make("ul", { class: "keys" }, keys.map((key) => make("li", {}, nameOf(key))));
}

/** All that the host says of its config file. */
export function tellSheet(sheet, { applyFile }) {
  notice("begin", "good", ...(sheet.named || sheet.exists ? [] : [t("settings-config.notice.begin"), " ", make("code", {}, sheet.file)]));
  notice("lock", "warn", ...lockParts(sheet));
  notice("restart", "warn", ...(sheet.restart.length ? [t("settings-config.notice.restart"), keyList(sheet.restart)] : []));
  notice("overridden", "", ...(sheet.overridden.length ? [t("settings-config.notice.overridden"), keyList(sheet.overridden)] : []));
  notice("differs", "warn", ...(sheet.is_applied || sheet.text === null ? [] : [make("div", { class: "row" }, t("settings-config.notice.differs"), button(t("settings-config.notice.apply_file"), applyFile))]));
}

function lockParts(sheet) {
  if (sheet.text === null) return [t("settings-config.notice.broken"), problemList(sheet.faults)];
  if (sheet.lock === "generation") {
    const command = `fnhost config convert ${sheet.file} > fnhost.yaml`;
    const generation = sheet.generation.replace(/^v/u, "");
    return [t("settings-config.notice.generation", { generation }), make("div", { class: "row" }, make("code", {}, command), button(t("console.action.copy"), () => copy(command)))];
  }
  return sheet.lock ? [t("settings-config.notice.locked", { reason: t(`settings-config.notice.obstacle.${sheet.obstacle}`) }), " ", make("span", { lang: "en" }, sheet.reason)] : [];
}

/** Problems as the host tells them, each with its path. */
export function problemList(faults) {
  return make("ul", { class: "problems" }, faults.map((fault) => make("li", { class: "bad" }, fault.path && make("code", {}, fault.path, ": "), make("span", { lang: "en" }, fault.message, fault.hint ? ` (${fault.hint})` : ""))));
}
