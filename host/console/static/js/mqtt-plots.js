// Small plots of numbers in the messages of a topic, each chosen by a click in the JSON.

import { make } from "/static/dom.js";
import { Chart, Columns } from "./charts.js";
import { pathText, valueAt } from "./json.js";
import { asJson } from "./mqtt-bytes.js";
import { t } from "./strings.js";

const SECONDS = 600;
const MOST = 4;

/** Plots below each other in `box`; the oldest gives way to a fifth. */
export class FieldPlots {
  #plots = new Map();

  constructor(box) {
    this.box = box;
  }

  /** Plot the number at `path`, beginning with these messages. */
  add(path, topic, messages) {
    const name = pathText(path);
    if (this.#plots.has(name)) return;
    if (this.#plots.size >= MOST) this.#close(this.#plots.keys().next().value);
    const label = t("mqtt.view.plot", { field: name, topic });
    const box = make("div");
    const close = make("button", { type: "button", class: "plain small", onclick: () => this.#close(name) }, t("mqtt.view.unplot"));
    const whole = make("div", { class: "plot" }, make("div", { class: "row apart" }, make("h4", { class: "mono" }, name), close), box);
    this.box.append(whole);
    const chart = new Chart(box, { label, height: 130, span: 10, series: [{ label: name, unit: "value" }] });
    this.#plots.set(name, { path, whole, chart, columns: new Columns(1, SECONDS) });
    this.addMessages(messages);
  }

  /** More messages, the oldest first. */
  addMessages(messages) {
    if (!this.#plots.size) return;
    const told = messages.map((each) => [each.at, asJson(each.bytes)]);
    for (const { path, chart, columns } of this.#plots.values()) {
      for (const [at, json] of told) {
        const value = json && valueAt(json.value, path);
        if (typeof value === "number" && !(columns.data[0].at(-1) > at)) columns.add(at, [value]);
      }
      chart.show(columns.data);
    }
  }

  clear() {
    for (const name of [...this.#plots.keys()]) this.#close(name);
  }

  #close(name) {
    const { chart, whole } = this.#plots.get(name);
    chart.close();
    whole.remove();
    this.#plots.delete(name);
  }
}
