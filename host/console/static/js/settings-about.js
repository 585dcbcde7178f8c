// What host this is: figures that change slowly, read when the page opens and each half minute.

import { make } from "/static/dom.js";
import { askJson } from "./api.js";
import { bytes, number, writeTimes } from "./format.js";
import { live } from "./live.js";
import { t } from "./strings.js";

const EVERY = 30000;

async function read() {
  const told = await askJson("/api/status").catch(() => null);
  if (!told) return;
  const { used, most } = told.state;
  write("disk", used === null ? t("settings-about.measuring") : t("settings-about.disk_used", { used: bytes(used), most: most === null ? "–" : bytes(most) }));
  write("addresses", ...told.addresses.map((each) => make("code", {}, each, " ")));
  write("since", make("time", { "data-at": told.since }));
  write("user", t("settings-about.process", { user: told.user, pid: told.pid }));
  write("memory", t("settings-about.memory_used", { used: bytes(told.memory.used), budget: bytes(told.memory.budget) }));
  write("functions", t("settings-about.functions_count", { total: number(told.functions.total, 0), instances: number(told.functions.instances, 0) }));
  writeTimes();
}

function write(id, ...parts) {
  document.getElementById(id).replaceChildren(...parts);
}

document.addEventListener("live:restarted", read);
live.on("config", () => {});
setInterval(() => document.hidden || read(), EVERY);
read();
