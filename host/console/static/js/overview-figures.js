// The figures at the top of the overview.

import { bytes, number, rate, seconds, short } from "./format.js";
import { t } from "./strings.js";

const box = document.getElementById("figures");
const now = JSON.parse(box.dataset.now);

/** Write those that follow from `told`, some columns of the host's newest second or what the pools use. */
export function writeFigures(told = {}) {
  Object.assign(now, told);
  for (const place of box.querySelectorAll("[data-figure]")) place.textContent = FIGURES[place.dataset.figure]();
}

const FIGURES = {
  rate: () => rate(now.events),
  failing: () => (now.events ? `${short((100 * now.failed) / now.events)} %` : "–"),
  p99: () => seconds(now.run_p99),
  instances: () => number(now.instances, 0),
  waiting: () => number(now.queued, 0),
  memory: () => t("overview.memory_of", {
    used: bytes(now.memory_used), budget: bytes(now.memory_budget), share: number((100 * now.memory_used) / now.memory_budget),
  }),
  cpu_host: () => ofCore(now.host_cpu_seconds),
  cpu_all: () => ofCore(now.cpu_seconds),
};

function ofCore(share) {
  return share == null ? "–" : `${short(100 * share)} %`;
}
