// The page of the flow: what is stuck, and the picture or the list, live.

import { make } from "/static/dom.js";
import { number } from "./format.js";
import { fold } from "./flow-layout.js";
import { FlowList } from "./flow-list.js";
import { Picture } from "./flow-picture.js";
import { Rates } from "./flow-rates.js";
import { pageName, sentence } from "./flow-words.js";
import { live } from "./live.js";
import { t } from "./strings.js";

const KEPT = "fnhost_flow_view";
const MOST_STUCK = 12;
const NARROW = matchMedia("(max-width: 720px)");
const byId = (id) => document.getElementById(id);

const views = { picture: new Picture(byId("picture")), list: new FlowList(byId("words")) };
const rates = new Rates();
let told = JSON.parse(byId("flow").textContent);
// What is folded goes by the totals at first: nodes that came and went with each second would make nobody wiser.
let weights = told.totals;
let view = localStorage.getItem(KEPT) === "list" ? "list" : "picture";
let open = false;
let shown = "";

function hear(news) {
  if (news.shape) {
    const same = JSON.stringify(news.shape) === JSON.stringify(told.shape);
    told = news;
    if (!same) {
      rates.reset();
      weights = told.totals;
    }
  } else {
    told = { ...told, ...news, totals: told.totals.map((total, place) => news.grown[place] ?? total) };
  }
  rates.take(told.at, told.totals);
  draw();
}

function draw() {
  const anything = told.shape.nodes.length > 0;
  for (const name of ["flow-card", "views"]) byId(name).hidden = !anything;
  byId("teach").hidden = told.rules > 0;
  showStuck(told.stuck.filter((each) => each.level !== "quiet"));
  if (anything) drawGraph();
  else shown = "";
}

function drawGraph() {
  const marks = marksOf(told.stuck);
  const drawn = NARROW.matches ? "list" : view;
  const marked = new Set(told.stuck.filter((each) => each.level !== "quiet").flatMap((each) => each.nodes));
  const graph = fold(told.shape, weights, marked, open);
  const key = JSON.stringify([drawn, graph.nodes.map((node) => [node.id, node.members]), told.shape.edges.length]);
  if (key !== shown) {
    shown = key;
    byId("picture").hidden = drawn !== "picture";
    byId("words").hidden = drawn !== "list";
    views[drawn].show(graph);
    showFolding(graph);
  }
  views[drawn].update(rates, marks);
}

// The worst of a node comes first, as the host has them in that order.
function marksOf(stuck) {
  const marks = new Map();
  for (const each of stuck) for (const node of each.nodes) marks.set(node, [...(marks.get(node) ?? []), each]);
  return marks;
}

function showFolding(graph) {
  const folds = open || graph.nodes.some((node) => node.kind === "more");
  byId("show-all").hidden = !folds;
  byId("show-all").textContent = open ? t("flow.show_fewer") : t("flow.show_all", { n: number(told.shape.nodes.length, 0) });
}

function showStuck(stuck) {
  const count = (level) => stuck.filter((each) => each.level === level).length;
  const summary = byId("summary");
  const text = stuck.length ? t("flow.some_stuck", { bad: number(count("bad"), 0), warn: number(count("warn"), 0) }) : t("flow.all_well");
  summary.hidden = !told.shape.nodes.length;
  summary.className = `notice ${stuck[0]?.level ?? "good"}`;
  if (summary.textContent !== text) summary.textContent = text;
  const list = byId("stuck");
  list.hidden = !stuck.length;
  const items = stuck.slice(0, MOST_STUCK).map((each, place) => kept(list, place, each));
  if (stuck.length > MOST_STUCK) items.push(make("li", { class: "quiet" }, t("flow.more_stuck", { n: number(stuck.length - MOST_STUCK, 0) })));
  if (told.left_out) items.push(make("li", { class: "quiet" }, t("flow.left_out", { n: number(told.left_out, 0) })));
  if (items.length !== list.children.length || items.some((item, place) => item !== list.children[place])) list.replaceChildren(...items);
}

// What has not changed stays as it is: somebody may be about to press its link.
function kept(list, place, each) {
  const key = JSON.stringify([each.code, each.nodes, each.told]);
  const there = list.children[place];
  const words = sentence(each);
  if (there?.dataset.key === key) {
    const box = there.querySelector(".words");
    if (box.textContent !== words) box.textContent = words;
    return there;
  }
  return make("li", { "data-key": key },
    make("span", { class: `state ${each.level}` }, t(`flow.level.${each.level}`)),
    make("span", { class: "words" }, words),
    each.href && make("a", { href: each.href }, pageName(each.href)),
    each.told && make("span", { class: "told mono", lang: "en" }, each.told));
}

function choose(wanted) {
  view = wanted;
  localStorage.setItem(KEPT, wanted);
  byId("as-picture").setAttribute("aria-pressed", String(wanted === "picture"));
  byId("as-list").setAttribute("aria-pressed", String(wanted === "list"));
  draw();
}

function again() {
  shown = "";
  draw();
}

byId("as-picture").addEventListener("click", () => choose("picture"));
byId("as-list").addEventListener("click", () => choose("list"));
byId("show-all").addEventListener("click", () => {
  open = !open;
  draw();
});
let width = 0;
new ResizeObserver(([entry]) => {
  if (Math.abs(entry.contentRect.width - width) < 4) return;
  width = entry.contentRect.width;
  again();
}).observe(byId("flow-card"));
rates.take(told.at, told.totals);
choose(view);
live.on("flow", hear);
