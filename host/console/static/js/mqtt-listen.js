// Listens to a topic filter for as long as the page is open: what is heard shows up among the topics seen.

import { make, replace } from "/static/dom.js";
import { askLines } from "./api.js";
import { number } from "./format.js";
import { t } from "./strings.js";

/** Have the form begin and end it. */
export function listenBeyond() {
  const form = document.getElementById("listen");
  if (!form) return;
  const state = document.getElementById("listen-state");
  const [begin, stop] = form.querySelectorAll("button");
  let ending = null;
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    ending = new AbortController();
    const asked = new URLSearchParams(new FormData(form)); // of fields that are not disabled
    show(true);
    state.textContent = t("mqtt.listen.connecting");
    try {
      await follow(asked, ending.signal, state);
    } catch (error) {
      if (error.name === "AbortError") state.textContent = t("mqtt.listen.ended");
      else refuse(state, error.message);
    }
    show(false);
  });
  stop.addEventListener("click", () => ending?.abort());

  function show(listening) {
    begin.hidden = listening;
    stop.hidden = !listening;
    for (const field of [form.elements.broker, form.elements.filter]) field.disabled = listening;
    if (listening) stop.focus();
  }
}

async function follow(asked, signal, state) {
  for await (const told of askLines(`/api/mqtt/listen?${asked}`, { signal })) {
    if (!told.listening) return refuse(state, told.why);
    const said = told.left_out ? "mqtt.listen.busy" : "mqtt.listen.now";
    replace(state, make("span", { class: "state good" }, t(said, { n: number(told.heard, 0), left: number(told.left_out, 0) })));
  }
  state.textContent = t("mqtt.listen.ended");
}

function refuse(state, why) {
  replace(state, make("span", { class: "state bad" }, t("mqtt.listen.refused")), " ", make("span", { lang: "en" }, why));
}
