// What may be done to a function: another number of instances, or taking it away.

import { make } from "/static/dom.js";
import { ask, askJson } from "./api.js";
import { confirmed } from "./confirm.js";
import { number } from "./format.js";
import { t } from "./strings.js";
import { toast } from "./toast.js";

const place = (name) => `/api/functions/${encodeURIComponent(name)}`;

/** A dialog with the actions on `told`, a function as the API shows it. */
export function openActions(told) {
  const { name } = told;
  const close = () => {
    dialog.close();
    dialog.remove();
  };
  const then = (act) => () => {
    close();
    act(name);
  };
  const runs = told.revision != null;
  const dialog = make("dialog", { class: "card actions", oncancel: close, "aria-label": t("functions.actions", { name }) },
    make("h2", {}, name),
    make("div", { class: "stack" },
      runs && make("button", { type: "button", class: "plain", onclick: then(scale) }, t("functions.scale.begin")),
      make("button", { type: "button", class: "plain danger-text", onclick: then(removeFunction) }, t("functions.remove.begin")),
      make("button", { type: "button", class: "plain", onclick: close }, t("console.action.close"))));
  document.body.append(dialog);
  dialog.showModal();
}

/** Ask for a number of instances, and have it so. */
export async function scale(name) {
  const { fixed, scale: rule } = await askJson(place(name));
  const count = make("input", { type: "number", min: 0, max: rule.max, value: fixed ?? Math.max(1, rule.min), id: "scale-count", required: true });
  const auto = make("input", { type: "radio", name: "how", value: "auto", checked: fixed == null });
  const fix = make("input", { type: "radio", name: "how", value: "fixed", checked: fixed != null });
  count.addEventListener("input", () => (fix.checked = true));
  const problem = make("p", { class: "bad", role: "alert", lang: "en", hidden: true });
  const close = () => {
    dialog.close();
    dialog.remove();
  };
  const send = async (event) => {
    event.preventDefault();
    try {
      await tellScale(name, auto.checked ? null : Number(count.value));
      close();
    } catch (error) {
      problem.textContent = error.message;
      problem.hidden = false;
    }
  };
  const dialog = make("dialog", { class: "card actions", oncancel: close, "aria-label": t("functions.scale.title", { name }) },
    make("form", { class: "stack", onsubmit: send },
      make("h2", {}, t("functions.scale.title", { name })),
      make("label", { class: "pick" }, auto, t("functions.scale.auto", { min: number(rule.min, 0), max: number(rule.max, 0) })),
      make("div", { class: "row" }, make("label", { class: "pick" }, fix, t("functions.scale.fixed")), make("label", { class: "unseen", for: "scale-count" }, t("functions.scale.count")), count),
      make("p", { class: "quiet" }, t("functions.scale.hint")),
      problem,
      make("div", { class: "row end" },
        make("button", { type: "button", class: "plain", onclick: close }, t("console.action.cancel")),
        make("button", {}, t("functions.scale.send")))));
  document.body.append(dialog);
  dialog.showModal();
}

async function tellScale(name, instances) {
  await ask(`${place(name)}/scale`, { method: "POST", json: { instances } });
  toast(instances == null ? t("functions.scale.is_auto", { name }) : t("functions.scale.is_fixed", { name, n: instances }));
}

/** Ask, and take it away; true once it is gone. */
export async function removeFunction(name) {
  if (!(await confirmed(t("functions.remove.question", { name }), t("functions.remove.sure")))) return false;
  try {
    await ask(place(name), { method: "DELETE" });
    toast(t("functions.remove.done", { name }));
    return true;
  } catch (error) {
    toast(error.message, { bad: true });
    return false;
  }
}
