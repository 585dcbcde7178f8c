// One topic: its last messages as they come, the one that is shown, and plots of its fields.

import { make } from "/static/dom.js";
import { copy } from "./copy.js";
import { bytes, number, time } from "./format.js";
import { live } from "./live.js";
import { asText, decode, inBrief, quoted, reaching } from "./mqtt-bytes.js";
import { MessageView } from "./mqtt-message.js";
import { tellPartial } from "./mqtt-partial.js";
import { FieldPlots } from "./mqtt-plots.js";
import { t } from "./strings.js";

const KEPT = 50;
const BRIEF = 120;

/** `about` is what `/api/mqtt` tells, `publishing` the form to publish, null where it is not offered. */
export class TopicView {
  #end = null;
  #messages = [];
  #paused = false;
  #chosen = null;
  #shown = null;
  #frame = 0;

  constructor(about, publishing) {
    this.about = about;
    this.publishing = publishing;
    this.plots = new FieldPlots(document.getElementById("field-charts"));
    this.message = new MessageView(document.getElementById("message"), {
      pick: (path) => this.plots.add(path, this.topic.topic, this.#messages),
      follow: () => this.#choose(null),
    });
    this.pause = document.getElementById("pause");
    this.pause.addEventListener("click", () => this.#setPaused(!this.#paused));
    document.getElementById("copy-sub").addEventListener("click", () => copy(this.#subCommand()));
    this.here = document.getElementById("publish-here");
    this.here?.addEventListener("click", () => publishing.fill(this.topic, this.#shown));
    document.getElementById("messages").addEventListener("click", (event) => {
      const row = event.target.closest("tr");
      if (row) this.#choose(Number(row.dataset.number));
    });
  }

  /** Say that nothing was seen of a topic yet. */
  await(name) {
    document.getElementById("topic-name").textContent = name;
    document.getElementById("topic-hint").textContent = t("mqtt.topic.unseen");
  }

  /** Show this topic, live. */
  show(topic) {
    if (this.topic?.key === topic.key) return;
    this.#end?.();
    this.topic = topic;
    this.broker = this.about.brokers.find((each) => each.name === topic.broker);
    this.#messages = [];
    this.#chosen = null;
    this.#setPaused(false);
    this.plots.clear();
    document.getElementById("topic-empty").hidden = true;
    document.getElementById("topic-shown").hidden = false;
    document.getElementById("topic-title").textContent = inBrief(topic.topic);
    document.getElementById("copy-sub").hidden = !this.broker;
    this.update(topic);
    this.#draw();
    this.#end = live.on(`mqtt-topic:${topic.key}`, (told) => this.#hear(told.messages));
  }

  /** The host counts anew, and what it kept is gone. */
  restart() {
    this.#messages = [];
    this.#chosen = null;
    if (this.topic) this.#draw();
  }

  /** Its counts have changed. */
  update(topic) {
    const { broker, received, sent, heard } = topic;
    document.getElementById("topic-about").textContent =
      t("mqtt.topic.about", { broker, received: number(received, 0), sent: number(sent, 0), heard: number(heard, 0) });
  }

  #hear(messages) {
    const last = this.#messages.at(-1)?.number ?? 0;
    const fresh = messages.filter((each) => each.number > last).map((each) => ({ ...each, bytes: decode(each.payload) }));
    if (this.#paused || !fresh.length) return;
    this.#messages = [...this.#messages, ...fresh].slice(-KEPT);
    this.plots.addMessages(fresh);
    // Once for what came while the page was not painted.
    this.#frame ||= requestAnimationFrame(() => this.#draw());
  }

  #setPaused(paused) {
    this.#paused = paused;
    this.pause.setAttribute("aria-pressed", String(paused));
    this.pause.textContent = t(paused ? "mqtt.topic.resume" : "mqtt.topic.pause");
  }

  #choose(place) {
    this.#chosen = place;
    this.#draw();
  }

  #draw() {
    this.#frame = 0;
    const chosen = this.#messages.findIndex((each) => each.number === this.#chosen);
    const at = chosen >= 0 ? chosen : this.#messages.length - 1;
    const focused = document.activeElement?.closest("#messages tr")?.dataset.number;
    const rows = this.#messages.map((each, place) => this.#row(each, place === at)).reverse();
    document.getElementById("messages").replaceChildren(...rows);
    if (focused) document.querySelector(`#messages tr[data-number="${Number(focused)}"] button`)?.focus();
    this.#shown = this.#messages[at] ?? null;
    if (this.here) tellPartial(this.here, this.#shown);
    this.message.show(this.#shown, {
      before: this.#messages[at - 1] ?? null, newest: chosen < 0, topic: this.topic, broker: this.broker,
      rule: this.#ruleOf(this.#messages[at]),
    });
  }

  #row(message, shown) {
    const { text } = asText(message.bytes.subarray(0, BRIEF));
    return make("tr", { "data-number": message.number, "aria-current": shown && "true" },
      make("td", {}, make("button", { type: "button" }, `${time(message.at)}.${String(Math.floor((message.at % 1) * 1000)).padStart(3, "0")}`)),
      make("td", {}, t(`mqtt.messages.${message.way}`)),
      make("td", {}, String(message.qos)),
      make("td", {}, message.retain && make("span", { class: "flag" }, "retain"), message.dup && make("span", { class: "flag" }, "dup")),
      make("td", { class: "number" }, message.mid === null ? "–" : String(message.mid)),
      make("td", { class: "number" }, bytes(message.size)),
      make("td", { class: "text" }, inBrief(text)));
  }

  #ruleOf(message) {
    return this.about.connections.find((each) => message && each.broker === this.topic.broker && each.client_id === message.client_id)?.rule ?? null;
  }

  #subCommand() {
    return `mosquitto_sub ${reaching(this.broker)} -t ${quoted(this.topic.topic)} -v`;
  }
}
