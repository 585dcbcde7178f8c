// Fields of inputs and outputs: what their values are as numbers, and how an address names them (RFC 6901).

import { pathText, valueAt } from "./json.js";

/** Input or output. */
export const SIDES = ["input", "output"];

/** A number for what can be drawn: numbers, flags, numbers as text; null for all else. */
export function numeric(value) {
  if (typeof value === "number") return Number.isFinite(value) ? value : null;
  if (typeof value === "boolean") return Number(value);
  if (typeof value !== "string" || !value.trim()) return null;
  const number = Number(value);
  return Number.isFinite(number) ? number : null;
}

/** `/a/b~1c` for `["a", "b/c"]`. */
export function pointer(path) {
  return path.map((key) => `/${String(key).replaceAll("~", "~0").replaceAll("/", "~1")}`).join("");
}

/** The path that a pointer names; keys that are numbers may be those of arrays. */
export function pathOf(text) {
  return text.split("/").slice(1).map((key) => key.replaceAll("~1", "/").replaceAll("~0", "~"));
}

/** The number of a field in a sample, null where there is none. */
export function numberAt(sample, { side, path }) {
  return sample[side] === undefined ? null : numeric(valueAt(sample[side], path));
}

/** How a path reads for people; keys that are whole numbers read as places of a list. */
export function readable(path) {
  return pathText(path.map((key) => (/^\d+$/.test(key) ? Number(key) : key)));
}

/** The first path to a number, numbers before flags and texts; null if there is none. */
export function firstField(value) {
  for (const wanted of ["number", "any"]) {
    const found = search(value, [], wanted);
    if (found) return found;
  }
  return null;
}

function search(value, path, wanted) {
  if (value !== null && typeof value === "object") {
    for (const [key, each] of Object.entries(value)) {
      const found = search(each, [...path, key], wanted);
      if (found) return found;
    }
    return null;
  }
  return (wanted === "number" ? typeof value === "number" : numeric(value) !== null) ? path : null;
}
