// Tokens: all that there are, a new one that is shown once, and an end to one.

import { make } from "/static/dom.js";
import { ask, askJson } from "./api.js";
import { confirmed } from "./confirm.js";
import { copy } from "./copy.js";
import { writeTimes } from "./format.js";
import { live } from "./live.js";
import { t } from "./strings.js";

const KINDS = { live: "good", expired: "warn", revoked: "bad" };
const COLUMNS = ["name", "may", "state", "made", "used", "expires", "action"];
const [box, form, problem, made, token, verb, functionName, functionLabel] = ["tokens", "create", "problem", "made", "token", "verb", "function", "function-label"].map((id) => document.getElementById(id));

async function list() {
  const { tokens } = await askJson("/api/tokens");
  if (!tokens.length) return box.replaceChildren(make("div", { class: "empty" }, t("settings-tokens.none")));
  box.replaceChildren(make("table", { class: "list" },
    make("thead", {}, make("tr", {}, COLUMNS.map((each) => make("th", { scope: "col" }, t(`settings-tokens.column.${each}`))))),
    make("tbody", {}, tokens.toReversed().map(row))));
  return writeTimes(box);
}

function row(each) {
  const end = async () => {
    if (!(await confirmed(t("settings-tokens.sure", { name: each.name }), t("settings-tokens.revoke")))) return;
    await ask(`/api/tokens/${encodeURIComponent(each.id)}`, { method: "DELETE" }).catch(tell);
    await list();
  };
  const revoke = each.state === "live" && make("button", { type: "button", class: "plain small", "aria-label": t("settings-tokens.revoke_named", { name: each.name }), onclick: end }, t("settings-tokens.revoke"));
  return make("tr", {}, make("td", {}, each.name), make("td", {}, make("code", {}, each.scopes.join(" "))),
    make("td", {}, make("span", { class: `state ${KINDS[each.state]}` }, t(`settings-tokens.state.${each.state}`))),
    make("td", {}, moment(each.created)), make("td", {}, moment(each.last_used, "ago")), make("td", {}, moment(each.expires)), make("td", {}, revoke));
}

function moment(at, form = "time") {
  return at ? make("time", { "data-at": at, "data-form": form }) : t("settings-tokens.never");
}

function tell(error) {
  problem.textContent = error?.message ?? "";
  problem.hidden = !error;
}

function hasFunction() {
  return ["invoke", "deploy"].includes(verb.value);
}

verb.addEventListener("change", () => {
  functionLabel.hidden = !hasFunction();
  functionName.disabled = !hasFunction();
});

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const expires = document.getElementById("expires").value.trim();
  const scope = hasFunction() ? `${verb.value}:${functionName.value.trim()}` : verb.value;
  const order = { scopes: [scope], name: document.getElementById("name").value.trim(), ...(expires && { expires }) };
  try {
    const answer = await askJson("/api/tokens", { method: "POST", json: order });
    token.textContent = answer.token;
    made.hidden = false;
    tell(null);
    form.reset();
    await list();
  } catch (error) {
    tell(error);
  }
});

document.getElementById("copy").addEventListener("click", () => copy(token.textContent));
document.addEventListener("live:restarted", list);
live.on("config", () => {});
list();
