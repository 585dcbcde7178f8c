// The tab Try: an event is written, loaded or picked as a file, sent, and all that came of it is shown.

import { make, replace } from "/static/dom.js";
import { about } from "./about.js";
import { askJson } from "./api.js";
import { confirmed } from "./confirm.js";
import { copy } from "./copy.js";
import { keepDraft, readDraft } from "./drafts.js";
import { EventForm } from "./event_form.js";
import { bytes, seconds } from "./format.js";
import { indented } from "./json_text.js";
import { drawOutcome, showLogs } from "./outcome.js";
import { parsed } from "./payload.js";
import { SavedEvents } from "./saved_events.js";
import { curlCommand, mosquittoCommand } from "./shell_words.js";
import { t } from "./strings.js";
import { toast } from "./toast.js";
import { drawWaterfall, spansOf } from "./waterfall.js";

const $ = (id) => document.getElementById(id);
const name = $("function").dataset.name;
const form = $("try");
const DRAFT = `try:${name}`;
const JSON_TYPE = "application/json";
const LOOPBACK = /^(localhost|127\.|\[::1\])/;
let file = null;
let loaded = null;
let view = null;

if (form) begin();

function begin() {
  const ways = JSON.parse(form.dataset.ways);
  const events = new SavedEvents($("events"), name, show);
  view = new EventForm({
    name, live: Number(form.dataset.live), declared: JSON.parse(form.dataset.declared),
    read: () => (file ? null : $("body").value),
    write(text) {
      $("body").value = text;
      changed();
    },
  });
  form.addEventListener("submit", send);
  form.addEventListener("input", changed);
  form.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) send(event);
  });
  $("format").addEventListener("click", format);
  $("file").addEventListener("change", () => pick($("file").files[0] ?? null));
  $("no-file").addEventListener("click", () => pick(null));
  $("curl").addEventListener("click", async () => copy(curlCommand({ ...(await written()), url: address(), secured: !LOOPBACK.test(location.hostname) })));
  $("mosquitto")?.addEventListener("click", () => copyMosquitto(ways));
  $("save").addEventListener("click", () => save(events));
  $("drop").addEventListener("click", () => drop(events));
  restore(events);
}

async function restore(events) {
  const draft = readDraft(DRAFT);
  if (draft) fill(draft);
  else fill({ contentType: form.dataset.accepts === "json" ? JSON_TYPE : "", body: form.dataset.accepts === "json" ? "{}" : "" });
  try {
    const first = await events.read();
    if (!draft && first) show(await first);
  } catch (error) {
    toast(error.message, { bad: true });
  }
}

function fill({ target = "", contentType = "", body = "", headers = "" }) {
  $("target").value = target;
  if ($("target").selectedIndex < 0) $("target").value = "";
  $("content-type").value = contentType;
  $("body").value = body;
  $("headers").value = headers;
  $("more").open = Boolean(headers);
  view.follow();
  judge();
}

function changed() {
  keepDraft(DRAFT, { target: $("target").value, contentType: $("content-type").value, body: $("body").value, headers: $("headers").value });
  judge();
}

// An event that was loaded: bytes become a file, since no text could say them.
function show(event) {
  loaded = event.saved ? event.name : null;
  $("drop").hidden = !loaded;
  $("save-name").value = event.name ?? "";
  if (event.encoding === "base64") {
    pick(new File([Uint8Array.from(atob(event.body), (letter) => letter.charCodeAt(0))], event.name || "event.bin"));
    return;
  }
  pick(null);
  const value = parsed(event.body);
  const body = value !== null && typeof value === "object" ? indented(event.body) : event.body;
  fill({ target: $("target").value, contentType: event.content_type, body, headers: (event.headers ?? []).join("\n") });
  changed();
}

function pick(chosen) {
  file = chosen;
  if (!chosen) $("file").value = "";
  $("no-file").hidden = !chosen;
  $("body").disabled = Boolean(chosen);
  view.follow();
  judge();
}

function judge() {
  const state = $("body-state");
  const text = $("body").value;
  state.className = "quiet";
  if (file) {
    state.textContent = t("function-try.file_chosen", { name: file.name, size: bytes(file.size) });
    return;
  }
  const size = bytes(new Blob([text]).size);
  const wanted = $("content-type").value.includes("json") || (!$("content-type").value && form.dataset.accepts === "json");
  try {
    JSON.parse(text);
    state.textContent = t("function-try.json.good", { size });
  } catch (error) {
    state.textContent = wanted ? `${t("function-try.json.bad")} ${error.message}` : t("function-try.json.text", { size });
    if (wanted) state.className = "state warn json-fault";
  }
}

function format() {
  $("body").value = indented($("body").value);
  changed();
}

function headerLines() {
  return $("headers").value.split("\n").map((line) => line.trim()).filter((line) => line.includes(":"));
}

/** The event as texts; a file's bytes in base64. */
async function written() {
  const told = { contentType: $("content-type").value.trim(), headers: headerLines(), body: $("body").value, isBase64: false };
  return file ? { ...told, body: await base64Of(file), isBase64: true } : told;
}

function base64Of(blob) {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(reader.result.slice(reader.result.indexOf(",") + 1));
    reader.onerror = () => reject(reader.error);
    reader.readAsDataURL(blob);
  });
}

function address() {
  const number = $("target").value;
  return `${location.origin}/invoke/${encodeURIComponent(name)}${number ? `@${number}` : ""}`;
}

async function copyMosquitto(ways) {
  const topic = $("topic").value.trim();
  if (/[+#]/.test(topic)) {
    toast(t("function-try.copy.wildcard"), { bad: true });
    $("topic").focus();
    return;
  }
  const way = ways.find((each) => each.topic === topic) ?? ways[0];
  copy(mosquittoCommand({ ...(await written()), way, topic }));
}

async function save(events) {
  const title = $("save-name").value.trim();
  if (!title) {
    toast(t("function-try.saved.nameless"), { bad: true });
    $("save-name").focus();
    return;
  }
  const { body, isBase64, contentType, headers } = await written();
  try {
    await events.save(title, { body, encoding: isBase64 ? "base64" : "text", content_type: contentType, headers });
    loaded = title;
    $("drop").hidden = false;
    toast(t("function-try.saved.saved", { name: title }));
  } catch (error) {
    toast(error.message, { bad: true });
  }
}

async function drop(events) {
  if (!(await confirmed(t("function-try.saved.sure", { name: loaded })))) return;
  try {
    await events.drop(loaded);
    toast(t("function-try.saved.dropped", { name: loaded }));
    loaded = null;
    $("drop").hidden = true;
  } catch (error) {
    toast(error.message, { bad: true });
  }
}

async function send(event) {
  event.preventDefault();
  if ($("send").disabled) return;
  $("send").disabled = true;
  replace($("answer"), make("p", { class: "quiet" }, t("function-try.sending")));
  replace($("answer-more"));
  try {
    const begun = performance.now();
    const told = await askJson(`/api/functions/${encodeURIComponent(name)}/try?${query()}`, { method: "POST", headers: types(), body: file ? new Blob([file]) : new TextEncoder().encode($("body").value) });
    answer(told, (performance.now() - begun) / 1000);
  } catch (error) {
    replace($("answer"), make("p", { class: "notice bad" }, t("function-try.refused"), " ", make("span", { lang: "en" }, error.message)));
  } finally {
    $("send").disabled = false;
  }
}

function query() {
  const told = new URLSearchParams(headerLines().map((line) => ["header", line]));
  if ($("target").value) told.set("revision", $("target").value);
  return told;
}

function types() {
  const type = $("content-type").value.trim();
  return type ? { "content-type": type } : {};
}

async function answer(told, took) {
  replace($("answer"), drawOutcome(told));
  const waterfall = make("div", {});
  const logs = make("div", {}, make("p", { class: "quiet" }, t("outcome.logs_loading")));
  replace($("answer-more"),
    make("div", {}, make("h3", {}, t("waterfall.title")), waterfall, make("p", { class: "quiet small-text" }, t("function-try.roundtrip", { time: seconds(took) }))),
    make("div", {}, make("h3", {}, t("outcome.logs")), logs),
    make("div", {}, make("h3", {}, t("function-try.provenance")), drawProvenance(told)));
  showLogs(logs, name, told.id);
  const record = await askJson(`/api/records/${encodeURIComponent(told.id)}`).catch(() => null);
  if (record) replace(waterfall, drawWaterfall(spansOf(record.attempts.at(-1).stages)));
}

function drawProvenance(told) {
  const facts = [
    [t("function-try.revision"), told.revision],
    [t("function-try.digest"), make("code", {}, told.digest || "–")],
    [t("function-try.id"), make("a", { href: `/console/invocations/${encodeURIComponent(told.id)}`, lang: about.language }, make("code", {}, told.id))],
  ];
  return make("dl", { class: "facts" }, facts.flatMap(([label, value]) => [make("dt", {}, label), make("dd", {}, value)]));
}
