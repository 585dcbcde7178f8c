// Events to load: those that people saved on the host, the samples of the package, and the last invocations.

import { make, replace } from "/static/dom.js";
import { askJson } from "./api.js";
import { time } from "./format.js";
import { t } from "./strings.js";
import { toast } from "./toast.js";

const LAST = 10;

/** Fills a select with events; `chosen({name, body, encoding, content_type, headers, saved})` is called for one. */
export class SavedEvents {
  #groups = { saved: [], samples: [], last: [] };

  constructor(select, name, chosen) {
    this.select = select;
    this.path = `/api/functions/${encodeURIComponent(name)}/saved-events`;
    this.name = name;
    this.first = make("option", { value: "" }, select.options[0].textContent);
    select.addEventListener("change", async () => {
      const [group, place] = select.value.split(":");
      if (!group) return;
      try {
        chosen(await this.#load(group, this.#groups[group][Number(place)]));
      } catch (error) {
        toast(error.message, { bad: true });
      }
    });
  }

  /** Read all of them; returns what could be shown first, if there is any. */
  async read() {
    const [told, last] = await Promise.all([askJson(this.path), this.#readLast()]);
    this.#groups = { saved: told.saved, samples: told.samples, last };
    this.#draw();
    return told.saved[0] ?? told.samples[0] ?? (last[0] && this.#load("last", last[0]).catch(() => null));
  }

  /** Keep an event under a name, for everybody. */
  async save(name, event) {
    await askJson(this.#place(name), { method: "PUT", json: event });
    await this.read();
    this.select.value = `saved:${this.#groups.saved.findIndex((each) => each.name === name)}`;
  }

  async drop(name) {
    await askJson(this.#place(name), { method: "DELETE" });
    await this.read();
  }

  // Never in the path: browsers take `..` for a way up, which leads to the function itself.
  #place(name) {
    return `${this.path}?${new URLSearchParams({ event: name })}`;
  }

  async #readLast() {
    const query = new URLSearchParams({ function: this.name, limit: LAST });
    return (await askJson(`/api/records?${query}`)).records;
  }

  async #load(group, event) {
    if (group !== "last") return { ...event, saved: group === "saved" };
    const { attempts } = await askJson(`/api/records/${encodeURIComponent(event.id)}`);
    const { body, encoding, content_type, cut, redacted, lost } = attempts.at(-1).input;
    if (cut || redacted || lost) throw new Error(t("function-try.saved.not_whole"));
    return { name: "", body: body ?? "", encoding: encoding ?? "text", content_type: content_type ?? "", headers: [], saved: false };
  }

  #draw() {
    const groups = Object.entries({ saved: "mine", samples: "samples", last: "last" }).map(([group, label]) => {
      const options = this.#groups[group].map((each, place) => make("option", { value: `${group}:${place}` }, labelOf(group, each)));
      return options.length > 0 && make("optgroup", { label: t(`function-try.saved.${label}`) }, options);
    });
    replace(this.select, this.first, groups);
  }
}

function labelOf(group, each) {
  return group === "last" ? `${time(each.stages.ended)} · ${t(`invocations.result.${each.result}`)} · ${each.id.slice(0, 8)}` : each.name;
}
