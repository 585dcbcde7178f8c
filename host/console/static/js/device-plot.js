// The plot of a device: columns that grow, of which some fields are shown as they are chosen.

import { make } from "/static/dom.js";
import { Chart } from "./charts.js";
import { pathText } from "./json.js";
import { t } from "./strings.js";
import { toast } from "./toast.js";

const MOST = 600;
const FIRST_INPUTS = 2;
const FIRST_OUTPUTS = 1;

const keyOf = (of, path) => JSON.stringify([of, path]);
const labelOf = (key) => {
  const [of, path] = JSON.parse(key);
  return of ? `${of}: ${path || "="}` : path || "=";
};

export class DevicePlot {
  #times = [];
  #columns = new Map();
  #chosen = null;
  #chart = null;

  constructor(box, chips) {
    Object.assign(this, { box, chips });
  }

  /** Columns that go on, as the host tells them. */
  add({ fields, times, columns }) {
    const before = this.#times;
    const first = times.length ? before.findIndex((at) => at >= times[0]) : -1;
    const kept = first < 0 ? before.length : first;
    const cut = Math.max(0, kept + times.length - MOST);
    this.#times = [...before.slice(0, kept), ...times].slice(cut);
    const told = new Map(fields.map((field, place) => [keyOf(field.of, field.path), columns[place]]));
    for (const key of new Set([...this.#columns.keys(), ...told.keys()])) {
      const old = this.#columns.get(key) ?? Array(before.length).fill(null);
      this.#columns.set(key, [...old.slice(0, kept), ...(told.get(key) ?? Array(times.length).fill(null))].slice(cut));
    }
    this.#chosen ??= this.#columns.size ? this.#usual() : null;
    this.#draw();
  }

  /** Show the value at a path of what `of` made, or of the event; or show it no more. */
  toggle(of, path, value) {
    const key = keyOf(of, pathText(path));
    if (typeof value === "string") return toast(t("device.plot.text"));
    if (!this.#columns.has(key)) return toast(t("device.plot.full"));
    this.#chosen = this.#chosen.includes(key) ? this.#chosen.filter((each) => each !== key) : [...this.#chosen, key];
    this.#chart?.close();
    this.#chart = null;
    return this.#draw();
  }

  #usual() {
    const keys = [...this.#columns.keys()];
    const inputs = keys.filter((key) => !JSON.parse(key)[0]);
    return [...inputs.slice(0, FIRST_INPUTS), ...keys.filter((key) => JSON.parse(key)[0]).slice(0, FIRST_OUTPUTS)];
  }

  #draw() {
    if (!this.#chosen?.length) {
      this.box.replaceChildren(make("p", { class: "empty" }, t("device.plot.none")));
      this.chips.replaceChildren();
      return;
    }
    if (!this.#chart) {
      this.box.replaceChildren();
      this.#chart = new Chart(this.box, { label: t("device.plot.label"), height: 260, series: this.#chosen.map((key) => this.#series(key)) });
      this.#drawChips();
    }
    this.#chart.show([this.#times, ...this.#chosen.map((key) => this.#columns.get(key))]);
  }

  // What functions make of a value has its own axis, on the right: a score beside a temperature would be a flat line.
  #series(key) {
    const isFlag = this.#columns.get(key).every((value) => value === null || value === 0 || value === 1);
    return { label: labelOf(key), unit: "value", kind: isFlag ? "steps" : "line", scale: JSON.parse(key)[0] ? "output" : "input" };
  }

  #drawChips() {
    this.chips.replaceChildren(...this.#chosen.map((key) => make("button", {
      type: "button", class: "chip", title: t("device.plot.remove", { field: labelOf(key) }),
      onclick: () => this.toggle(...this.#place(key)),
    }, labelOf(key))));
  }

  #place(key) {
    const [of, path] = JSON.parse(key);
    return [of, [path], 0];
  }
}
