// The history of the host or of one function as columns that go on live: what charts of the console are drawn from.

import { askJson } from "./api.js";
import { live } from "./live.js";

const PER_SECOND = /^(events|failed|refused|ok|raised|timeout|died|rejected|overload|unavailable|cancelled|answered|disk_.*|network_.*|.*cpu_seconds)$/;

/**
 * Calls `hear(columns)` with `[times, ...values]` of the last `seconds`, first with what was, then each second;
 * a second without a row is a gap of nulls. Counts are per second. `item` is a function's name, "" for the host.
 * Returns what ends it. The past is read anew after a restart of the host.
 */
export function followMetrics(item, names, seconds, hear) {
  let columns = null;
  let waiting = [];
  const read = async () => {
    const query = new URLSearchParams({ since: `${seconds}s`, columns: names.join(",") });
    if (item) query.set("function", item);
    const told = await askJson(`/api/metrics?${query}`);
    columns = filled(told, names, seconds);
    add(waiting.splice(0));
  };
  const add = (rows) => {
    if (!columns) {
      waiting.push(...rows);
      return;
    }
    for (const row of rows) push(columns, row, names, seconds);
    hear(columns);
  };
  const onRestart = () => read();
  document.addEventListener("live:restarted", onRestart);
  const end = live.on(item ? `metrics:${item}` : "metrics", (told) => add(told.rows));
  read();
  return () => {
    end();
    document.removeEventListener("live:restarted", onRestart);
  };
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

function push(columns, row, names, seconds) {
  const [times] = columns;
  if (times.length && row.time <= times.at(-1)) return;
  for (let at = (times.at(-1) ?? row.time - 1) + 1; at < row.time && row.time - at < 60; at += 1) {
    columns.forEach((column, place) => column.push(place ? null : at));
  }
  [row.time, ...names.map((name) => perSecond(name, row[name], 1))].forEach((value, place) => columns[place].push(value));
  const old = times.findIndex((at) => at >= row.time - seconds);
  if (old > 0) columns.forEach((column) => column.splice(0, old));
}

function perSecond(name, value, step) {
  return value != null && PER_SECOND.test(name) ? value / step : value;
}
