// What every page does: the live feed's state, language, colours, signing out, times, and keys.

import { about } from "./about.js";
import { ask } from "./api.js";
import { dropDrafts } from "./drafts.js";
import { writeTimes } from "./format.js";
import { live } from "./live.js";
import { t } from "./strings.js";
import { toast } from "./toast.js";

const YEAR = 31536000;

function remember(name, value) {
  document.cookie = `${name}=${value}; path=/; max-age=${YEAR}; samesite=strict`;
}

document.getElementById("language").addEventListener("change", (event) => {
  remember("fnhost_language", event.target.value);
  location.reload();
});

document.getElementById("theme").addEventListener("change", (event) => {
  remember("fnhost_theme", event.target.value);
  document.documentElement.dataset.theme = event.target.value;
  document.dispatchEvent(new CustomEvent("theme:changed"));
});

document.getElementById("sign-out")?.addEventListener("click", async () => {
  await ask("/api/session", { method: "DELETE" });
  dropDrafts();
  location.assign("/console/sign-in");
});

dropDrafts({ others: true });

document.addEventListener("live:restarted", () => toast(t("console.live.restarted")));
document.addEventListener("live:signed-out", () => {
  const next = encodeURIComponent(location.pathname + location.search);
  toast(t("console.live.signed_out"), { href: `/console/sign-in?next=${next}`, label: t("console.sign_in"), stays: true });
});

document.body.addEventListener("htmx:configRequest", (event) => {
  if (about.csrf) event.detail.headers["x-csrf-token"] = about.csrf;
});
document.body.addEventListener("htmx:afterSwap", (event) => writeTimes(event.detail.elt));
document.body.addEventListener("htmx:responseError", (event) => toast(event.detail.xhr.statusText, { bad: true }));

// On a narrow screen the pages stand in one row that scrolls: the present one is seen.
const here = document.querySelector(".pages [aria-current]");
here?.parentElement.scrollTo({ left: here.offsetLeft - here.parentElement.clientWidth / 2 + here.clientWidth / 2 });

live.begin(document.getElementById("live"));
writeTimes();
setInterval(() => writeTimes(), 10000);
