// Shows what came of a run that somebody asked for: state, times, answer or error, what it would publish, its log.

import { make, replace } from "/static/dom.js";
import { askLines } from "./api.js";
import { bytes, seconds, time } from "./format.js";
import { drawPayload } from "./payload.js";
import { t } from "./strings.js";

const MILD = new Set(["cancelled", "rejected", "overload"]);
const LINES = 200;

/** How a run ended: a sign and a word. */
export function drawResult(result) {
  const state = result === "ok" ? "good" : MILD.has(result) ? "warn" : "bad";
  return make("span", { class: `state ${state}` }, t(`invocations.result.${result}`));
}

/** The element for an outcome as `/try` and `/replay` tell it. */
export function drawOutcome(told) {
  const facts = [
    told.status && `${t("outcome.status")} ${told.status}`,
    told.seconds != null && t("outcome.ran", { time: seconds(told.seconds) }),
    told.queued != null && t("outcome.waited", { time: seconds(told.queued) }),
    told.revision && t("outcome.target", { revision: told.revision }),
  ].filter(Boolean);
  return make("div", { class: "stack outcome" },
    make("p", { class: "row" }, drawResult(told.result), make("span", { class: "quiet" }, facts.join(" · "))),
    told.error ? drawError(told.error) : drawPayload({ size: told.size ?? told.body?.length, ...told }),
    told.headers?.length > 0 && drawHeaders(told.headers),
    told.publications?.length > 0 && drawPublications(told.publications));
}

/** An error of a function with its stack, as it is. */
export function drawError({ type, message, stack }) {
  return make("div", { class: "stack" },
    make("p", { class: "notice bad", lang: "en" }, make("strong", {}, type), ": ", message),
    stack?.length > 0 && make("pre", { class: "stack", lang: "en", tabindex: "0" }, stack.join("\n")));
}

/** Fill `box` with the log lines of one invocation. */
export async function showLogs(box, name, id) {
  const query = new URLSearchParams({ invocation: id, tail: LINES });
  const rows = [];
  try {
    for await (const line of askLines(`/api/functions/${encodeURIComponent(name)}/logs?${query}`)) rows.push(drawLine(line));
  } catch (error) {
    replace(box, make("p", { class: "notice bad" }, error.message));
    return;
  }
  replace(box, rows.length ? make("div", { class: "run-log mono", tabindex: "0", role: "log" }, rows) : make("p", { class: "quiet" }, t("outcome.logs_none")));
}

function drawLine(line) {
  const level = line.level ?? "info";
  return make("div", { class: `log-line ${level}` },
    !line.more && make("span", { class: "quiet" }, `${time(line.time)} ${level.toUpperCase()} `), [line.line, line.fields && JSON.stringify(line.fields)].filter(Boolean).join(" "));
}

function drawHeaders(headers) {
  return make("details", {}, make("summary", {}, t("outcome.headers")),
    make("dl", { class: "facts mono" }, headers.flatMap(([name, value]) => [make("dt", {}, name), make("dd", {}, value)])));
}

function drawPublications(publications) {
  return make("details", { open: true }, make("summary", {}, t("outcome.publications")),
    publications.map((each) => make("div", { class: "stack" },
      make("p", {}, make("code", {}, each.topic), make("span", { class: "quiet" }, ` qos ${each.qos} · ${bytes(each.body?.length ?? 0)}`)),
      drawPayload({ size: each.body?.length, ...each }))));
}
