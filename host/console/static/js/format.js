// Numbers with units and times in the viewer's zone, in the viewer's language.

import { about } from "./about.js";
import { t } from "./strings.js";

const UNITS = ["B", "KiB", "MiB", "GiB", "TiB"];
const clock = new Intl.DateTimeFormat(about.language, { hour: "2-digit", minute: "2-digit", second: "2-digit", hour12: false });
const dated = new Intl.DateTimeFormat(about.language, { month: "short", day: "numeric", hour: "2-digit", minute: "2-digit", second: "2-digit", hour12: false });
const minute = new Intl.DateTimeFormat(about.language, { hour: "2-digit", minute: "2-digit", hour12: false });
const day = new Intl.DateTimeFormat(about.language, { month: "short", day: "numeric" });
const relative = new Intl.RelativeTimeFormat(about.language, { numeric: "auto", style: "narrow" });
const plain = new Map();

/** `1,234.5`: at most `digits` after the point. */
export function number(value, digits = 1) {
  if (value == null || Number.isNaN(value)) return "–";
  if (!plain.has(digits)) plain.set(digits, new Intl.NumberFormat(about.language, { maximumFractionDigits: digits }));
  return plain.get(digits).format(value);
}

/** Three significant digits, for what may be small or large. */
export function short(value) {
  if (value == null || Number.isNaN(value)) return "–";
  const size = Math.abs(value);
  return number(value, size >= 100 || size === 0 ? 0 : size >= 10 ? 1 : size >= 1 ? 2 : 3);
}

/** `12.3 MiB` */
export function bytes(value) {
  if (value == null) return "–";
  let unit = 0;
  let rest = value;
  for (; Math.abs(rest) >= 1024 && unit < UNITS.length - 1; unit += 1) rest /= 1024;
  return `${short(rest)} ${UNITS[unit]}`;
}

/** Seconds as `3.1 ms`, `2.5 s`, `4 min`, `2 h`, `3 d`. */
export function seconds(value) {
  if (value == null || Number.isNaN(value)) return "–";
  if (value === 0) return "0 s";
  if (value < 1e-3) return `${short(value * 1e6)} µs`;
  if (value < 1) return `${short(value * 1e3)} ms`;
  if (value < 120) return `${short(value)} s`;
  if (value < 7200) return `${short(value / 60)} min`;
  return value < 172800 ? `${short(value / 3600)} h` : `${short(value / 86400)} d`;
}

/** `12.3 events/s` */
export function rate(value) {
  return `${short(value)} ${t("console.unit.events_per_second")}`;
}

/** A time (seconds since the epoch) of today as `14:03:07`, of another day with its date. */
export function time(at) {
  if (!at) return "–";
  const moment = new Date(at * 1000);
  return moment.toDateString() === new Date().toDateString() ? clock.format(moment) : dated.format(moment);
}

/** A time beneath an axis of such a `step` in seconds, with its day where that is another one than of `before`. */
export function dayTime(at, before, step) {
  const moment = new Date(at * 1000);
  const text = (step < 60 ? clock : minute).format(moment);
  const last = before ? new Date(before * 1000) : new Date();
  return moment.toDateString() === last.toDateString() ? text : `${text}\n${day.format(moment)}`;
}

/** How long ago: `5 min ago`. */
export function ago(at, now = Date.now() / 1000) {
  if (!at) return "–";
  const past = Math.max(0, now - at);
  if (past < 60) return relative.format(-Math.round(past), "second");
  if (past < 3600) return relative.format(-Math.round(past / 60), "minute");
  return past < 86400 ? relative.format(-Math.round(past / 3600), "hour") : relative.format(-Math.round(past / 86400), "day");
}

const FORMS = { seconds, bytes, number, rate, short };

/**
 * Elements `<time data-at="seconds">` below `root` get their text, and the whole moment as a title;
 * elements `<data value="0.003" data-form="seconds">` get theirs in that form of this file.
 */
export function writeTimes(root = document) {
  for (const element of root.querySelectorAll("data[data-form]")) {
    element.textContent = FORMS[element.dataset.form](Number(element.value));
  }
  for (const element of root.querySelectorAll("time[data-at]")) {
    const at = Number(element.dataset.at);
    element.textContent = element.dataset.form === "ago" ? ago(at) : time(at);
    element.title = at ? new Date(at * 1000).toLocaleString(about.language) : "";
    if (at) element.dateTime = new Date(at * 1000).toISOString();
  }
}
