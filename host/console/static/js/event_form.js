// The tab Try's other view of an event: a form, drawn from the schema that a revision's manifest declares as its `input`.

import { askJson } from "./api.js";
import { parsed } from "./payload.js";
import { beginning, resolve } from "./schema.js";
import { SchemaForm } from "./schema_form.js";
import { Slot } from "./schema_slot.js";

const DEEPEST = 32;
const $ = (id) => document.getElementById(id);

/**
 * Shows the form or the text, never both. `declared` are the numbers of revisions that have a schema, `read()` gives the
 * text (null while a file stands in its place), `write(text)` takes what was filled in.
 */
export class EventForm {
  #schemas = new Map();
  #schema = null;
  #wanted = true;

  constructor({ name, live, declared, read, write }) {
    Object.assign(this, { name, live, declared, read, write });
    $("as-form").addEventListener("click", () => this.#choose(true));
    $("as-json").addEventListener("click", () => this.#choose(false));
    $("target").addEventListener("change", () => this.follow());
  }

  /** Show what the text and the chosen revision are by now. */
  async follow() {
    const number = this.#number();
    const schema = this.declared.includes(number) ? await this.#ask(number) : null;
    if (number !== this.#number()) return;
    this.#schema = schema;
    $("views").hidden = !schema || this.read() === null;
    this.#draw();
  }

  #number() {
    return Number($("target").value) || this.live;
  }

  async #ask(number) {
    if (!this.#schemas.has(number)) {
      const told = await askJson(`/api/functions/${encodeURIComponent(this.name)}/revisions/${number}/environment`).catch(() => null);
      this.#schemas.set(number, told?.input ?? null);
    }
    return this.#schemas.get(number);
  }

  #choose(wanted) {
    this.#wanted = wanted;
    this.#draw();
  }

  #draw() {
    const offered = !$("views").hidden && this.#wanted;
    const shown = offered && this.#fill();
    $("misfit").hidden = !offered || shown;
    $("body-form").hidden = !shown;
    $("body").hidden = shown;
    $("as-form").setAttribute("aria-pressed", String(shown));
    $("as-json").setAttribute("aria-pressed", String(!shown));
    if (!shown) $("body-form").replaceChildren();
  }

  // A package's schema may say anything: what cannot be drawn is left to the text.
  #fill() {
    try {
      const text = this.read();
      const value = text.trim() ? parsed(text) : beginning(resolve(this.#schema, this.#schema));
      if (value === undefined || value === null || !isExact(value) || !fits(this.#schema, value)) return false;
      const form = new SchemaForm($("body-form"), {
        schema: this.#schema, value, prefix: "event",
        onchange: () => this.write(JSON.stringify(form.value, null, 2)),
      });
      return true;
    } catch {
      return false;
    }
  }
}

function fits(schema, value) {
  return fitsSlot(new Slot({ schema, root: schema, get: () => value, set: () => {} }), DEEPEST);
}

// Only the shape counts: a number that is too large is for the function to refuse.
function fitsSlot(slot, left) {
  const value = slot.get();
  if (value === undefined || left === 0) return true;
  const isObject = value !== null && typeof value === "object" && !Array.isArray(value);
  if (slot.kind === "list") return Array.isArray(value) && value.every((_, place) => fitsSlot(slot.item(place), left - 1));
  if (slot.kind === "map") return isObject && Object.keys(value).every((key) => fitsSlot(slot.entry(key), left - 1));
  if (slot.kind === "object") return isObject && Object.keys(slot.schema.properties).every((key) => fitsSlot(slot.property(key), left - 1));
  return ["any", "choice"].includes(slot.kind) || value === null || typeof value !== "object";
}

// Numbers that JavaScript cannot hold would come back changed.
function isExact(value) {
  if (typeof value === "number") return !Number.isInteger(value) || Number.isSafeInteger(value);
  return value === null || typeof value !== "object" || Object.values(value).every(isExact);
}
