// The history of the host or of one function as columns that go on live: what charts of the console are drawn from.

import { askJson } from "./api.js";
import { live } from "./live.js";

const PER_SECOND = /^(events|failed|refused|ok|raised|timeout|died|rejected|overload|unavailable|cancelled|answered|disk_.*|network_.*|.*cpu_seconds)$/;
const STEPS = { 1: "1s", 10: "10s", 60: "1m" };
const LONGEST_GAP = 60;
/** Seconds without rows after which the past is read anew: the page was hidden, or had no connection. */
const AWAY = 15;

/**
 * Calls `hear(columns)` with `[times, ...values]` of the last `seconds`, first with what was, then as time goes on:
 * up to 15 minutes by the second, up to 2 hours by 10 seconds, up to 24 hours by the minute. A period without a row
 * is a gap of nulls. Counts are per second. `item` is a function's name, "" for the host. Returns what ends it.
 * The past is read anew after a restart of the host, and when nothing was heard for a while.
 */
export function followMetrics(item, names, seconds, hear) {
  const history = new History(item, names, seconds, hear);
  const anew = () => history.read();
  document.addEventListener("live:restarted", anew);
  const end = live.on(item ? `metrics:${item}` : "metrics", (told) => history.add(told.rows));
  history.read();
  return () => {
    history.ended = true;
    end();
    document.removeEventListener("live:restarted", anew);
  };
}

/** The same columns of what was, once. Throws Problem. */
export async function readMetrics(item, names, seconds) {
  const query = new URLSearchParams({ since: `${seconds}s`, columns: names.join(",") });
  if (item) query.set("function", item);
  return filled(await askJson(`/api/metrics?${query}`), names, seconds);
}

class History {
  #columns = null;
  #reading = false;
  #waiting = [];
  #step = 1;

  ended = false;

  constructor(item, names, seconds, hear) {
    Object.assign(this, { item, names, seconds, hear });
  }

  /** All that was, or with `recent` the newest periods. */
  async read(recent = false) {
    if (this.#reading) return;
    this.#reading = true;
    const query = new URLSearchParams({ since: `${recent ? 3 * this.#step : this.seconds}s`, columns: this.names.join(",") });
    if (recent) query.set("step", STEPS[this.#step]);
    if (this.item) query.set("function", this.item);
    try {
      const told = await askJson(`/api/metrics?${query}`);
      this.#step = told.step;
      const found = filled(told, this.names, recent ? 3 * told.step : this.seconds);
      if (recent) this.#join(found);
      else this.#columns = found;
      this.#hear(this.#waiting.splice(0));
    } catch {
      // The live feed says what is the matter; what it tells next is a reason to ask again.
    } finally {
      this.#reading = false;
    }
  }

  /** Rows of seconds that are over. */
  add(rows) {
    if (!this.#columns) {
      this.#waiting = [...this.#waiting, ...rows].slice(-LONGEST_GAP);
      this.read();
    } else if (this.#step === 1) {
      if (rows.length && rows[0].time - this.#columns[0].at(-1) > AWAY) {
        this.#waiting = [...this.#waiting, ...rows].slice(-LONGEST_GAP);
        this.read();
      } else this.#hear(rows);
    } else if (rows.some((row) => row.time + 1 >= this.#columns[0].at(-1) + 2 * this.#step)) {
      this.read(true);
    }
  }

  #hear(rows) {
    if (this.ended) return;
    if (this.#step === 1) for (const row of rows) push(this.#columns, row, this.names);
    this.#cut();
    this.hear(this.#columns);
  }

  #join(found) {
    const kept = this.#columns[0].findIndex((at) => at >= found[0][0]);
    this.#columns.forEach((column, place) => column.splice(kept < 0 ? column.length : kept, Infinity, ...found[place]));
  }

  #cut() {
    const times = this.#columns[0];
    const old = times.findIndex((at) => at >= times.at(-1) - this.seconds);
    if (old > 0) this.#columns.forEach((column) => column.splice(0, old));
  }
}

// One place for each period, so that a time without a row is seen as a gap.
function filled(told, names, seconds) {
  const { step, now } = told;
  const last = Math.floor(now / step) * step - step;
  const first = last - Math.floor(seconds / step) * step;
  const count = Math.max(0, (last - first) / step + 1);
  const columns = [Array.from({ length: count }, (_, place) => first + place * step), ...names.map(() => Array(count).fill(null))];
  const series = told.series[0];
  (series?.times ?? []).forEach((at, row) => {
    const place = Math.round((at - first) / step);
    if (place < 0 || place >= count) return;
    names.forEach((name, column) => {
      columns[column + 1][place] = perSecond(name, series.values[name][row], step);
    });
  });
  return columns;
}

function push(columns, row, names) {
  const [times] = columns;
  if (times.length && row.time <= times.at(-1)) {
    fill(columns, row, names);
    return;
  }
  for (let at = (times.at(-1) ?? row.time - 1) + 1; at < row.time && row.time - at < LONGEST_GAP; at += 1) {
    columns.forEach((column, place) => column.push(place ? null : at));
  }
  [row.time, ...names.map((name) => perSecond(name, row[name], 1))].forEach((value, place) => columns[place].push(value));
}

// A second that the history had not finished when it was read.
function fill(columns, row, names) {
  const place = columns[0].lastIndexOf(row.time);
  if (place >= 0) names.forEach((name, column) => { columns[column + 1][place] = perSecond(name, row[name], 1); });
}

function perSecond(name, value, step) {
  return value != null && PER_SECOND.test(name) ? value / step : value;
}
