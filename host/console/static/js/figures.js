// The figures of functions as tables show them: of the last seconds, from what the live feed says each second.

import { live } from "./live.js";

const SECONDS = 5;
const SHOWN = 900;
const STEP = 10;
const PLACES = SHOWN / STEP;

/** Figures of one function: `add` takes a message's rows, and what is read are rates and times of the last seconds. */
export class Figures {
  constructor() {
    this.recent = [];
    this.past = Array(PLACES).fill(null);
    this.begin = 0;
    this.known = 0;
  }

  /** The rows of one more message; it says so, too, when there are none. */
  add(rows) {
    this.recent.push(rows);
    if (this.recent.length > SECONDS) this.recent.shift();
    for (const row of rows) if (row.time > this.known) this.#note(row.time, row.events);
  }

  /**
   * Events of the last minutes as they were kept until `now`: `times` in seconds since the epoch, `values` beside
   * them. What the feed has said of seconds before is among them.
   */
  fill(times, values, now) {
    this.#turn(now);
    this.past.fill(null);
    this.known = Math.floor(now) - 1;
    times.forEach((at, place) => this.#note(at, values[place]));
  }

  /** How many of `column` came in a second. */
  rate(column) {
    const rows = this.#rows();
    return rows.length ? rows.reduce((sum, row) => sum + row[column], 0) / Math.max(SECONDS, rows.length) : 0;
  }

  /** The last value of a column, null where none is known. */
  last(column) {
    return this.#rows().at(-1)?.[column] ?? null;
  }

  /** The highest value of a column. */
  highest(column) {
    const known = this.#rows().map((row) => row[column]).filter((value) => value != null);
    return known.length ? Math.max(...known) : null;
  }

  /** The mean of a time, each second counting by its events. */
  mean(column) {
    const rows = this.#rows().filter((row) => row[column] != null && row.events);
    const events = rows.reduce((sum, row) => sum + row.events, 0);
    return events ? rows.reduce((sum, row) => sum + row[column] * row.events, 0) / events : null;
  }

  /** Events per second, from left to right, of the last 15 minutes before `now`. */
  sparks(now) {
    this.#turn(now);
    return this.past.map((value) => (value ?? 0) / STEP);
  }

  #rows() {
    return this.recent.flat().slice(-SECONDS);
  }

  #note(at, events) {
    this.#turn(at);
    const place = Math.floor((at - this.begin) / STEP);
    if (place >= 0) this.past[place] = (this.past[place] ?? 0) + events;
  }

  #turn(now) {
    const begin = Math.floor(now / STEP) * STEP + STEP - SHOWN;
    const gone = Math.min(PLACES, (begin - this.begin) / STEP);
    if (gone <= 0) return;
    this.past = [...this.past.slice(gone), ...Array(gone).fill(null)];
    this.begin = begin;
  }
}

/** Figures by function's name, kept up to date; `changed()` is called each second, and `now()` is the host's time. */
export function followFigures(changed) {
  const all = new Map();
  const of = (name) => all.get(name) ?? all.set(name, new Figures()).get(name);
  let told = 0;
  let ahead = 0;
  live.on("metrics:*", ({ functions }) => {
    for (const [name, rows] of Object.entries(functions)) of(name).add(rows.filter((row) => row.time > told));
    for (const [name, figures] of all) if (!functions[name]) figures.add([]);
    const newest = Math.max(told, ...Object.values(functions).flat().map((row) => row.time));
    // The clocks of gateways are often wrong, and those of viewers sometimes.
    if (newest > told) ahead = newest - Date.now() / 1000;
    told = newest;
    changed();
  });
  return { of, now: () => Date.now() / 1000 + ahead };
}
