// The topics that were seen: read once, kept live, filtered, and given to the tree.

import { make } from "/static/dom.js";
import { about } from "./about.js";
import { askJson } from "./api.js";
import { number } from "./format.js";
import { live } from "./live.js";
import { matches } from "./mqtt-filters.js";
import { Tree } from "./mqtt-tree.js";
import { t } from "./strings.js";

const SHOWN = 2000;
const QUIET_AFTER = 3;

/** `choose(topic)` when one is selected, `change(topic)` when the selected one has changed. */
export class Topics {
  #all = new Map();
  #rated = new Map();
  #wanted = null;
  #forgotten = 0;

  constructor(choose, change) {
    this.change = change;
    this.tree = new Tree(document.getElementById("tree"), choose);
    this.filter = document.getElementById("topics-filter");
    this.filter.addEventListener("input", () => this.#draw());
  }

  /** Read all, and select this one as soon as it is there. */
  async begin(broker, topic) {
    this.#wanted = topic ? { broker, topic } : null;
    live.on("mqtt-topics", (told) => this.#hear(told));
    await this.#read();
  }

  /** The host counts anew. */
  restart() {
    this.#all.clear();
    this.#rated.clear();
    return this.#read();
  }

  async #read() {
    const told = await askJson(`/api/mqtt/topics?limit=${SHOWN}`);
    this.#forgotten = told.forgotten;
    for (const each of told.topics) if (!this.#all.has(each.key)) this.#add(each);
    this.#draw();
  }

  #add(row) {
    this.#all.set(row.key, { ...row, rate: 0, since: 0 });
  }

  #hear(told) {
    let grown = false;
    for (const row of told.topics) {
      const known = this.#all.get(row.key);
      if (known) this.#update(known, row, told.now);
      else {
        this.#add(row);
        this.#all.get(row.key).since = told.now;
        grown = true;
      }
    }
    for (const key of told.gone) this.#all.delete(key);
    this.#forgotten += told.gone.length;
    this.#settle(told.now);
    if (grown || told.gone.length) this.#draw();
    else this.tree.refresh();
  }

  #update(known, row, now) {
    const more = count(row) - count(known);
    const passed = now - known.since;
    Object.assign(known, row, { rate: known.since ? more / Math.max(0.5, passed) : 0, since: now });
    this.#rated.set(row.key, now + Math.max(QUIET_AFTER, known.rate ? 3 * passed : 0));
    if (this.tree.selected === row.key) this.change(known);
  }

  // A topic that falls silent has no rate any more.
  #settle(now) {
    for (const [key, until] of this.#rated) {
      if (until > now) continue;
      this.#rated.delete(key);
      const topic = this.#all.get(key);
      if (topic) topic.rate = 0;
    }
  }

  #draw() {
    const text = this.filter.value.trim();
    const topics = [...this.#all.values()].filter((each) => fits(text, each.topic));
    topics.sort((one, other) => one.broker.localeCompare(other.broker) || (one.topic < other.topic ? -1 : 1));
    this.tree.draw(topics, Boolean(text));
    this.#say(topics.length);
    const wanted = this.#wanted && topics.find((each) => each.topic === this.#wanted.topic && each.broker === (this.#wanted.broker ?? each.broker));
    if (wanted) {
      this.#wanted = null;
      this.tree.reveal(wanted.key);
    }
  }

  #say(shown) {
    const all = this.#all.size;
    document.getElementById("topics-count").textContent = this.#forgotten
      ? t("mqtt.topics.forgotten", { n: number(all, 0), gone: number(this.#forgotten, 0) })
      : t("mqtt.topics.count", { n: number(all, 0) });
    this.tree.box.hidden = !shown;
    const empty = document.getElementById("tree-empty");
    empty.hidden = shown > 0;
    if (all) empty.replaceChildren(t("mqtt.topics.none_fits"));
    else empty.replaceChildren(make("p", {}, t("mqtt.topics.empty")), make("pre", { lang: about.language }, "mosquitto_pub -t plant/3/t -m '{\"t\": 188}'"));
  }
}

/** All that was seen of a topic. */
export function count(topic) {
  return topic.received + topic.sent + topic.heard;
}

function fits(text, topic) {
  if (!text) return true;
  return /[+#]/.test(text) ? matches(text, topic) : topic.toLowerCase().includes(text.toLowerCase());
}
