// The charts of one function, and its instances one by one.

import { make, replace } from "/static/dom.js";
import { Chart, ChartGroup } from "./charts.js";
import { bytes, rate, seconds, short } from "./format.js";
import { live } from "./live.js";
import { followMetrics } from "./metrics.js";
import { t } from "./strings.js";

const { name } = document.getElementById("function").dataset;
const shown = Number(document.getElementById("charts").dataset.seconds);
const said = (key) => t(`function-metrics.series.${key}`);
const RESULTS = ["ok", "raised", "timeout", "died", "rejected", "overload", "unavailable", "cancelled"];
const COLOURS = {
  ok: "--series-3", raised: "--series-2", timeout: "--series-4", died: "--series-7", rejected: "--series-5",
  overload: "--series-6", unavailable: "--series-8", cancelled: "--series-1", busy: "--series-3", idle: "--series-1", starting: "--series-4", retiring: "--series-8",
};
const CHARTS = {
  results: { stacked: true, series: RESULTS.map((column) => [column, "rate"]) },
  run: { series: [["run_p50", "seconds"], ["run_p95", "seconds"], ["run_p99", "seconds"]] },
  queue: { series: [["queue_p50", "seconds"], ["queue_p99", "seconds"], ["queued", "count"]] },
  instances: { stacked: true, series: ["busy", "idle", "starting", "retiring"].map((column) => [column, "count", "steps"]) },
  memory: { series: [["memory", "bytes", "area"]] },
  cpu: { series: [["cpu_seconds", "percent", "area"]] },
};

const columns = [...new Set(Object.values(CHARTS).flatMap(({ series }) => series.map(([column]) => column)))];
const seriesOf = (series) => series.map(([column, unit, kind]) => ({ label: said(column), unit, kind, colour: COLOURS[column] }));
const group = new ChartGroup();
const charts = Object.entries(CHARTS).map(([named, { stacked = false, series }]) => ({
  series, stacked, drawn: series,
  chart: new Chart(document.getElementById(`chart-${named}`), {
    label: t(`function-metrics.charts.${named}`), stacked, span: shown, group, series: seriesOf(series),
  }),
}));

followMetrics(name, columns, shown, (data) => {
  const of = (column) => {
    const values = data[columns.indexOf(column) + 1];
    return column === "cpu_seconds" ? values.map((value) => value && value * 100) : values;
  };
  for (const each of charts) {
    // What never came would only hide what it is stacked on.
    const drawn = each.stacked ? each.series.filter(([column], place) => !place || of(column).some(Boolean)) : each.series;
    if (String(drawn) !== String(each.drawn)) each.chart.reshape(seriesOf(drawn));
    each.drawn = drawn;
    each.chart.show([data[0], ...drawn.map(([column]) => of(column))]);
  }
});

live.on(`instances:${name}`, ({ instances }) => {
  document.getElementById("instances").hidden = !instances.length;
  document.getElementById("no-instances").hidden = instances.length > 0;
  replace(document.querySelector("#instances tbody"), instances.map((each) => make("tr", {},
    make("th", { scope: "row", class: "mono" }, each.instance),
    make("td", {}, make("span", { class: `state ${{ busy: "good", idle: "", starting: "warn", retiring: "warn" }[each.state] ?? ""}` }, said(each.state))),
    make("td", { class: "number" }, rate(each.answered)),
    make("td", { class: "number" }, each.memory ? bytes(each.memory) : "–"),
    make("td", { class: "number" }, `${short(each.cpu_seconds * 100)} %`),
    make("td", { class: "number" }, seconds(Math.round(each.age))))));
});
