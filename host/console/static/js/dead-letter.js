// One dead letter: its payload in three forms, what came with it, and another payload to be tried in its place.

import { make } from "/static/dom.js";
import { ask } from "./api.js";
import { confirmed } from "./confirm.js";
import { bytes } from "./format.js";
import { drawJson } from "./json.js";
import { indented, parseWritten } from "./json_text.js";
import { live } from "./live.js";
import { has, t } from "./strings.js";
import { toast } from "./toast.js";

const WIDTH = 16;
const MOST_BYTES = 16384;
const STATES = { waiting: "", answered: "good", sent: "good", dead: "bad", dropped: "" };

const letter = JSON.parse(document.getElementById("told").textContent);
const form = document.getElementById("form");
const edited = document.getElementById("edited");
const fault = document.getElementById("fault");
const text = letter.body_encoding === "text" ? letter.body : null;
let asked = false;

function parsed(value) {
  try {
    return { value: parseWritten(value) };
  } catch (error) {
    return { why: error.message };
  }
}

function hex() {
  const all = text === null ? Uint8Array.from(atob(letter.body), (sign) => sign.charCodeAt(0)) : new TextEncoder().encode(text);
  const shown = all.subarray(0, MOST_BYTES);
  const lines = [];
  for (let at = 0; at < shown.length; at += WIDTH) {
    const part = [...shown.subarray(at, at + WIDTH)];
    const digits = part.map((byte) => byte.toString(16).padStart(2, "0")).join(" ").padEnd(WIDTH * 3);
    lines.push(`${at.toString(16).padStart(6, "0")}  ${digits} ${part.map((byte) => (byte > 31 && byte < 127 ? String.fromCharCode(byte) : ".")).join("")}`);
  }
  return make("pre", { tabindex: "0" }, lines.join("\n"));
}

function draw() {
  const json = text === null ? { why: "" } : parsed(text);
  const shown = form.value === "json" && !json.why && "value" in json ? drawJson(json.value) : form.value !== "hex" && text !== null ? make("pre", { tabindex: "0" }, text) : hex();
  const cut = letter.body_cut && make("p", { class: "quiet" }, t("dead-letter.cut", { size: bytes(text === null ? atob(letter.body).length : new TextEncoder().encode(text).length) }));
  document.getElementById("payload").replaceChildren(...[cut, shown].filter(Boolean));
}

function show(state, values) {
  const box = document.getElementById("outcome");
  box.className = `notice ${STATES[state]}`;
  box.textContent = t(`dead-letter.outcome.${state}`, values);
  box.hidden = false;
}

async function act(state, path, options) {
  const buttons = document.querySelectorAll("#acts button, #edit button");
  buttons.forEach((button) => { button.disabled = true; });
  asked = state === "waiting";
  try {
    await ask(`/api/dead-letters/${letter.seq}${path}`, options);
    // What came of it may have been heard before the answer.
    if (document.getElementById("outcome").hidden) show(state);
  } catch (error) {
    asked = false;
    toast(error.message, { bad: true });
    buttons.forEach((button) => { button.disabled = false; });
  }
}

function check() {
  const why = "value" in parsed(text) ? parsed(edited.value).why : "";
  fault.hidden = !why;
  fault.textContent = why ? t("dead-letter.edit.fault", { why }) : "";
}

document.querySelector('[data-act="replay"]')?.addEventListener("click", () => act("waiting", "/replay", { method: "POST" }));
document.querySelector('[data-act="drop"]')?.addEventListener("click", async () => {
  if (await confirmed(t("dead-letters.ask.drop", { seq: letter.seq }), t("dead-letters.drop"))) act("dropped", "", { method: "DELETE" });
});
if (edited) {
  edited.value = indented(text);
  edited.addEventListener("input", check);
  document.getElementById("reset").addEventListener("click", () => {
    edited.value = indented(text);
    check();
  });
  document.getElementById("edit").addEventListener("submit", (event) => {
    event.preventDefault();
    act("waiting", "/replay", { method: "POST", json: { payload: edited.value } });
  });
}
form.addEventListener("change", draw);
live.on("dead-letters", (told) => {
  const replay = asked && told.recent.findLast((each) => each.seq === letter.seq);
  if (replay && has(`dead-letter.outcome.${replay.state}`)) show(replay.state, { why: replay.why });
});
document.getElementById("head").replaceChildren(drawJson(letter.head));
for (const place of document.querySelectorAll("[data-bytes]")) place.textContent = bytes(Number(place.dataset.bytes));
if (text === null) form.value = "hex";
else if (!("value" in parsed(text))) form.value = "text";
draw();
