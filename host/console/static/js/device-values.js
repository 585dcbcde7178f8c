// What a device said and what functions made of it: JSON as a tree with fields to pick, else text, else a word.

import { make } from "/static/dom.js";
import { bytes } from "./format.js";
import { drawJson } from "./json.js";
import { t } from "./strings.js";

/** The element for a body as the host tells it. */
export function drawValue(body, pick) {
  if (!body) return make("p", { class: "quiet" }, t("device.nothing"));
  if (body.lost) return make("p", { class: "quiet" }, t("device.not_kept", { why: body.lost }));
  if (body.encoding !== "text") return make("p", { class: "quiet" }, t("device.binary", { size: bytes(body.size) }));
  if (body.cut) return make("div", {}, make("p", { class: "quiet" }, t("device.cut", { size: bytes(body.size) })), make("pre", {}, body.body));
  try {
    return drawJson(JSON.parse(body.body), { pick });
  } catch {
    return make("pre", {}, body.body);
  }
}

/** What one function made of the last event. */
export function drawLine(line, pick) {
  const state = make("span", { class: `state ${line.result === "ok" ? "good" : "bad"}` }, line.result ? t(`devices.result.${line.result}`) : "–");
  const at = make("time", { "data-at": line.seen, "data-form": "ago", class: "quiet" });
  const head = make("div", { class: "row apart" },
    make("h3", {}, make("a", { href: `/console/functions/${encodeURIComponent(line.function)}` }, line.function)),
    make("span", { class: "row" }, state, at, make("a", { href: `/console/invocations?function=${encodeURIComponent(line.function)}` }, t("device.events"))));
  const said = line.error ? make("pre", { lang: "en" }, `${line.error.type}: ${line.error.message}`) : drawValue(line.output, pick);
  return make("article", {}, head, said);
}
