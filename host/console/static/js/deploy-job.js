// One package on its way into service: how much has gone, the host's steps, what the build says, and how it ended.

import { make, replace } from "/static/dom.js";
import { askJson } from "./api.js";
import { bytes, seconds } from "./format.js";
import { stem } from "./packages.js";
import { drawPickles } from "./pickles.js";
import { has, t } from "./strings.js";
import { sendFile } from "./upload.js";

const MOST_LINES = 1000;

export class DeployJob {
  /** `name` is what the function is to be called, "" if the package or the file says; `ended()` when it is over. */
  constructor(file, name, { ended }) {
    Object.assign(this, { file, ended, state: "waiting" });
    this.calling = new AbortController();
    this.state_ = make("span", { class: "state" });
    this.name = make("input", { value: name, placeholder: stem(file.name), "aria-label": t("deploy.name"), autocomplete: "off", spellcheck: "false" });
    this.go = make("button", { type: "submit" }, t("deploy.send"));
    this.off = make("button", { type: "button", class: "plain", onclick: () => this.#callOff() }, t("console.action.cancel"));
    this.form = make("form", { class: "row", onsubmit: (event) => this.#submit(event) }, make("label", { class: "row" }, t("deploy.name"), this.name), this.go, this.off);
    this.bar = make("progress", { max: file.size || 1, value: 0, "aria-label": t("deploy.upload"), hidden: true });
    this.steps = make("ol", { class: "steps", lang: "en" });
    this.log = make("pre", { class: "log", tabindex: "0", lang: "en", "aria-label": t("deploy.log"), hidden: true });
    this.notes = make("div", { class: "stack", lang: "en" });
    this.result = make("div", { class: "stack", role: "status" });
    this.box = make("article", { class: "job stack", "aria-label": file.name },
      make("div", { class: "row apart" }, make("span", {}, make("strong", {}, file.name), " ", make("span", { class: "quiet" }, bytes(file.size))), this.state_),
      this.form, this.bar, this.steps, this.log, this.notes, this.result);
    this.#show("waiting");
  }

  /** It is not sent, for this reason. */
  refuse(reason) {
    this.form.remove();
    this.#show("refused");
    replace(this.result, make("p", { class: "notice bad" }, reason), make("div", { class: "row" }, this.#close()));
  }

  /** Send it, once it is its turn. */
  async begin() {
    const name = this.name.value.trim();
    const query = new URLSearchParams(name ? { name } : { default_name: stem(this.file.name) });
    this.#show("sending");
    this.bar.hidden = false;
    try {
      await sendFile(`/api/functions?${query}`, this.file, {
        sent: (gone, total) => this.#sent(gone, total), line: (told) => this.#hear(told), signal: this.calling.signal,
      });
      if (!["done", "failed"].includes(this.state)) this.#fail({ status: 0, detail: t("deploy.problem.no_end") });
    } catch (error) {
      this.#fail({ status: error.status, title: error.told?.title, detail: error.message });
    }
  }

  #submit(event) {
    event.preventDefault();
    this.name.readOnly = true;
    this.go.remove();
    this.#show("queued");
    this.box.dispatchEvent(new CustomEvent("deploy:asked", { bubbles: true }));
  }

  #callOff() {
    if (this.state === "sending") return this.calling.abort();
    this.box.remove();
    this.#show("called_off");
    this.ended();
  }

  #sent(gone, total) {
    this.bar.value = gone;
    this.state_.textContent = t("deploy.sent", { gone: bytes(gone), total: bytes(total) });
    if (gone < total) return;
    this.bar.hidden = true;
    this.off.remove();
    this.#show("building");
  }

  #hear(told) {
    if (told.type === "step") this.#step(told);
    else if (told.type === "log") this.#write(told.line);
    else if (told.type === "note") this.notes.append(make("p", { class: "notice warn" }, told.line));
    else if (told.type === "error") this.#fail(told);
    else if (told.type === "done") this.#finish(told);
  }

  #step({ step, message }) {
    this.#show("building");
    this.steps.lastElementChild?.removeAttribute("aria-current");
    const named = has(`deploy.steps.${step}`) ? t(`deploy.steps.${step}`) : step;
    this.steps.append(make("li", { "aria-current": "step" }, make("strong", { lang: document.documentElement.lang }, named), " ", make("span", { class: "quiet" }, message)));
  }

  #write(line) {
    const atEnd = this.log.scrollHeight - this.log.scrollTop - this.log.clientHeight < 30;
    this.log.hidden = false;
    this.log.append(make("div", {}, line));
    if (this.log.childElementCount > MOST_LINES) this.log.firstElementChild.remove();
    if (atEnd) this.log.scrollTop = this.log.scrollHeight;
  }

  #finish(done) {
    const place = `/console/functions/${encodeURIComponent(done.function)}`;
    const label = `${done.function}@${done.revision}`;
    const said = done.unchanged ? t("deploy.unchanged", { label }) : t("deploy.done", { label, time: seconds(done.seconds) });
    this.steps.lastElementChild?.removeAttribute("aria-current");
    this.#show("done");
    const report = make("div");
    replace(this.result, make("p", { class: "notice good" }, said),
      make("div", { class: "row" }, make("a", { class: "button", href: `${place}?tab=try` }, t("deploy.try")), make("a", { href: place }, t("deploy.open", { name: done.function })), this.#close()), report);
    this.#report(report, done);
    this.#end();
    document.dispatchEvent(new CustomEvent("deploy:done", { detail: done }));
  }

  async #report(box, { function: name, revision }) {
    const told = await askJson(`/api/functions/${encodeURIComponent(name)}/revisions/${revision}`).catch(() => null);
    if (told?.inspection?.pickles.length) replace(box, make("h3", {}, t("deploy.pickles.title")), drawPickles(told.inspection));
  }

  #fail({ status, title, detail, stack }) {
    const known = has(`deploy.failed.${status}`) ? `deploy.failed.${status}` : "deploy.failed.other";
    this.steps.lastElementChild?.setAttribute("aria-current", "false");
    this.#show("failed");
    replace(this.result, make("div", { class: "notice bad" }, make("strong", {}, t(known)),
      title && make("p", { lang: "en" }, title), make("p", { lang: status ? "en" : null }, detail), stack?.length ? make("pre", { lang: "en", tabindex: "0" }, stack.join("").trimEnd()) : null),
      make("div", { class: "row" }, this.#again(), this.#close()));
    this.log.scrollTop = this.log.scrollHeight;
    this.#end();
  }

  #again() {
    const again = () => this.box.dispatchEvent(new CustomEvent("deploy:again", { bubbles: true, detail: { file: this.file, name: this.name.value } }));
    return make("button", { type: "button", class: "plain", onclick: again }, t("deploy.again"));
  }

  #close() {
    return make("button", { type: "button", class: "plain", onclick: () => this.#callOff() }, t("console.action.close"));
  }

  #end() {
    this.form.remove();
    this.bar.hidden = true;
    this.ended();
  }

  #show(state) {
    this.state = state;
    this.box.dataset.state = state;
    this.state_.className = `state ${{ done: "good", failed: "bad", refused: "bad", sending: "warn", building: "warn" }[state] ?? ""}`;
    if (state !== "sending") this.state_.textContent = t(`deploy.states.${state}`);
  }
}
