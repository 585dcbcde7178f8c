// Draws a JSON Schema as a form: sections that fold, lists, maps, choices; problems stand at their field.
// A page that uses it needs the strings `form`, and the style `form.css`.

import { make, prose } from "/static/dom.js";
import { about } from "./about.js";
import { beginning, isLeaf, titleOf } from "./schema.js";
import { control } from "./schema_controls.js";
import { drawChoice, drawList, drawMap, toolButton } from "./schema_groups.js";
import { Slot } from "./schema_slot.js";
import { t } from "./strings.js";

const MOST_FOUND = 3000;

/**
 * A form in `box` for the document `value`, of which `schema` tells what may stand in it. `label(pattern)` gives a name in the
 * viewer's language or null (`rules[].sub`, `secrets.*`), `isSecret(pattern)` says what is not to be seen while
 * it is typed, and `onchange()` is called after each change: `form.value` is the document then. What is empty is
 * left out of it.
 */
export class SchemaForm {
  #slots = new Map();
  #count = 0;
  // What groups need to draw what is inside of them.
  #tools = {
    draw: (slot) => this.#draw(slot),
    redraw: (slot, focus) => this.#redraw(slot, focus),
    body: (slot) => this.#body(slot),
    focus: (path) => this.focus(path),
    name: (slot) => this.#name(slot) || slot.name,
    id: () => this.#id(),
    control: (slot, id) => control(slot, { id }, this.isSecret(slot.pattern)),
  };

  constructor(box, { schema, value, label = () => null, isSecret = () => false, onchange = () => {}, prefix = "field" }) {
    Object.assign(this, { box, schema, label, isSecret, onchange, prefix });
    this.show(value);
  }

  /** Have another document. */
  show(value) {
    this.value = value ?? {};
    this.#slots.clear();
    this.root = new Slot({
      schema: this.schema, root: this.schema, required: true,
      get: () => this.value,
      set: (whole) => {
        this.value = whole;
        this.onchange();
      },
    });
    this.box.replaceChildren(...(this.root.kind === "object" ? this.#members(this.root) : [this.#draw(this.root)]));
  }

  /** Show `{path, message, hint}` at their fields instead of what was shown before; returns those that have none. */
  tell(problems) {
    for (const element of this.box.querySelectorAll(".field-problem:not([hidden])")) this.#clear(element);
    return problems.filter((problem) => !this.#place(problem));
  }

  /** Go to the field of a path, opening what is around it. */
  focus(path) {
    const found = this.#reveal(path);
    found?.element.querySelector("input, select, textarea, button, summary")?.focus();
    found?.element.scrollIntoView({ block: "center" });
  }

  /** Show only what has `text` in its name, key or help; returns how much that is. */
  filter(text) {
    const wanted = text.trim().toLocaleLowerCase();
    if (wanted) this.#openAll();
    let found = 0;
    const visit = (element, isInside) => {
      const fits = isInside || (wanted && element.dataset.said.includes(wanted));
      if (fits && !isInside) found += 1;
      let shown = fits || !wanted;
      for (const child of inner(element)) shown = visit(child, fits) || shown;
      element.hidden = !shown;
      if (element.tagName === "DETAILS" && wanted) element.open = shown && !fits;
      return shown;
    };
    for (const element of inner(this.box)) visit(element, false);
    if (!wanted) for (const each of this.box.querySelectorAll("details[open]")) each.open = false;
    return found;
  }

  #openAll() {
    for (let left = MOST_FOUND, drawn = true; drawn && left > 0;) {
      drawn = false;
      for (const slot of [...this.#slots.values()]) {
        if (slot.fill && left > 0) {
          slot.fill();
          drawn = true;
        }
        left -= 1;
      }
    }
  }

  #place({ path, message, hint }) {
    const found = this.#reveal(path);
    if (!found) return false;
    const box = found.element.querySelector(":scope > .field-problem");
    const rest = path.slice(found.at.length).replace(/^\./u, "");
    const line = make("p", {}, rest && make("code", {}, `${rest}: `), make("span", { lang: "en" }, message, hint ? ` (${hint})` : ""));
    box.append(line);
    box.hidden = false;
    found.element.classList.add("has-problem");
    found.element.querySelector(`[aria-describedby~="${box.id}"]`)?.setAttribute("aria-invalid", "true");
    return true;
  }

  #clear(element) {
    element.replaceChildren();
    element.hidden = true;
    element.parentElement.classList.remove("has-problem");
    element.parentElement.querySelector(`[aria-describedby~="${element.id}"]`)?.removeAttribute("aria-invalid");
  }

  // What is folded has not been drawn: each step opens what is nearest around the path.
  #reveal(path) {
    let found = null;
    for (let next = this.#nearest(path); next && next !== found; next = this.#nearest(path)) {
      found = next;
      found.fill?.();
      for (let each = found.element; each !== this.box; each = each.parentElement) {
        if (each.tagName === "DETAILS" && (each !== found.element || path !== found.at)) each.open = true;
        each.hidden = false;
      }
    }
    return found;
  }

  #nearest(path) {
    let found = null;
    for (const [at, each] of this.#slots) {
      const fits = path === at || (path.startsWith(at) && ".[".includes(path[at.length]));
      if (fits && at.length >= (found?.at.length ?? 0)) found = each;
    }
    return found;
  }

  #members(slot) {
    const slots = Object.keys(slot.schema.properties).map((name) => slot.property(name));
    const leaves = slots.filter((each) => isLeaf(each.schema));
    const strangers = slot.strangers().map((name) => this.#leaf(slot.stranger(name), t("form.unknown")));
    const grid = (leaves.length || strangers.length) && make("div", { class: "fields" }, leaves.map((each) => this.#leaf(each)), strangers);
    return [grid, ...slots.filter((each) => !isLeaf(each.schema)).map((each) => this.#draw(each))].filter(Boolean);
  }

  #draw(slot) {
    if (isLeaf(slot.schema)) return this.#leaf(slot);
    if (slot.schema.nullable && !slot.isSet) return this.#absent(slot);
    return this.#group(slot);
  }

  #redraw(part, focus) {
    const slot = part.outer ?? part;
    const old = this.#slots.get(slot.at).element;
    for (const at of [...this.#slots.keys()]) if (at !== slot.at && at.startsWith(slot.at) && ".[".includes(at[slot.at.length])) this.#slots.delete(at);
    const fresh = this.#draw(slot);
    old.replaceWith(fresh);
    if (fresh.tagName === "DETAILS") {
      this.#slots.get(slot.at).fill?.();
      fresh.open = true;
    }
    const aims = [...fresh.querySelectorAll("input, select, textarea, button, summary")];
    (focus ? fresh.querySelector(focus) ?? aims.at(-1) : aims[0])?.focus();
  }

  #enter(slot, element, fill = null) {
    const help = `${this.#name(slot)} ${slot.at} ${slot.schema.description ?? ""}`;
    element.dataset.at = slot.at;
    element.dataset.said = help.toLocaleLowerCase();
    this.#slots.set(slot.at, { at: slot.at, element, fill });
    return element;
  }

  #name(slot) {
    return this.label(slot.pattern) ?? "";
  }

  #id() {
    this.#count += 1;
    return `${this.prefix}-${this.#count}`;
  }

  #caption(slot) {
    const name = this.#name(slot);
    const isItem = slot.pattern.endsWith("[]");
    const needed = slot.required && slot.isNamed && make("abbr", { class: "needed", title: t("form.required") }, "*");
    return [name && make("span", {}, name), " ", make("code", {}, isItem ? String(Number(slot.name) + 1) : slot.name), needed];
  }

  #help(slot, id) {
    return make("p", { class: "help", id, lang: about.language === "en" ? null : "en" }, prose(slot.schema.description));
  }

  #leaf(slot, warning = "") {
    const [id, help, problem] = [this.#id(), this.#id(), this.#id()];
    const field = control(slot, { id, "aria-describedby": `${help} ${problem}`, "aria-required": slot.required || null }, this.isSecret(slot.pattern));
    field.addEventListener("input", () => this.#clear(field.closest(".field").querySelector(":scope > .field-problem")));
    return this.#enter(slot, make("div", { class: "field" },
      make("label", { for: id }, this.#caption(slot)), field,
      warning ? make("p", { class: "help state warn", id: help }, warning) : this.#help(slot, help),
      make("div", { class: "field-problem", id: problem, hidden: true })));
  }

  #absent(slot) {
    const add = () => {
      slot.set(beginning(slot.schema));
      this.#redraw(slot);
    };
    return this.#enter(slot, make("div", { class: "field absent" },
      make("div", { class: "row" }, make("button", { type: "button", class: "plain small", onclick: add }, t("form.add"), " ", this.#caption(slot))),
      this.#help(slot, this.#id()),
      make("div", { class: "field-problem", id: this.#id(), hidden: true })));
  }

  #group(slot) {
    const body = make("div", { class: "group-body" });
    const count = make("span", { class: "quiet" }, summary(slot.get()));
    const box = make("details", { class: "group" },
      make("summary", {}, this.#caption(slot), " ", count),
      make("div", { class: "field-problem", id: this.#id(), hidden: true }), body);
    const entered = this.#enter(slot, box, () => {
      this.#slots.get(slot.at).fill = null;
      body.append(this.#help(slot, this.#id()), ...this.#body(slot));
    });
    box.addEventListener("toggle", () => {
      if (box.open) this.#slots.get(slot.at)?.fill?.();
      else count.textContent = summary(slot.get());
    });
    return entered;
  }

  #body(slot) {
    const draw = { list: drawList, map: drawMap, choice: drawChoice }[slot.kind] ?? (() => this.#members(slot));
    const members = draw(slot, this.#tools);
    if (slot.schema.nullable) members.push(toolButton("form.remove", { name: slot.name }, () => {
      slot.set(undefined);
      this.#redraw(slot);
    }));
    return members;
  }
}

function inner(element) {
  const found = [];
  const visit = (each) => {
    if (each.dataset.at !== undefined) found.push(each);
    else for (const child of each.children) visit(child);
  };
  for (const child of element.children) visit(child);
  return found;
}

function summary(value) {
  if (Array.isArray(value)) return value.length ? t("form.entries", { n: value.length }) : "";
  if (value === null || typeof value !== "object") return "";
  return titleOf(value) || (Object.keys(value).length ? t("form.said", { n: Object.keys(value).length }) : "");
}
