// Draws JSON as a tree of text that folds; values can be picked by click or key, by their path in it.

import { make } from "/static/dom.js";
import { Written } from "./json_text.js";

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

/**
 * Have a tree that `drawJson` made show `value`, so that what has the focus keeps it. False where that has another
 * shape (other keys, or another kind of value) and is to be drawn anew.
 */
export function updateJson(tree, value) {
  const leaves = [...tree.querySelectorAll(".json-leaf")];
  const found = [];
  collect(value, found);
  const fits = leaves.length === found.length && leaves.every((leaf, place) =>
    leaf.dataset.at === found[place].at && leaf.classList.contains(`json-${kindOf(found[place].value)}`));
  if (fits) {
    leaves.forEach((leaf, place) => {
      const text = textOf(found[place].value);
      if (leaf.textContent !== text) leaf.textContent = text;
    });
  }
  return fits;
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
  if (isLeaf(value)) return leaf(value, path, how);
  const entries = Array.isArray(value) ? value.map((each, place) => [place, each]) : Object.entries(value);
  const [open, close] = Array.isArray(value) ? "[]" : "{}";
  if (!entries.length) return make("span", {}, open + close);
  const rows = entries.slice(0, MOST_CHILDREN).map(([key, each]) =>
    make("div", { class: "json-row" }, make("span", { class: "json-key" }, `${key}: `), drawn(each, [...path, key], depth + 1, how)));
  if (entries.length > MOST_CHILDREN) rows.push(make("div", { class: "quiet" }, `… +${entries.length - MOST_CHILDREN}`));
  return make("details", { open: depth < OPEN_DEPTH }, make("summary", {}, `${open}${entries.length}${close}`), rows);
}

function leaf(value, path, { pick, mark }) {
  const attributes = { class: `json-leaf json-${kindOf(value)}`, "data-at": placeOf(path) };
  const element = !pick || value === null ? make("span", attributes, textOf(value))
    : make("button", { type: "button", ...attributes, class: `json-value ${attributes.class}`, onclick: () => pick(path, value) }, textOf(value));
  const said = mark?.(path);
  return said ? make("span", { class: "json-marked" }, element, make("span", { class: "json-mark" }, ` ≠ ${said}`)) : element;
}

// What `drawn` makes leaves of, in its order.
function collect(value, found, path = []) {
  if (isLeaf(value)) {
    found.push({ at: placeOf(path), value });
    return;
  }
  const keys = Array.isArray(value) ? value.slice(0, MOST_CHILDREN).map((_, place) => place) : Object.keys(value).slice(0, MOST_CHILDREN);
  for (const key of keys) collect(value[key], found, [...path, key]);
}

function placeOf(path) {
  return JSON.stringify(path);
}

function isLeaf(value) {
  return value === null || typeof value !== "object" || value instanceof Written;
}

function kindOf(value) {
  if (value instanceof Written) return "number";
  return value === null ? "null" : typeof value;
}

function textOf(value) {
  const whole = value instanceof Written ? value.text : JSON.stringify(value) ?? "null";
  return whole.length > LONGEST ? `${whole.slice(0, LONGEST)}…` : whole;
}
