// Short messages at the edge of the page, read out by screen readers.

import { make } from "/static/dom.js";
import { t } from "./strings.js";

const SECONDS = 8;

/** Say something; `bad` marks a failure, `href` and `label` make a link, and what `stays` goes by hand only. */
export function toast(text, { bad = false, href, label, stays = false } = {}) {
  const close = make("button", { class: "plain", type: "button", onclick: () => box.remove() }, t("console.action.close"));
  const box = make("div", { class: bad ? "toast bad" : "toast" }, make("span", {}, text), href && make("a", { href }, label), close);
  document.getElementById("toasts").append(box);
  if (!stays && !bad) setTimeout(() => box.remove(), SECONDS * 1000);
}
