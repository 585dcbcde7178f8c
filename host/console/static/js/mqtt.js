// The MQTT page: puts its pieces together, and keeps the table of connections current.

import { askJson } from "./api.js";
import { number, writeTimes } from "./format.js";
import { live } from "./live.js";
import { listenBeyond } from "./mqtt-listen.js";
import { publishForm } from "./mqtt-publish.js";
import { TopicView } from "./mqtt-topic.js";
import { Topics } from "./mqtt-topics.js";

const REDRAW = 60000;
/* global htmx */

const about = await askJson("/api/mqtt");
const publishing = publishForm(about);
const view = new TopicView(about, publishing);
const asked = new URLSearchParams(location.search);
const topics = new Topics((topic) => {
  history.replaceState(null, "", `?${new URLSearchParams({ broker: topic.broker, topic: topic.topic })}`);
  view.show(topic);
}, (topic) => view.update(topic));

listenBeyond();
if (asked.get("topic")) view.await(asked.get("topic"));
topics.begin(asked.get("broker"), asked.get("topic"));
document.addEventListener("live:restarted", () => {
  topics.restart();
  view.restart();
  redraw();
});

let changes = null;
let drawn = Date.now();
live.on("mqtt", (told) => {
  for (const each of told.connections) {
    const row = document.querySelector(`[data-connection="${CSS.escape(`${each.broker}/${each.client_id}`)}"]`);
    if (row) writeNumbers(row, each);
  }
  if ((changes !== null && changes !== told.changes) || Date.now() - drawn > REDRAW) redraw();
  changes = told.changes;
});

function writeNumbers(row, each) {
  const subscribes = row.querySelector("[data-field=published]").textContent === "–";
  row.querySelector(subscribes ? "[data-field=received]" : "[data-field=published]").textContent =
    number(subscribes ? each.received : each.published, 0);
  row.querySelector("[data-field=waiting]").textContent = number(subscribes ? each.unacknowledged : each.waiting, 0);
}

// The host draws it: histories that are open stay so.
async function redraw() {
  drawn = Date.now();
  const box = document.getElementById("brokers");
  const open = [...box.querySelectorAll("details[open]")].map((each) => each.dataset.key);
  await htmx.ajax("GET", "/console/mqtt?part=brokers", { target: box });
  for (const each of box.querySelectorAll("details")) each.open = open.includes(each.dataset.key);
  writeTimes(box);
}
