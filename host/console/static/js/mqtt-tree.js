// A tree of topics: each level of a name is a branch; only what is unfolded has elements. Keys as in WAI-ARIA's tree.

import { make } from "/static/dom.js";
import { number, short } from "./format.js";
import { inBrief } from "./mqtt-bytes.js";
import { t } from "./strings.js";

const UNFOLDED = 60;

/** Draws topics into `box`, sorted; `choose(topic)` when one is selected. */
export class Tree {
  #nodes = new Map();
  #roots = [];
  #folded = new Map();
  #current = null;

  constructor(box, choose) {
    Object.assign(this, { box, choose, selected: null });
    box.addEventListener("click", (event) => this.#onClick(event));
    box.addEventListener("keydown", (event) => this.#onKey(event));
  }

  /** These topics and no others; with `wide` all branches are unfolded as far as there is room. */
  draw(topics, wide) {
    this.wide = wide;
    this.#nodes.clear();
    this.#roots = grow(topics, this.#nodes);
    const focused = this.box.contains(document.activeElement);
    this.total = topics.length;
    this.box.replaceChildren(...this.#roots.map((node) => this.#element(node, 1)));
    const node = this.#nodes.get(this.#current) ?? this.#roots[0];
    if (node) this.#mark(this.#visible(node), focused);
  }

  /** Write the numbers anew. */
  refresh() {
    for (const node of this.#nodes.values()) if (node.element?.isConnected) write(node);
  }

  /** Unfold the way to a topic, and select it. */
  reveal(key) {
    const node = [...this.#nodes.values()].find((each) => each.topic?.key === key);
    for (let above = node?.above; above; above = above.above) this.#unfold(above, true);
    if (node) this.#select(node);
  }

  #element(node, level) {
    const open = node.below.size ? this.#isOpen(node, level) : null;
    const row = make("div", { class: "leaf" }, make("span", { class: "label" }, inBrief(node.label)),
      make("span", { class: "brief" }), make("span", { class: "rate" }));
    node.element = make("li", { role: "treeitem", tabindex: "-1", "aria-level": level, "aria-expanded": open === null ? null : String(open) }, row);
    node.element.node = node;
    node.level = level;
    if (node.topic) node.element.setAttribute("aria-selected", String(node.topic.key === this.selected));
    if (open) this.#fill(node);
    write(node);
    return node.element;
  }

  #fill(node) {
    node.group = make("ul", { role: "group" }, ...[...node.below.values()].map((each) => this.#element(each, node.level + 1)));
    node.element.append(node.group);
  }

  #isOpen(node, level) {
    if (this.#folded.has(node.path)) return !this.#folded.get(node.path);
    return level === 1 || this.total <= UNFOLDED || node.below.size === 1 || (this.wide && this.total <= 4 * UNFOLDED);
  }

  #unfold(node, open) {
    this.#folded.set(node.path, !open);
    if (!node.element?.isConnected || !node.below.size) return;
    node.element.setAttribute("aria-expanded", String(open));
    if (open && !node.group) this.#fill(node);
    if (!open) {
      node.group?.remove();
      node.group = null;
    }
  }

  #onClick(event) {
    const node = event.target.closest("[role=treeitem]")?.node;
    if (!node) return;
    this.#mark(node, true);
    if (node.topic) this.#select(node);
    else this.#unfold(node, !node.group);
  }

  #onKey(event) {
    const node = event.target.closest("[role=treeitem]")?.node;
    const deeds = {
      ArrowDown: () => this.#step(node, 1), ArrowUp: () => this.#step(node, -1),
      ArrowRight: () => (node.below.size && !node.group ? this.#unfold(node, true) : node.group && this.#step(node, 1)),
      ArrowLeft: () => (node.group ? this.#unfold(node, false) : node.above && this.#mark(node.above, true)),
      Home: () => this.#mark(this.#roots[0], true), End: () => this.#mark(this.box.querySelector("li:last-child > ul > li:last-child")?.node ?? this.#roots.at(-1), true),
      Enter: () => (node.topic ? this.#select(node) : this.#unfold(node, !node.group)),
    };
    deeds[" "] = deeds.Enter;
    if (!node || !deeds[event.key] || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    deeds[event.key]();
  }

  #step(node, by) {
    const all = [...this.box.querySelectorAll("[role=treeitem]")];
    const next = all[all.indexOf(node.element) + by];
    if (next) this.#mark(next.node, true);
  }

  // One element of the tree can be reached by Tab: where one was last.
  #mark(node, focus) {
    this.#nodes.get(this.#current)?.element?.setAttribute("tabindex", "-1");
    this.#current = node.path;
    node.element.setAttribute("tabindex", "0");
    if (focus) node.element.focus({ preventScroll: false });
  }

  #visible(node) {
    let found = node;
    for (let each = node; each; each = each.above) if (!each.element?.isConnected) found = each.above ?? found;
    return found;
  }

  #select(node) {
    this.box.querySelector("[aria-selected=true]")?.setAttribute("aria-selected", "false");
    this.selected = node.topic.key;
    node.element?.setAttribute("aria-selected", "true");
    this.#mark(node, false);
    node.element?.scrollIntoView({ block: "nearest" });
    this.choose(node.topic);
  }
}

// A branch is known by broker and names down to it; NUL stands in no name of a topic.
function grow(topics, nodes) {
  const roots = new Map();
  const enter = (map, label, path, above) => {
    if (!map.has(label)) {
      const node = { label, path, above, below: new Map(), topic: null, leaves: [] };
      map.set(label, node);
      nodes.set(path, node);
    }
    return map.get(label);
  };
  for (const topic of topics) {
    let node = enter(roots, topic.broker, topic.broker, null);
    node.leaves.push(topic);
    for (const level of topic.topic.split("/")) {
      node = enter(node.below, level, `${node.path}\0${level}`, node);
      node.leaves.push(topic);
    }
    node.topic = topic;
  }
  return [...roots.values()];
}

function write(node) {
  const [, brief, rate] = node.element.firstChild.children;
  const { topic } = node;
  const sum = node.leaves.reduce((all, each) => all + each.rate, 0);
  brief.textContent = topic ? inBrief(topic.brief) : node.below.size ? t("mqtt.topics.branch", { n: number(node.leaves.length, 0) }) : "";
  const seen = topic ? topic.received + topic.sent + topic.heard : 0;
  rate.textContent = sum ? t("mqtt.topics.rate", { n: short(sum) }) : topic ? number(seen, 0) : "";
  rate.title = topic ? t("mqtt.topics.messages", { n: number(seen, 0) }) : "";
  rate.className = sum ? "rate busy" : "rate";
}
