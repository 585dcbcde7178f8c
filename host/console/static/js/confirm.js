// Asks before something that cannot be undone; the answer is a promise.

import { make } from "/static/dom.js";
import { t } from "./strings.js";

/** True when the one who looks says yes to `question`; `yes` is what the button says. */
export function confirmed(question, yes = t("console.action.confirm")) {
  return new Promise((resolve) => {
    const end = (answer) => {
      dialog.close();
      dialog.remove();
      resolve(answer);
    };
    const dialog = make("dialog", { class: "card", oncancel: () => end(false) }, make("p", {}, question),
      make("div", { class: "row end" },
        make("button", { class: "plain", type: "button", onclick: () => end(false) }, t("console.action.cancel")),
        make("button", { class: "danger", type: "button", onclick: () => end(true) }, yes)));
    document.body.append(dialog);
    dialog.showModal();
  });
}
