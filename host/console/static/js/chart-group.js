// Charts that belong together: one cursor for all of them, and what is zoomed in one is zoomed in all.
/* global uPlot */

let groups = 0;

export class ChartGroup {
  #charts = new Set();

  /** The `[from, to]` that all show, in seconds since the epoch; null: all there is. */
  zoomed = null;

  constructor() {
    groups += 1;
    this.sync = uPlot.sync(`charts ${groups}`);
  }

  join(chart) {
    this.#charts.add(chart);
  }

  leave(chart) {
    this.#charts.delete(chart);
  }

  /** Show this part only, or with null all there is. */
  zoom(zoomed) {
    this.zoomed = zoomed;
    for (const chart of this.#charts) chart.rescale();
  }
}
