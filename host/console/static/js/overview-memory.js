// The chart of the memory by function: those with the most of it, and all others together.

import { Chart } from "./charts.js";
import { readMetrics } from "./metrics.js";
import { t } from "./strings.js";

// One that is idle is looked at each ten seconds.
const HELD = 11;
// Others are drawn after so many milliseconds at the earliest, as two of a size change places all the time.
const LEAST_PAUSE = 30000;

export class MemoryChart {
  #names = [];
  #known = new Map();
  #host = null;
  #changed = -Infinity;

  constructor(group) {
    this.chart = new Chart(document.getElementById("memory"), {
      label: t("overview.chart.memory"), group, stacked: true, series: this.#series(),
    });
  }

  /** What the largest functions have just now, in bytes by their names; `seconds` are shown. */
  note(largest, seconds) {
    const names = Object.keys(largest).sort();
    const isRipe = names.length > this.#names.length || Date.now() - this.#changed > LEAST_PAUSE;
    if (isRipe && names.join("\n") !== this.#names.join("\n")) {
      this.#names = names;
      this.#changed = Date.now();
      this.chart.reshape(this.#series());
      this.read(seconds);
    }
    const at = this.#host?.times.at(-1);
    for (const [name, size] of Object.entries(largest)) if (at) this.#known.get(name)?.set(at, size);
  }

  /** Read what was in the last `seconds`. */
  read(seconds) {
    const known = new Map(this.#names.map((name) => [name, new Map()]));
    this.#known = known;
    for (const name of this.#names) {
      readMetrics(name, ["memory"], seconds).then(([times, sizes]) => {
        times.forEach((at, row) => sizes[row] != null && known.get(name).set(at, sizes[row]));
        this.#show();
      }).catch(() => {}); // one that is gone meanwhile counts among the others
    }
    this.#show();
  }

  /** The host's times, all memory, and that of the host itself, in bytes. */
  show(times, all, host) {
    this.#host = { times, all, host };
    for (const sizes of this.#known.values()) for (const at of sizes.keys()) if (at < times[0]) sizes.delete(at);
    this.#show();
  }

  #series() {
    const each = { unit: "bytes" };
    return [...this.#names.map((label) => ({ ...each, label })), { ...each, label: t("overview.memory.rest"), colour: "--series-8" }];
  }

  #show() {
    if (!this.#host) return;
    const { times, all, host } = this.#host;
    const own = this.#names.map((name) => aligned(this.#known.get(name), times));
    const rest = times.map((_, row) => (all[row] == null ? null : Math.max(0, all[row] - host[row] - sum(own, row))));
    this.chart.show([times, ...own, rest]);
  }
}

function sum(columns, row) {
  return columns.reduce((sizes, column) => sizes + (column[row] ?? 0), 0);
}

// The sizes at these times; what was seen last holds for a while.
function aligned(sizes, times) {
  const held = Math.max(HELD, 1.5 * (times[1] - times[0]));
  let last = null;
  let since = 0;
  return times.map((at) => {
    const size = sizes.get(at);
    if (size != null) [last, since] = [size, at];
    else if (at - since > held) last = null;
    return last;
  });
}
