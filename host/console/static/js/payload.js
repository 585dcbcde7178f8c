// Shows a body: JSON as a tree or as text, other text as it is, bytes in hex.

import { make, replace } from "/static/dom.js";
import { bytes } from "./format.js";
import { drawJson } from "./json.js";
import { parseWritten } from "./json_text.js";
import { decode, dump } from "./mqtt-bytes.js";
import { t } from "./strings.js";

const LARGEST_TREE = 256 * 1024;
const MOST_BYTES = 16 * 1024;

/** What the text says as JSON, undefined for what is none. */
export function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function written(text) {
  try {
    return parseWritten(text);
  } catch {
    return undefined;
  }
}

/** The element for a body as records and tries tell it. The strings are those of `outcome`. */
export function drawPayload({ body, encoding, size = 0, cut = false }) {
  if (body == null) return make("p", { class: "quiet" }, t("outcome.nothing"));
  if (encoding === "base64") {
    return make("div", {}, make("p", { class: "quiet" }, t("outcome.bytes", { size: bytes(size) })), plain(hex(body)));
  }
  const value = cut || body.length > LARGEST_TREE ? undefined : written(body);
  if (value === undefined) {
    return make("div", {}, cut && make("p", { class: "quiet" }, t("outcome.cut", { size: bytes(size) })), plain(body));
  }
  return value !== null && typeof value === "object" ? both(value, body) : drawJson(value);
}

function hex(base64) {
  const whole = decode(base64);
  const shown = dump(whole.subarray(0, MOST_BYTES), 16);
  return whole.length > MOST_BYTES ? `${shown}\n…` : shown;
}

function plain(text) {
  return make("pre", { tabindex: "0" }, text);
}

function both(value, text) {
  const box = make("div", {}, drawJson(value));
  const change = make("button", { type: "button", class: "plain small payload-form" }, t("outcome.as_text"));
  let tree = true;
  change.addEventListener("click", () => {
    tree = !tree;
    replace(box, tree ? drawJson(value) : plain(text));
    change.textContent = t(tree ? "outcome.as_text" : "outcome.as_tree");
  });
  return make("div", { class: "payload-box" }, change, box);
}
