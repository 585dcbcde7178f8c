// One message in full: what it says of itself, its payload in four ways, and what is other than in the one before.

import { make, replace } from "/static/dom.js";
import { copy } from "./copy.js";
import { bytes, time } from "./format.js";
import { drawJson, pathText } from "./json.js";
import { asJson, asText, dump, pubCommand } from "./mqtt-bytes.js";
import { tellPartial } from "./mqtt-partial.js";
import { t } from "./strings.js";

const VIEWS = ["json", "text", "hex", "decimal"];

/** `pick(path)` when a number is chosen, `follow()` when the newest message is wanted. */
export class MessageView {
  #view = null;
  #compares = false;
  #shown = null;

  constructor(box, { pick, follow }) {
    Object.assign(this, { pick, follow });
    this.head = make("div", { class: "row apart" });
    this.facts = make("dl");
    this.notes = make("div");
    this.payload = make("div", { class: "payload", tabindex: "0", role: "region", "aria-label": t("mqtt.messages.payload") });
    this.views = make("span", { class: "views", role: "group", "aria-label": t("mqtt.view.title") }, VIEWS.map((each) =>
      make("button", { type: "button", "data-view": each, onclick: () => this.#set(each) }, t(`mqtt.view.${each}`))));
    const compare = make("input", { type: "checkbox", onchange: () => { this.#compares = compare.checked; this.#draw(); } });
    compare.style.width = "auto";
    this.pub = make("button", { type: "button", class: "plain small", onclick: () => copy(this.#command()) }, t("mqtt.copy.pub"));
    const tools = make("div", { class: "row tools" }, this.views, make("label", { class: "row" }, compare, t("mqtt.view.compare")),
      make("button", { type: "button", class: "plain small", onclick: () => copy(asText(this.#shown.message.bytes).text) }, t("mqtt.copy.payload")),
      this.pub);
    this.whole = make("div", { hidden: true }, this.head, this.facts, tools, this.notes, this.payload);
    box.replaceChildren(this.whole);
  }

  /** Show `message`, null for none; `about` has the one `before` it, its `topic`, `broker` and `rule`, and whether it is the `newest`. */
  show(message, about) {
    this.whole.hidden = !message;
    if (!message || (this.#shown?.message === message && this.#shown.newest === about.newest)) return;
    this.#shown = { message, ...about };
    this.#draw();
  }

  #set(view) {
    this.#view = view;
    this.#draw();
  }

  #draw() {
    const { message, newest } = this.#shown;
    const json = asJson(message.bytes);
    const view = this.#view ?? (json && typeof json.value === "object" ? "json" : asText(message.bytes).whole ? "text" : "hex");
    for (const each of this.views.children) each.setAttribute("aria-pressed", String(each.dataset.view === view));
    replace(this.head, make("h3", {}, t(newest ? "mqtt.messages.newest" : "mqtt.messages.chosen", { time: time(message.at) })),
      !newest && make("button", { type: "button", class: "plain small", onclick: () => this.follow() }, t("mqtt.messages.follow")));
    this.#drawFacts();
    tellPartial(this.pub, message);
    const changes = this.#compares && json ? this.#changes(json.value) : null;
    replace(this.notes, this.#notes(), changes && this.#tellChanges(changes));
    const top = this.payload.scrollTop;
    replace(this.payload, this.#drawPayload(view, json, changes));
    this.payload.scrollTop = top;
  }

  #drawFacts() {
    const { message, rule } = this.#shown;
    const over = rule === null ? message.client_id : `${message.client_id} (${t("mqtt.messages.rule", { name: rule })})`;
    const rows = [[t("mqtt.messages.client"), over], ...message.properties];
    replace(this.facts, rows.flatMap(([name, value]) => [make("dt", {}, name), make("dd", { class: "mono" }, value)]));
  }

  #notes() {
    const { message } = this.#shown;
    return [
      message.lost && make("p", { class: "notice warn" }, t("mqtt.messages.lost"), " ", make("span", { lang: "en" }, message.lost)),
      message.cut && make("p", { class: "quiet" }, t("mqtt.messages.cut", { kept: bytes(message.bytes.length), size: bytes(message.size) })),
      message.redacted && !message.lost && make("p", { class: "quiet" }, t("mqtt.messages.redacted")),
    ];
  }

  #drawPayload(view, json, changes) {
    const { bytes: whole } = this.#shown.message;
    if (!whole.length) return make("p", { class: "quiet" }, t("mqtt.messages.empty"));
    if (view === "json" && json) {
      const mark = changes && ((path) => changes.marks.get(JSON.stringify(path)) ?? "");
      return drawJson(json.value, { pick: (path, value) => typeof value === "number" && this.pick(path), mark });
    }
    if (view === "hex" || view === "decimal") return make("pre", {}, dump(whole, view === "hex" ? 16 : 10));
    const { text, whole: valid } = asText(whole);
    const note = view === "json" ? t("mqtt.view.not_json") : valid ? "" : t("mqtt.view.not_text");
    return [note && make("p", { class: "quiet" }, note), make("pre", { class: "wrapped" }, text)];
  }

  #changes(value) {
    const before = this.#shown.before && asJson(this.#shown.before.bytes);
    if (!before) return null;
    const [now, then] = [leaves(value), leaves(before.value)];
    const marks = new Map();
    for (const [path, each] of now) {
      if (!then.has(path)) marks.set(path, t("mqtt.view.was_not"));
      else if (then.get(path) !== each) marks.set(path, t("mqtt.view.was", { value: then.get(path) }));
    }
    return { marks, gone: [...then.keys()].filter((path) => !now.has(path)).map((path) => pathText(JSON.parse(path))) };
  }

  #tellChanges({ marks, gone }) {
    if (gone.length) return make("p", { class: "quiet" }, t("mqtt.view.gone", { names: gone.join(", ") }));
    return !marks.size && make("p", { class: "quiet" }, t("mqtt.view.same"));
  }

  #command() {
    const { broker, topic, message } = this.#shown;
    return pubCommand(broker, topic.topic, message);
  }
}

// Each value that is no branch, as JSON, by its path as JSON.
function leaves(value, path = [], found = new Map()) {
  const entries = value !== null && typeof value === "object" ? Object.entries(value) : [];
  if (!entries.length) found.set(JSON.stringify(path), JSON.stringify(value));
  for (const [key, each] of entries) leaves(each, [...path, Array.isArray(value) ? Number(key) : key], found);
  return found;
}
