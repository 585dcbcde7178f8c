// What folds in a form that is drawn from a schema: lists, maps and choices. The form's `tools` draw what is inside.

import { make } from "/static/dom.js";
import { beginning, isLeaf, optionOf, titleOf } from "./schema.js";
import { t } from "./strings.js";

const ADDER = '[data-does="form.add_item"]';

/** A small button that is called `t(key, values)`; `text` is what it shows. */
export function toolButton(key, values, onclick, text = t(key, values)) {
  return make("button", { type: "button", class: "plain small", "aria-label": t(key, values), "data-does": key, onclick }, text);
}

export function drawList(slot, tools) {
  const items = Array.isArray(slot.get()) ? slot.get() : [];
  const change = (whole, focus) => {
    slot.set(whole);
    tools.redraw(slot, focus);
  };
  const move = (from, to) => change(moved(slot.get(), from, to), `[data-place="${to}"] .item-tools button`);
  const rows = items.map((item, place) => {
    const name = titleOf(item) || String(place + 1);
    return make("div", { class: "item", "data-place": place }, tools.draw(slot.item(place)), make("div", { class: "item-tools" },
      place > 0 && toolButton("form.up", { name }, () => move(place, place - 1), "↑"),
      place < items.length - 1 && toolButton("form.down", { name }, () => move(place, place + 1), "↓"),
      toolButton("form.remove", { name }, () => change(slot.get().filter((_, each) => each !== place), ADDER), "✕")));
  });
  const add = () => {
    change([...items, beginning(slot.item(0).schema) ?? ""]);
    tools.focus(`${slot.at}[${items.length}]`);
  };
  return [...rows, toolButton("form.add_item", { name: tools.name(slot) }, add, t("form.add"))];
}

export function drawMap(slot, tools) {
  const rows = Object.keys(slot.get() ?? {}).map((name) => make("div", { class: "item" }, tools.draw(slot.entry(name)), make("div", { class: "item-tools" },
    toolButton("form.remove", { name }, () => {
      slot.entry(name).set(undefined);
      tools.redraw(slot, ADDER);
    }, "✕"))));
  const id = tools.id();
  const name = make("input", { id, type: "text" });
  const add = () => {
    if (!name.value || Object.hasOwn(slot.get() ?? {}, name.value)) return name.focus();
    const entry = slot.entry(name.value);
    entry.set(beginning(entry.schema) ?? "");
    tools.redraw(slot);
    return tools.focus(entry.at);
  };
  name.addEventListener("keydown", (event) => {
    if (event.key !== "Enter") return;
    event.preventDefault();
    add();
  });
  return [...rows, make("div", { class: "row" }, make("label", { for: id }, t("form.key")), name, toolButton("form.add_item", { name: tools.name(slot) }, add, t("form.add")))];
}

export function drawChoice(slot, tools) {
  const { options } = slot.schema;
  const chosen = slot.isSet ? optionOf(slot.schema, slot.get()) : 0;
  const id = tools.id();
  const box = make("select", { id }, options.map((each, place) => make("option", { value: String(place) }, each.title ?? each.type ?? String(place + 1))));
  box.value = String(chosen);
  box.addEventListener("change", () => {
    slot.set(beginning(options[Number(box.value)]));
    tools.redraw(slot, "select");
  });
  const inner = slot.as(options[chosen]);
  const parts = isLeaf(inner.schema) ? [alone(inner, tools)] : tools.body(inner);
  return [make("div", { class: "field" }, make("label", { for: id }, t("form.kind")), box), ...parts];
}

// The value of a choice has its choice's path, which is entered already.
function alone(slot, tools) {
  const id = tools.id();
  return make("div", { class: "field" }, make("label", { for: id }, t("form.value")), tools.control(slot, id));
}

function moved(items, from, to) {
  const whole = [...items];
  whole.splice(to, 0, ...whole.splice(from, 1));
  return whole;
}
