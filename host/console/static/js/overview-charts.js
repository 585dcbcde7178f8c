// The charts of the overview, drawn from the host's history.

import { Chart, ChartGroup } from "./charts.js";
import { t } from "./strings.js";

/** The results that an event may have, in the order of their layers, with the colour of each. */
const RESULTS = {
  ok: "--series-3", raised: "--series-2", timeout: "--series-4", died: "--series-7", rejected: "--series-5",
  overload: "--series-6", unavailable: "--series-8", cancelled: "--series-1", refused: "--series-4",
};
const TIMES = ["run_p50", "run_p95", "run_p99"];
const DELIVERY = ["inbox", "outbox", "dead_letters"];
/** The columns of the history that all of them need. */
export const COLUMNS = [
  ...Object.keys(RESULTS), ...TIMES, "queued", "instances", ...DELIVERY, "memory", "host_memory",
];

export class OverviewCharts {
  constructor(marks) {
    this.group = new ChartGroup();
    this.results = ["ok"];
    this.events = this.#chart("events", { stacked: true, series: this.#layers() });
    this.times = this.#chart("times", {
      bands: [{ from: 0, to: 2, colour: "--series-1" }],
      series: TIMES.map((name) => ({ label: t(`overview.time.${name.slice(4)}`), unit: "seconds", colour: "--series-1" })),
    });
    this.load = this.#chart("load", {
      marks,
      series: [
        { label: t("overview.load.queued"), unit: "count", scale: "queued", kind: "area", colour: "--series-4" },
        { label: t("overview.load.instances"), unit: "count", scale: "instances", kind: "steps", colour: "--series-1" },
      ],
    });
    this.delivery = this.#chart("delivery", {
      series: DELIVERY.map((name) => ({ label: t(`overview.delivery.${name}`), unit: "count" })),
    });
  }

  /** Columns as `COLUMNS` names them, after the times. */
  show([times, ...values]) {
    const column = Object.fromEntries(COLUMNS.map((name, place) => [name, values[place]]));
    this.#showEvents(times, column);
    this.times.show([times, ...TIMES.map((name) => column[name])]);
    this.load.show([times, column.queued, column.instances]);
    this.delivery.show([times, ...DELIVERY.map((name) => column[name])]);
  }

  #showEvents(times, column) {
    const seen = Object.keys(RESULTS).filter((name) => name === "ok" || column[name].some((value) => value > 0));
    if (seen.join() !== this.results.join()) {
      this.results = seen;
      this.events.reshape(this.#layers());
    }
    this.events.show([times, ...seen.map((name) => column[name])]);
  }

  #layers() {
    return this.results.map((name) => ({ label: t(`overview.result.${name}`), unit: "rate", colour: RESULTS[name] }));
  }

  #chart(name, options) {
    return new Chart(document.getElementById(name), { label: t(`overview.chart.${name}`), group: this.group, ...options });
  }
}
