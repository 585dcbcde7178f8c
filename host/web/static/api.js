// The page to try the API: reads the host's OpenAPI document and lists its operations by tag.

import { make, prose, replace } from "./dom.js";
import { Operation } from "./operation.js";
import { Schemas } from "./schema.js";
import { Session } from "./session.js";

const DOCUMENT = "/api/openapi.json";

class Page {
  constructor() {
    this.main = document.getElementById("operations");
    this.index = document.getElementById("index");
    this.filter = document.getElementById("filter");
    this.session = new Session(document.getElementById("session"), () => this.load());
    this.shown = [];
    this.filter.addEventListener("input", () => this.sift());
    document.addEventListener("keydown", (event) => this.onKey(event));
    window.addEventListener("hashchange", () => this.open());
  }

  /** Read the document anew, since another caller may see it or not. */
  async load() {
    const answer = await fetch(DOCUMENT, { headers: this.session.headers("GET", DOCUMENT) });
    const told = await answer.json();
    if (answer.ok) this.show(told);
    else this.explain(told);
  }

  explain(problem) {
    this.shown = [];
    replace(this.index);
    replace(this.main, make("h2", {}, "Sign in to see the operations"), make("p", {}, prose(problem.detail)),
      make("p", { class: "quiet" }, prose("On the host's machine, `fnhost token create` makes a token.")));
  }

  show(told) {
    this.schemas = new Schemas(told);
    const tags = told.tags.map((tag) => ({ ...tag, operations: [] }));
    for (const [path, methods] of Object.entries(told.paths)) {
      for (const [method, operation] of Object.entries(methods)) {
        const tag = tags.find((each) => each.name === operation.tags[0]);
        tag.operations.push(new Operation(method, path, operation, this));
      }
    }
    this.shown = tags.filter((tag) => tag.operations.length).map((tag) => this.group(tag));
    replace(this.main, this.shown.map((group) => group.section));
    replace(this.index, this.shown.map((group) => group.links));
    this.sift();
    this.open();
  }

  group(tag) {
    const entries = tag.operations.map((operation) => ({
      text: `${operation.method} ${operation.path} ${operation.told.summary}`.toLowerCase(),
      element: operation.render(),
      link: make("a", { href: `#${operation.id}`, title: operation.told.summary },
        make("span", { class: operation.method }, operation.method), ` ${operation.path}`),
    }));
    const section = make("section", {}, make("h2", {}, tag.name), make("p", {}, tag.description),
      entries.map((entry) => entry.element));
    const links = make("div", { class: "mono" }, make("h2", {}, tag.name), entries.map((entry) => entry.link));
    return { entries, section, links };
  }

  sift() {
    const wanted = this.filter.value.toLowerCase().split(/\s+/);
    for (const group of this.shown) {
      for (const entry of group.entries) {
        const hidden = !wanted.every((word) => entry.text.includes(word));
        entry.element.hidden = entry.link.hidden = hidden;
      }
      group.section.hidden = group.links.hidden = group.entries.every((entry) => entry.link.hidden);
    }
  }

  /** Open the operation that the address names. */
  open() {
    const named = document.getElementById(location.hash.slice(1));
    if (named?.matches("details.operation")) {
      if (named.hidden) {
        this.filter.value = "";
        this.sift();
      }
      named.open = true;
      named.scrollIntoView();
    }
  }

  onKey(event) {
    if (event.key !== "/" || event.target.matches("input, textarea, select")) return;
    event.preventDefault();
    this.filter.focus();
  }
}

new Page().session.begin();
