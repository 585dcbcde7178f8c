// Who is signed in, and requests in their name: a cookie that no script can read, and a token against forgery.

import { make, replace } from "./dom.js";

const PLACE = "/api/session";

export class Session {
  // The token itself stays in this page's memory only: functions do not know sessions, and need it to be invoked.
  #token = "";
  #csrf = "";

  constructor(box, changed) {
    this.box = box;
    this.changed = changed;
    this.who = null;
  }

  /** The headers with which a request to `path` is made in the caller's name. */
  headers(method, path) {
    if (path.startsWith("/invoke/")) return this.#token ? { authorization: `Bearer ${this.#token}` } : {};
    return this.#csrf && method !== "GET" ? { "x-csrf-token": this.#csrf } : {};
  }

  async begin() {
    await this.#take(await fetch(PLACE));
  }

  async #signIn(token) {
    const body = JSON.stringify({ token });
    const headers = { "content-type": "application/json" };
    const answer = await fetch(PLACE, { method: "POST", headers, body });
    if (answer.ok) this.#token = token;
    await this.#take(answer);
  }

  async #signOut() {
    this.#token = "";
    await this.#take(await fetch(PLACE, { method: "DELETE", headers: this.headers("DELETE", PLACE) }));
  }

  async #take(answer) {
    const told = await answer.json();
    this.#csrf = answer.ok ? told.csrf ?? "" : "";
    this.who = answer.ok ? told : null;
    this.#show(answer.ok ? "" : told.detail);
    await this.changed();
  }

  #show(problem) {
    if (this.#csrf) {
      const scopes = `may ${this.who.scopes.join(", ")}`;
      const out = make("button", { class: "plain", onclick: () => this.#signOut() }, "Sign out");
      replace(this.box, make("span", { title: scopes }, "Signed in as ", make("strong", {}, this.who.who)), out);
      return;
    }
    const token = make("input", {
      type: "password", placeholder: "fnh_… (fnhost token create)", "aria-label": "Token", autocomplete: "off", required: true,
    });
    const submit = (event) => {
      event.preventDefault();
      this.#signIn(token.value.trim());
    };
    const form = make("form", { onsubmit: submit }, token, make("button", {}, "Sign in"));
    replace(this.box, problem && make("span", { class: "bad", role: "alert" }, problem), form);
  }
}
