// The chart of the memory by function: those with the most of it, and all others together.

import { Chart } from "./charts.js";
import { followMetrics } from "./metrics.js";
import { t } from "./strings.js";

// One that is idle is looked at each ten seconds.
const HELD = 11;

export class MemoryChart {
  #ends = [];
  #own = new Map();
  #host = null;
  names = [];

  constructor(group) {
    this.chart = new Chart(document.getElementById("memory"), {
      label: t("overview.chart.memory"), group, stacked: true, series: this.#series(),
    });
  }

  /** Draw these functions, of the last `seconds`; `again` even if they are the same. */
  follow(names, seconds, again = false) {
    if (!again && names.join("\n") === this.names.join("\n")) return;
    this.close();
    this.names = names;
    this.#own.clear();
    this.chart.reshape(this.#series());
    this.#ends = names.map((name) => followMetrics(name, ["memory"], seconds, (columns) => this.#own.set(name, columns)));
    this.#show();
  }

  /** The host's times, all memory, and that of the host itself, in bytes. */
  show(times, all, host) {
    this.#host = { times, all, host };
    this.#show();
  }

  close() {
    for (const end of this.#ends.splice(0)) end();
  }

  #series() {
    const each = { unit: "bytes" };
    return [...this.names.map((label) => ({ ...each, label })), { ...each, label: t("overview.memory.rest"), colour: "--series-8" }];
  }

  #show() {
    if (!this.#host) return;
    const { times, all, host } = this.#host;
    const own = this.names.map((name) => aligned(this.#own.get(name), times));
    const rest = times.map((_, row) => (all[row] == null ? null : Math.max(0, own.reduce((left, column) => left - (column[row] ?? 0), all[row] - host[row]))));
    this.chart.show([times, ...own, rest]);
  }
}

// The column at these times; what was seen last holds for a while.
function aligned(columns, times) {
  const known = new Map(columns ? columns[0].map((at, row) => [at, columns[1][row]]) : []);
  let last = null;
  let since = 0;
  return times.map((at) => {
    const value = known.get(at);
    if (value != null) [last, since] = [value, at];
    else if (at - since > HELD) last = null;
    return last;
  });
}
