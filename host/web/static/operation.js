// One operation of the API: what it takes as a form, what it answers as a table, and a try of it.

import { showAnswer } from "./answer.js";
import { make, prose } from "./dom.js";

export class Operation {
  #stop = null;

  constructor(method, path, told, page) {
    Object.assign(this, { method: method.toUpperCase(), path, told, page });
    this.id = told.operationId;
    this.fields = (told.parameters ?? []).map((parameter) => this.#field(parameter));
    this.answer = make("div", { class: "answer", "aria-live": "polite" });
    this.send = make("button", {}, "Send");
    this.cancel = make("button", { type: "button", class: "plain", disabled: true, onclick: () => this.#stop?.abort() }, "Stop");
  }

  /** The element; its form is made when it is opened for the first time. */
  render() {
    const summary = make("summary", {},
      make("span", { class: `method mono ${this.method}` }, this.method),
      make("code", {}, this.path),
      make("span", { class: "says" }, prose(this.told.summary)));
    const details = make("details", { class: "operation", id: this.id }, summary);
    details.addEventListener("toggle", () => details.open && details.append(this.#inside()), { once: true });
    return details;
  }

  #inside() {
    const scope = this.told.security?.[0]?.bearer?.[0];
    const submit = (event) => {
      event.preventDefault();
      this.#try();
    };
    return make("div", { class: "inside" },
      make("div", { class: "quiet" }, scope ? `Needs a token with ${scope}.` : "Needs no token."),
      make("form", { onsubmit: submit },
        this.fields.map((field) => field.element),
        this.told.requestBody && this.#bodyField(this.told.requestBody),
        make("div", { class: "row" }, this.send, this.cancel)),
      this.answer,
      make("details", { class: "more" }, make("summary", {}, "Answers"), this.#answers()));
  }

  #field(parameter) {
    const { name, schema = {}, required } = parameter;
    const id = `${this.told.operationId}-${parameter.in}-${name}`;
    const choices = schema.enum && ["", ...schema.enum];
    const example = schema.examples?.[0] ?? schema.default ?? "";
    const input = choices
      ? make("select", { id }, choices.map((each) => make("option", { value: each }, String(each))))
      : make("input", { id, required, placeholder: String(example), autocomplete: "off", spellcheck: "false" });
    const words = `${this.page.schemas.words(schema)} in ${parameter.in}`;
    const element = make("div", { class: "field" },
      make("label", { for: id, class: "mono" }, name, required && " *"), input,
      make("span", { class: "note" }, prose(parameter.description), ` (${words})`));
    return { parameter, input, element };
  }

  #bodyField(body) {
    const kinds = Object.keys(body.content);
    const id = `${this.told.operationId}-body`;
    this.kind = make("select", { "aria-label": "Content type" }, kinds.map((kind) => make("option", {}, kind)));
    this.file = make("input", { type: "file", id: `${id}-file`, "aria-label": "Body from a file" });
    this.text = make("textarea", { id, spellcheck: "false" });
    const show = () => {
      const schema = body.content[this.kind.value].schema;
      const binary = schema?.format === "binary";
      this.text.hidden = binary;
      this.file.hidden = !binary;
      const given = body.content[this.kind.value].example;
      const example = given ?? (schema?.type === "string" ? "" : this.page.schemas.example(schema));
      this.text.value = typeof example === "string" ? example : JSON.stringify(example, null, 2);
    };
    this.kind.addEventListener("change", show);
    show();
    return make("div", { class: "field" }, make("label", { for: id }, "Body"),
      make("div", {}, make("div", { class: "row" }, this.kind, this.file), this.text),
      make("span", { class: "note" }, prose(body.description)));
  }

  #answers() {
    return make("table", {}, Object.entries(this.told.responses).map(([status, told]) => make("tr", {},
      make("td", { class: "mono" }, status),
      make("td", {}, prose(told.description), this.#shape(told)))));
  }

  #shape(told) {
    const [kind, content] = Object.entries(told.content ?? {})[0] ?? [];
    if (!kind?.endsWith("json") || !content.schema || !Object.keys(content.schema).length) return null;
    return make("pre", {}, JSON.stringify(this.page.schemas.example(content.schema), null, 2));
  }

  /** The URL and the headers that the fields say. */
  #request() {
    let url = this.path;
    const query = new URLSearchParams();
    const headers = new Headers(this.page.session.headers(this.method, this.path));
    for (const { parameter, input } of this.fields) {
      if (parameter.in === "path") url = url.replace(`{${parameter.name}}`, encodeURIComponent(input.value));
      else if (input.value === "") continue;
      else if (parameter.in === "query") query.set(parameter.name, input.value);
      else headers.set(parameter.name, input.value);
    }
    if (this.told.requestBody) headers.set("content-type", this.kind.value);
    const body = this.told.requestBody && (this.file.hidden ? this.text.value : this.file.files[0]);
    return [query.size ? `${url}?${query}` : url, { method: this.method, headers, body }];
  }

  async #try() {
    this.#stop = new AbortController();
    this.send.disabled = true;
    this.cancel.disabled = false;
    const { signal } = this.#stop;
    await showAnswer(this.answer, async () => {
      const [url, options] = this.#request();
      return fetch(url, { ...options, signal });
    });
    this.send.disabled = false;
    this.cancel.disabled = true;
  }
}
