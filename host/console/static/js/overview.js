// The overview's charts.

import { Chart } from "./charts.js";
import { followMetrics } from "./metrics.js";
import { t } from "./strings.js";

const SHOWN = 900;

const events = new Chart(document.getElementById("events"), {
  label: t("overview.events.title"),
  span: 60,
  series: [
    { label: t("overview.events.good"), unit: "rate", colour: "--series-3" },
    { label: t("overview.events.failed"), unit: "rate", colour: "--series-2" },
  ],
});
followMetrics("", ["ok", "failed"], SHOWN, (columns) => events.show(columns));
