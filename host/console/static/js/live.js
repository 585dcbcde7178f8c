// The live feed: one connection of server-sent events for the whole page, which says how it is.

import { time } from "./format.js";
import { t } from "./strings.js";

const PATIENCE = 5000;
const FIRST_WAIT = 1000;
const LONGEST_WAIT = 15000;
const HIDDEN_FOR = 20000;

class Live {
  #channels = new Map();
  #source = null;
  #boot = "";
  #heard = 0;
  #opened = 0;
  #wait = FIRST_WAIT;
  #timer = 0;
  #hiding = 0;
  #opening = false;
  #since = 0;
  #isOut = false;

  /** Have `hear(told)` called with what the channel says, from now on. Returns what ends it. */
  on(channel, hear) {
    const heard = this.#channels.get(channel) ?? new Set();
    this.#channels.set(channel, heard);
    heard.add(hear);
    this.#reopen();
    return () => {
      heard.delete(hear);
      if (!heard.size) {
        this.#channels.delete(channel);
        this.#reopen();
      }
    };
  }

  /** Begin, and watch over it. */
  begin(box) {
    this.box = box;
    document.addEventListener("visibilitychange", () => this.#onVisibility());
    window.addEventListener("pagehide", () => this.#close());
    window.addEventListener("pageshow", (event) => event.persisted && this.#reopen());
    setInterval(() => this.#look(), 1000);
  }

  // Channels that are asked for in one go make one connection.
  #reopen() {
    if (this.#opening) return;
    this.#opening = true;
    queueMicrotask(() => {
      this.#opening = false;
      this.#open();
    });
  }

  #open() {
    this.#close();
    if (!this.#channels.size) return this.#show("idle");
    const query = new URLSearchParams([...this.#channels.keys()].map((name) => ["channel", name]));
    if (!this.#heard) this.#show("connecting");
    this.#opened = Date.now();
    const source = new EventSource(`/console/live?${query}`);
    this.#source = source;
    source.addEventListener("hello", (event) => this.#greet(JSON.parse(event.data)));
    source.addEventListener("tick", () => this.#hear());
    source.addEventListener("gone", (event) => {
      this.#hear();
      document.dispatchEvent(new CustomEvent("live:gone", { detail: JSON.parse(event.data).channel }));
    });
    source.addEventListener("error", () => this.#fail(source));
    for (const name of this.#channels.keys()) {
      source.addEventListener(name, (event) => {
        this.#hear();
        const told = JSON.parse(event.data);
        for (const hear of this.#channels.get(name) ?? []) hear(told);
      });
    }
  }

  #close() {
    clearTimeout(this.#timer);
    this.#source?.close();
    this.#source = null;
  }

  #greet(told) {
    const restarted = this.#boot && told.boot !== this.#boot;
    this.#boot = told.boot;
    this.#wait = FIRST_WAIT;
    this.#since = 0;
    this.#hear();
    if (restarted) document.dispatchEvent(new CustomEvent("live:restarted"));
  }

  #hear() {
    this.#heard = Date.now();
    this.#show("live");
  }

  // The browser's own new attempts tell nobody why the last one failed: a page must know when it is signed out.
  async #fail(source) {
    if (source !== this.#source) return;
    this.#close();
    this.#since ||= this.#heard || Date.now();
    this.#timer = setTimeout(() => this.#open(), this.#wait * (0.75 + Math.random() / 2));
    this.#wait = Math.min(LONGEST_WAIT, this.#wait * 1.6);
    this.#show("lost", { time: time(this.#since / 1000) });
    const answer = await fetch("/api/session").catch(() => null);
    if (answer?.ok && !(await answer.json()).scopes.some((scope) => /^(read|admin)/.test(scope))) {
      this.#close();
      this.#isOut = true;
      this.#show("signed_out");
      document.dispatchEvent(new CustomEvent("live:signed-out"));
    }
  }

  // A connection that a host takes and never answers is stale, too.
  #look() {
    const heard = Math.max(this.#heard, this.#opened);
    if (!this.#source || Date.now() - (this.#heard || heard) <= PATIENCE) return;
    if (document.body.dataset.live === "live") this.#show("stale", { time: time(this.#heard / 1000) });
    if (Date.now() - heard > 3 * PATIENCE) this.#fail(this.#source);
  }

  // A hidden page gives its connection back: browsers have six for one host.
  #onVisibility() {
    clearTimeout(this.#hiding);
    if (!document.hidden) {
      if (!this.#source && !this.#isOut) this.#reopen();
      return;
    }
    if (this.#isOut) return;
    this.#hiding = setTimeout(() => {
      this.#close();
      this.#show("paused");
    }, HIDDEN_FOR);
  }

  #show(state, values) {
    if (!this.box || this.box.dataset.state === state) return;
    this.box.dataset.state = state;
    this.box.textContent = state === "idle" ? "" : t(`console.live.${state}`, values);
    document.body.dataset.live = state;
  }
}

export const live = new Live();
