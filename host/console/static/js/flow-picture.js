// Draws the flow as an SVG: nodes are links, edges curves that are as thick as much passes them.

import { place, settle } from "./flow-layout.js";
import { hrefOf, mark, nameOf, rateText } from "./flow-words.js";
import { t } from "./strings.js";

const SVG = "http://www.w3.org/2000/svg";
const LETTER = 7.7;
const LABEL_HEIGHT = 14;
const LEVELS = ["bad", "warn", "quiet"];

/** The picture in `box`; `show` draws it anew, `update` changes rates and marks. */
export class Picture {
  constructor(box) {
    this.box = box;
    this.graph = null;
  }

  /** Draw what `fold` gave. */
  show(graph) {
    const left = this.box.scrollLeft;
    const focused = document.activeElement?.closest?.("[data-node]")?.dataset.node;
    const layout = place(graph, this.box.clientWidth);
    this.graph = graph;
    this.size = layout.size;
    this.edges = graph.edges.map((edge, number) => drawEdge(edge, layout.edges[number]));
    this.nodes = graph.nodes.map((node, number) => drawNode(node, layout.nodes[number], layout.size));
    setApart(this.edges);
    this.svg = svg("svg", { width: layout.width, height: layout.height, viewBox: `0 0 ${layout.width} ${layout.height}`, class: "picture", role: "group", "aria-label": t("flow.picture") },
      ...this.edges.map((edge) => edge.line), ...this.nodes.map((node) => node.link), ...this.edges.map((edge) => edge.label));
    this.nodes.forEach((node, number) => {
      for (const event of ["pointerenter", "focus"]) node.link.addEventListener(event, () => this.#light(number));
      for (const event of ["pointerleave", "blur"]) node.link.addEventListener(event, () => this.#light(-1));
    });
    this.box.replaceChildren(this.svg);
    this.box.scrollLeft = left;
    if (focused) this.nodes.find((node) => node.link.dataset.node === focused)?.link.focus();
  }

  /** `rates` as of flow-rates.js; `marks` has the stuck things of each node by its id. */
  update(rates, marks) {
    this.graph.edges.forEach((edge, number) => writeEdge(this.edges[number], rates.of(edge.parts)));
    this.graph.nodes.forEach((node, number) => writeNode(this.nodes[number], node, marks.get(node.id) ?? []));
  }

  // The way through a node: all that leads there, and all that it leads to.
  #light(number) {
    const lit = new Set();
    if (number >= 0) for (const [from, to] of [["from", "to"], ["to", "from"]]) this.#follow(number, from, to, lit);
    this.svg.classList.toggle("dimmed", lit.size > 0);
    this.graph.edges.forEach((edge, place) => {
      const on = lit.has(edge);
      this.edges[place].line.classList.toggle("lit", on);
      this.edges[place].label.classList.toggle("lit", on);
    });
    const ends = new Set([number, ...[...lit].flatMap((edge) => [edge.from, edge.to])]);
    this.nodes.forEach((node, place) => node.link.classList.toggle("lit", ends.has(place)));
  }

  #follow(number, near, far, lit) {
    for (const edge of this.graph.edges) {
      if (edge[near] === number && !lit.has(edge)) {
        lit.add(edge);
        this.#follow(edge[far], near, far, lit);
      }
    }
  }
}

function svg(name, attributes, ...children) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) if (value != null) element.setAttribute(key, value);
  element.append(...children);
  return element;
}

function drawEdge(edge, points) {
  let path = `M${points[0].x} ${points[0].y}`;
  for (let number = 1; number < points.length; number += 1) {
    const from = points[number - 1];
    const start = from.x + from.through;
    const { x, y, through } = points[number];
    const middle = (start + x) / 2;
    path += `C${middle} ${from.y} ${middle} ${y} ${x} ${y}`;
    if (through) path += `H${x + through}`;
  }
  const [from, to] = points.slice(-2);
  const line = svg("path", { d: path, class: "way", "stroke-width": 1 });
  const label = svg("text", { class: "rate", x: (from.x + from.through + to.x) / 2, y: (from.y + to.y) / 2 + 4, "text-anchor": "middle" });
  return { line, label, x: (from.x + from.through + to.x) / 2, y: (from.y + to.y) / 2 + 4 };
}

// Labels between the same two columns do not cover each other.
function setApart(edges) {
  for (const x of new Set(edges.map((edge) => edge.x))) {
    const row = edges.filter((edge) => edge.x === x).sort((one, other) => one.y - other.y);
    settle(row.map((edge) => edge.y), () => LABEL_HEIGHT).forEach((y, number) => row[number].label.setAttribute("y", y));
  }
}

function drawNode(node, { x, y }, size) {
  const kind = svg("text", { x: 10, y: 17, class: "node-kind" }, t(`flow.kind.${node.kind}`));
  const state = svg("text", { x: 10, y: 17, class: "node-mark" });
  const href = hrefOf(node);
  const title = svg("title", {});
  const room = Math.floor((size.width - 20) / LETTER);
  const link = svg("a", { class: `node ${node.kind}`, transform: `translate(${x} ${y})`, "data-node": node.id, href: href || null, tabindex: href ? null : "0" },
    title,
    svg("rect", { width: size.width, height: size.height, rx: 8 }),
    kind,
    svg("text", { x: 10, y: 36, class: "node-name" }, cut(nameOf(node), room, node.kind === "topic")),
    state);
  return { link, title, kind, state };
}

function writeEdge({ line, label }, rate) {
  // By the logarithm: a rule with one event per second is seen beside one with ten thousand.
  const width = rate ? Math.min(9, 1.6 + 1.7 * Math.log10(1 + rate)).toFixed(1) : "1";
  if (line.getAttribute("stroke-width") !== width) line.setAttribute("stroke-width", width);
  line.classList.toggle("flowing", Boolean(rate));
  const text = rate ? rateText(rate) : "";
  if (label.textContent !== text) label.textContent = text;
}

// What a node is called is its title: the words in it may be cut.
function writeNode({ link, title, kind, state }, node, marks) {
  const [worst] = marks;
  const text = worst ? mark(worst) : "";
  if (state.textContent !== text) state.textContent = text;
  kind.setAttribute("visibility", worst ? "hidden" : "visible");
  for (const level of LEVELS) link.classList.toggle(level, worst?.level === level);
  const words = [`${t(`flow.kind.${node.kind}`)} ${nameOf(node)}`, node.detail, ...marks.map(mark)].filter(Boolean).join(", ");
  if (title.textContent !== words) title.textContent = words;
}

// Of a topic the end tells more than the beginning; Chinese letters are twice as wide.
function cut(text, room, fromEnd) {
  const letters = [...text];
  const wide = (letter) => (letter.codePointAt(0) > 0x2e7f ? 2 : 1);
  if (letters.reduce((sum, letter) => sum + wide(letter), 0) <= room) return text;
  const kept = [];
  let used = 1;
  for (const letter of fromEnd ? letters.toReversed() : letters) {
    if ((used += wide(letter)) > room) break;
    kept.push(letter);
  }
  return fromEnd ? `…${kept.reverse().join("")}` : `${kept.join("")}…`;
}
