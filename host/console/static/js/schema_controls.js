// The fields of a form that is drawn from a schema: each an element that tells its slot what was typed.

import { make } from "/static/dom.js";
import { writeDefault } from "./schema.js";
import { t } from "./strings.js";

const KEPT = /^\$\{kept:\d+\}$/u;
const REFERENCE = /^\$\{(env|file):[^{}]*\}$/u;

/** The control of a slot that is one field; `attributes` tie it to its label and help. `isSecret`: hide what is typed. */
export function control(slot, attributes, isSecret) {
  if (slot.kind === "const") return select(slot, attributes, [[slot.schema.const, said(slot.schema.const)]]);
  if (slot.kind === "boolean") return select(slot, attributes, [[true, t("form.yes")], [false, t("form.no")]]);
  if (slot.kind === "enum") return select(slot, attributes, slot.schema.enum.map((each) => [each, said(each)]));
  if (slot.kind === "number") return numberInput(slot, attributes);
  if (slot.kind === "any") return anyInput(slot, attributes);
  return isSecret || slot.schema.writeOnly || slot.schema.format === "password" ? secretInput(slot, attributes) : textInput(slot, attributes);
}

function select(slot, attributes, options) {
  const value = slot.get();
  const known = options.some(([each]) => each === value);
  const box = make("select", attributes);
  const unset = slot.schema.default == null ? t("form.unset") : t("form.default", { value: said(slot.schema.default) });
  if (!slot.required || !known) box.append(make("option", { value: "" }, value === undefined || value === null || known ? unset : String(value)));
  options.forEach(([, text], place) => box.append(make("option", { value: String(place) }, text)));
  box.value = known ? String(options.findIndex(([each]) => each === value)) : "";
  box.addEventListener("change", () => slot.set(box.value === "" ? undefined : options[Number(box.value)][0]));
  return box;
}

function said(value) {
  if (typeof value === "boolean") return value ? t("form.yes") : t("form.no");
  return String(value);
}

function numberInput(slot, attributes) {
  const { minimum, maximum, type } = slot.schema;
  const box = make("input", { ...attributes, type: "number", min: minimum, max: maximum, step: type === "integer" ? 1 : "any", placeholder: placeholder(slot) });
  const value = slot.get();
  // What is no number, and should be one, is shown as it is.
  if (value != null && typeof value !== "number") box.type = "text";
  box.value = value ?? "";
  box.addEventListener("input", () => {
    const typed = box.value.trim();
    if (box.validity.badInput) return;
    slot.set(typed === "" ? undefined : Number.isNaN(Number(typed)) ? typed : Number(typed));
  });
  return box;
}

function textInput(slot, attributes) {
  const value = slot.get();
  const shown = value == null ? "" : typeof value === "object" ? JSON.stringify(value) : String(value);
  const box = shown.includes("\n")
    ? make("textarea", { ...attributes, rows: Math.min(12, shown.split("\n").length) })
    : make("input", { ...attributes, type: "text", placeholder: placeholder(slot) });
  box.value = shown;
  box.addEventListener("input", () => slot.set(box.value === shown ? value : box.value === "" && !slot.at.endsWith("]") ? undefined : box.value));
  return box;
}

// A secret that is kept is not known here: its mark comes back as it is, until something is typed.
function secretInput(slot, attributes) {
  const value = slot.get() ?? "";
  const kept = KEPT.test(value);
  const isOpen = REFERENCE.test(value);
  const box = make("input", {
    ...attributes, type: isOpen ? "text" : "password", autocomplete: "new-password", spellcheck: "false",
    placeholder: kept ? t("form.kept") : "${env:NAME}",
  });
  box.value = kept ? "" : value;
  box.addEventListener("input", () => {
    box.type = box.value.startsWith("${") ? "text" : "password";
    slot.set(box.value || (kept ? value : undefined));
  });
  return box;
}

function anyInput(slot, attributes) {
  const value = slot.get();
  const box = make("textarea", { ...attributes, rows: 2, placeholder: slot.schema.examples?.[0] ?? "" });
  box.value = value === undefined ? "" : typeof value === "string" && !isJson(value) ? value : JSON.stringify(value, null, 1);
  box.addEventListener("input", () => {
    const typed = box.value.trim();
    slot.set(typed === "" ? undefined : isJson(typed) ? JSON.parse(typed) : box.value);
  });
  return box;
}

function isJson(text) {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

function placeholder(slot) {
  const written = writeDefault(slot.schema);
  return written || (slot.schema.examples?.length ? slot.schema.examples.join(", ") : "");
}
