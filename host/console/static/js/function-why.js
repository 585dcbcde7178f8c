// Why a function has as many instances as it has: its load with the decisions marked on it, each told in a sentence.

import { make } from "/static/dom.js";
import { askJson } from "./api.js";
import { Chart } from "./charts.js";
import { sentenceOf } from "./decisions.js";
import { writeTimes } from "./format.js";
import { live } from "./live.js";
import { followMetrics } from "./metrics.js";
import { t } from "./strings.js";

const SHOWN = 900;
const MOST = 50;
const SOON = 0.5;
const COLUMNS = ["events", "queued", "idle", "busy", "starting"];
const { name } = document.getElementById("function").dataset;
const list = document.getElementById("decisions");
let decisions = [];

const load = new Chart(document.getElementById("load"), {
  label: t("function-why.load"), height: 280, span: SHOWN,
  marks: () => decisions.map((each) => ({ at: each.at, text: sentenceOf(each) })),
  series: [
    { label: t("function-why.series.events"), unit: "rate" },
    { label: t("function-why.series.instances"), unit: "count", kind: "steps", colour: "--series-3" },
    { label: t("function-why.series.queued"), unit: "count", colour: "--series-4" },
  ],
});

// The API and the feed note when they heard of a decision, each for itself.
function isSame(one, other) {
  return Math.abs(one.at - other.at) < SOON && one.wanted === other.wanted && one.inputs.before === other.inputs.before;
}

function add(told) {
  for (const each of told) if (!decisions.some((known) => isSame(known, each))) decisions.push(each);
  decisions = decisions.sort((one, other) => one.at - other.at).slice(-MOST);
  list.replaceChildren(...decisions.toReversed().map((each) =>
    make("li", {}, make("time", { "data-at": each.at }), make("span", {}, sentenceOf(each)))));
  writeTimes(list);
  list.hidden = !decisions.length;
  document.getElementById("undecided").hidden = decisions.length > 0;
}

followMetrics(name, COLUMNS, SHOWN, ([times, events, queued, idle, busy, starting]) => {
  const instances = times.map((_, place) => (idle[place] == null ? null : idle[place] + busy[place] + starting[place]));
  load.show([times, events, instances, queued]);
});
live.on("decisions", ({ decisions: told }) => add(told.filter((each) => each.function === name)));
askJson(`/api/functions/${encodeURIComponent(name)}/why`).then((told) => add(told.decisions));
