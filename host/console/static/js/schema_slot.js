// A place in a document that a form edits: what stands there, what its schema says, and how it is changed.

import { below, kindOf, resolve, valuesOf } from "./schema.js";

/**
 * `at` is its path, `pattern` the same without numbers and free keys: `rules[].sub`, `secrets.*`. `outer` is the
 * choice of which this is one kind.
 */
export class Slot {
  constructor({ schema, root, at = "", pattern = "", name = "", required = false, outer = null, get, set }) {
    this.schema = resolve(schema, root);
    Object.assign(this, { root, at, pattern, name, required, outer, get, set });
  }

  get kind() {
    return kindOf(this.schema);
  }

  /** Whether its key is one that the schema names. */
  get isNamed() {
    return !this.pattern.endsWith("[]") && !this.pattern.endsWith("*");
  }

  /** Whether anything stands there. */
  get isSet() {
    return this.get() !== undefined && this.get() !== null;
  }

  /** The slot of a key that the schema names. */
  property(name) {
    return this.#inner(name, this.schema.properties[name], below(this.pattern, name), (this.schema.required ?? []).includes(name));
  }

  /** The slot of a key that anybody chose. */
  entry(name) {
    return this.#inner(name, valuesOf(this.schema), `${this.pattern}.*`, true);
  }

  /** The slot of a key that no schema knows. */
  stranger(name) {
    return this.#inner(name, {}, below(this.pattern, name), false);
  }

  /** The slot of an item of a list. */
  item(place) {
    return this.#inner(place, this.schema.items ?? {}, `${this.pattern}[]`, true);
  }

  /** The same place, read as one of several kinds. */
  as(schema) {
    return new Slot({ ...this, schema, outer: this });
  }

  /** Keys that stand there and that the schema does not name. */
  strangers() {
    const value = this.get();
    if (value === null || typeof value !== "object" || Array.isArray(value)) return [];
    return Object.keys(value).filter((name) => !Object.hasOwn(this.schema.properties ?? {}, name));
  }

  #inner(name, schema, pattern, required) {
    const get = () => {
      const whole = this.get();
      return whole !== null && typeof whole === "object" && Object.hasOwn(whole, name) ? whole[name] : undefined;
    };
    const set = (value) => this.set(this.#with(name, value));
    return new Slot({ schema, root: this.root, at: below(this.at, name), pattern, name: String(name), required, get, set });
  }

  // A section in which nothing is said any more is not said at all, unless it has to be or was added by hand.
  #with(name, value) {
    const whole = this.get();
    if (typeof name === "number") return whole.map((each, place) => (place === name ? value ?? null : each));
    const rest = { ...(whole ?? {}) };
    if (value === undefined) delete rest[name];
    else Object.defineProperty(rest, name, { value, enumerable: true, configurable: true, writable: true });
    return Object.keys(rest).length || this.required || this.schema.nullable || !this.at ? rest : undefined;
  }
}
