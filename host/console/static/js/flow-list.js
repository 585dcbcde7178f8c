// The flow in words: nested lists that begin where events come from.

import { make } from "/static/dom.js";
import { hrefOf, mark, nameOf, rateText } from "./flow-words.js";
import { t } from "./strings.js";

/** The list in `box`; `show` writes it anew, `update` changes rates and marks. */
export class FlowList {
  constructor(box) {
    this.box = box;
  }

  /** Write what `fold` gave. */
  show(graph) {
    this.graph = graph;
    this.rates = [];
    this.marks = [];
    const told = new Set();
    const fed = new Set(graph.edges.map((edge) => edge.to));
    const roots = graph.nodes.map((_, number) => number).filter((number) => !fed.has(number))
      .sort((one, other) => graph.nodes[one].column - graph.nodes[other].column);
    this.box.replaceChildren(make("ul", { class: "ways" }, roots.map((number) => this.#item(number, null, told))));
  }

  update(rates, marks) {
    for (const { edge, box } of this.rates) write(box, rateText(rates.of(edge.parts)));
    for (const { node, box } of this.marks) {
      const [worst] = marks.get(node.id) ?? [];
      box.className = worst ? `mark ${worst.level}` : "mark";
      write(box, worst ? mark(worst) : "");
    }
  }

  #item(number, edge, told) {
    const node = this.graph.nodes[number];
    const rate = make("span", { class: "rate" });
    const marked = make("span", { class: "mark" });
    if (edge) this.rates.push({ edge, box: rate });
    this.marks.push({ node, box: marked });
    const href = hrefOf(node);
    const name = href ? make("a", { href, title: node.detail }, nameOf(node)) : make("span", {}, nameOf(node));
    const line = make("span", { class: "line" }, make("span", { class: "quiet" }, t(`flow.kind.${node.kind}`)), " ", name, " ", rate, " ", marked);
    const further = this.graph.edges.filter((each) => each.from === number);
    if (!further.length) return make("li", {}, line);
    if (told.has(number)) return make("li", {}, line, " ", make("span", { class: "quiet" }, t("flow.seen_above")));
    told.add(number);
    return make("li", {}, line, make("ul", {}, further.map((each) => this.#item(each.to, each, told))));
  }
}

function write(box, text) {
  if (box.textContent !== text) box.textContent = text;
}
