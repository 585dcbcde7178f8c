// One invocation: its waterfall, its bodies as trees, its log, and running it again beside what came then.

import { make, replace } from "/static/dom.js";
import { askJson } from "./api.js";
import { copy } from "./copy.js";
import { drawOutcome, showLogs } from "./outcome.js";
import { drawPayload, parsed } from "./payload.js";
import { t } from "./strings.js";
import { drawWaterfall, spansOf } from "./waterfall.js";

const { id, function: name } = document.getElementById("invocation").dataset;

for (const box of document.querySelectorAll(".waterfall")) replace(box, drawWaterfall(spansOf(JSON.parse(box.dataset.stages))));

for (const pre of document.querySelectorAll("pre.payload")) {
  const told = { body: pre.textContent, encoding: pre.dataset.encoding, size: Number(pre.dataset.size) };
  if (told.encoding === "base64") pre.replaceWith(drawPayload(told));
  else if (!("cut" in pre.dataset) && told.encoding === "text" && parsed(told.body) !== undefined) pre.replaceWith(drawPayload(told));
}

document.getElementById("copy-id").addEventListener("click", () => copy(id));
showLogs(document.getElementById("logs"), name, id);

const form = document.getElementById("replay");
const box = document.getElementById("replayed");

form?.addEventListener("submit", async (event) => {
  event.preventDefault();
  const button = form.querySelector("button");
  button.disabled = true;
  replace(box, make("p", { class: "quiet" }, t("invocation.replay.running")));
  try {
    const on = document.getElementById("on").value;
    const told = await askJson(`/api/records/${encodeURIComponent(id)}/replay?${new URLSearchParams({ on })}`, { method: "POST" });
    replace(box, ...beside(await then(), told));
  } catch (error) {
    replace(box, make("p", { class: "notice bad", lang: "en" }, error.message));
  } finally {
    button.disabled = false;
  }
});

async function then() {
  const { attempts } = await askJson(`/api/records/${encodeURIComponent(id)}`);
  const record = attempts.at(-1);
  const started = record.stages.started ?? record.stages.ended;
  return { ...record.output, result: record.result, status: record.status, error: record.error, seconds: record.seconds,
    queued: started - record.stages.queued, revision: `${record.function}@${record.revision}` };
}

function beside(before, now) {
  const same = before.result === now.result && before.body === now.body && before.error?.message === now.error?.message;
  return [
    make("p", { class: same ? "state good" : "state warn" }, t(same ? "invocation.replay.same" : "invocation.replay.differs")),
    make("div", { class: "grid" },
      make("div", { class: "then" }, make("h3", {}, t("invocation.replay.before")), drawOutcome(before)),
      make("div", { class: "now" }, make("h3", {}, t("invocation.replay.after")), drawOutcome(now),
        make("p", {}, make("a", { href: `/console/invocations/${encodeURIComponent(now.id)}` }, t("outcome.record"))))),
  ];
}
