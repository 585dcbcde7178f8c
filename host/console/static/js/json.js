// Draws JSON as a tree of text that folds; values can be picked by click or key, by their path in it.

import { make } from "/static/dom.js";

const OPEN_DEPTH = 3;
const MOST_CHILDREN = 200;
const LONGEST = 2000;

/**
 * The element for `value`. With `pick(path, value)` each number, text and flag is a button that calls it; what
 * `mark(path)` says of a value stands behind it, marked.
 */
export function drawJson(value, { pick = null, mark = null } = {}) {
  return make("div", { class: "json mono" }, drawn(value, [], 0, { pick, mark }));
}

/** The value at `path` (an array of keys), undefined if there is none. */
export function valueAt(value, path) {
  return path.reduce((found, key) => (found == null ? undefined : found[key]), value);
}

/** `a.b[0].c`, as people write a path. */
export function pathText(path) {
  return path.map((key, place) => (typeof key === "number" ? `[${key}]` : place ? `.${key}` : key)).join("");
}

function drawn(value, path, depth, how) {
  if (value === null || typeof value !== "object") return leaf(value, path, how);
  const entries = Array.isArray(value) ? value.map((each, place) => [place, each]) : Object.entries(value);
  const [open, close] = Array.isArray(value) ? "[]" : "{}";
  if (!entries.length) return make("span", {}, open + close);
  const rows = entries.slice(0, MOST_CHILDREN).map(([key, each]) =>
    make("div", { class: "json-row" }, make("span", { class: "json-key" }, `${key}: `), drawn(each, [...path, key], depth + 1, how)));
  if (entries.length > MOST_CHILDREN) rows.push(make("div", { class: "quiet" }, `… +${entries.length - MOST_CHILDREN}`));
  return make("details", { open: depth < OPEN_DEPTH }, make("summary", {}, `${open}${entries.length}${close}`), rows);
}

function leaf(value, path, { pick, mark }) {
  const whole = JSON.stringify(value) ?? "null";
  const text = whole.length > LONGEST ? `${whole.slice(0, LONGEST)}…` : whole;
  const kind = value === null ? "null" : typeof value;
  const element = !pick || value === null ? make("span", { class: `json-${kind}` }, text)
    : make("button", { type: "button", class: `json-value json-${kind}`, onclick: () => pick(path, value) }, text);
  const said = mark?.(path);
  return said ? make("span", { class: "json-marked" }, element, make("span", { class: "json-mark" }, ` ≠ ${said}`)) : element;
}
