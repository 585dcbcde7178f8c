// When a device was there: a strip of the last day, and its last silences in words.

import { make } from "/static/dom.js";
import { number, seconds, time } from "./format.js";
import { t } from "./strings.js";

const DAY = 86400;
const SHORTEST = 60;
const MOST_SILENCES = 5;

/** Draws it from what the host knows of `device` at the time `now`. */
export function drawStrip(device, now) {
  const begin = Math.min(Math.max(now - DAY, device.first), now - SHORTEST);
  const end = device.state === "online" ? now : device.seen;
  const spans = [...device.past.map((each) => [each.begin, each.end]), [device.since, end]].filter((each) => each[1] >= begin);
  const strip = document.getElementById("strip");
  const silences = spans.slice(1).map((span, place) => [spans[place][1], span[0]]);
  if (device.state !== "online") silences.push([device.seen, now]);
  strip.replaceChildren(...spans.map(([from, to]) => {
    const left = Math.max(from, begin);
    const part = make("span");
    part.style.left = `${((left - begin) / (now - begin)) * 100}%`;
    part.style.width = `${((to - left) / (now - begin)) * 100}%`;
    return part;
  }));
  const there = spans.reduce((sum, [from, to]) => sum + to - Math.max(from, begin), 0);
  const since = Math.max(begin, device.first);
  const share = number(Math.min(100, (there / Math.max(1, now - since)) * 100), 1);
  strip.setAttribute("aria-label", t("device.there.label", { share, from: time(since), gaps: silences.length }));
  document.getElementById("strip-begin").textContent = time(begin);
  const words = silences.slice(-MOST_SILENCES).reverse().map(([from, to]) =>
    make("li", {}, t("device.there.silence", { begin: time(from), end: time(to), length: seconds(to - from) })));
  document.getElementById("silences").replaceChildren(...(words.length ? words : [make("li", {}, t("device.there.none"))]));
}
