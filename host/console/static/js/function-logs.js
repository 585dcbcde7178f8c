// Follows a function's log: filtered by the host, bounded here, and held while somebody reads further up.

import { make } from "/static/dom.js";
import { askLines } from "./api.js";
import { time } from "./format.js";
import { has, t } from "./strings.js";

const MOST_LINES = 2000;
const TAIL = 500;
const AGAIN = 2000;
const HIDDEN_FOR = 20000;
const TYPED = 300;
const DRAW_EVERY = 300;
const SIGNS = { warning: "warn", stderr: "warn", error: "bad", critical: "bad" };

const { name } = document.getElementById("function").dataset;
const filter = document.getElementById("log-filter");
const lines = document.getElementById("lines");
const newest = document.getElementById("newest");
const hold = document.getElementById("hold");
let following = new AbortController();
let waiting = [];
let missed = 0;
let isHeld = false;
let isDrawing = false;

function query() {
  const told = new FormData(filter);
  const asked = new URLSearchParams({ follow: 1, tail: TAIL });
  for (const key of ["level", "revision", "since", "invocation"]) if (told.get(key)) asked.set(key, told.get(key).trim());
  const text = told.get("text");
  if (text) asked.set("grep", told.get("regex") ? text : text.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&"));
  return asked;
}

function remember() {
  const kept = new URLSearchParams({ tab: "logs" });
  for (const [key, value] of new FormData(filter)) if (value && (key !== "regex" || filter.elements.text.value)) kept.set(key, value);
  history.replaceState(null, "", `?${kept}`);
}

function say(key) {
  document.getElementById("log-state").textContent = t(`function-logs.states.${key}`);
}

// A log that ends was ended by the host, which stops or is restarted: what is there is read anew.
async function follow() {
  following.abort();
  following = new AbortController();
  const { signal } = following;
  document.getElementById("log-problem").hidden = true;
  say("opening");
  // A log without lines says nothing; one that was asked for otherwise by now, or is not answered, clears nothing.
  const none = setTimeout(() => signal.aborted || clear(), 500);
  try {
    let isFirst = true;
    const path = `/api/functions/${encodeURIComponent(name)}/logs?${query()}`;
    for await (const line of askLines(path, { signal })) {
      if (isFirst) {
        clearTimeout(none);
        clear();
        say("following");
      }
      isFirst = false;
      take(line);
    }
  } catch (error) {
    if (signal.aborted) return;
    if (error.status >= 400 && error.status < 500) return refuse(error);
  } finally {
    clearTimeout(none);
  }
  if (signal.aborted) return;
  say("lost");
  setTimeout(() => signal.aborted || follow(), AGAIN);
}

function refuse(error) {
  say("refused");
  const box = document.getElementById("log-problem");
  box.replaceChildren(make("strong", {}, t("function-logs.refused")), " ", make("span", { lang: "en" }, error.message));
  box.hidden = false;
}

function clear() {
  waiting = [];
  missed = 0;
  lines.replaceChildren();
  newest.hidden = true;
  document.getElementById("no-lines").hidden = false;
  lines.hidden = true;
  say("following");
}

function take(line) {
  waiting.push(line);
  if (waiting.length > MOST_LINES) waiting.shift();
  if (isHeld) return tellMissed();
  if (isDrawing) return;
  isDrawing = true;
  // Not for each line: what is laid out anew each time is all of them.
  setTimeout(draw, DRAW_EVERY);
}

function draw() {
  isDrawing = false;
  if (isHeld) return;
  const added = waiting.splice(0).map(drawLine);
  document.getElementById("no-lines").hidden = lines.childElementCount + added.length > 0;
  lines.hidden = !document.getElementById("no-lines").hidden;
  lines.append(...added);
  while (lines.childElementCount > MOST_LINES) lines.firstElementChild.remove();
  lines.scrollTop = lines.scrollHeight;
}

function drawLine(line) {
  const level = line.level || "stderr";
  const text = make("span", { class: "text" }, line.line, line.fields && Object.entries(line.fields).map(([key, value]) =>
    make("span", { class: "field" }, ` ${key}=`, make("b", {}, typeof value === "string" ? value : JSON.stringify(value)))));
  if (line.more) return make("div", { class: "line more" }, text);
  return make("div", { class: "line" }, make("time", {}, time(line.time)),
    make("span", { class: `state ${SIGNS[level] ?? ""}` }, has(`function-logs.levels.${level}`) ? t(`function-logs.levels.${level}`) : level),
    make("span", { class: "quiet revision" }, line.revision.slice(name.length)),
    line.id ? make("a", { href: `/console/invocations/${encodeURIComponent(line.id)}`, title: t("function-logs.of_invocation", { id: line.id }) }, line.id.slice(0, 8)) : make("span"), text);
}

function tellMissed() {
  missed += 1;
  newest.hidden = false;
  newest.textContent = t("function-logs.newest", { n: Math.min(missed, MOST_LINES) });
}

function setHeld(held) {
  if (isHeld === held) return;
  isHeld = held;
  missed = 0;
  hold.setAttribute("aria-pressed", String(held));
  hold.textContent = t(held ? "function-logs.go_on" : "function-logs.hold");
  if (held) return;
  newest.hidden = true;
  draw();
}

const isAtEnd = () => lines.scrollHeight - lines.scrollTop - lines.clientHeight < 40;
lines.addEventListener("wheel", (event) => event.deltaY < 0 && lines.scrollHeight > lines.clientHeight && setHeld(true), { passive: true });
lines.addEventListener("keydown", (event) => ["PageUp", "ArrowUp", "Home"].includes(event.key) && setHeld(true));
lines.addEventListener("scroll", () => {
  if (!isAtEnd()) setHeld(true);
  else if (isHeld && !hold.dataset.byHand) setHeld(false);
});
hold.addEventListener("click", () => {
  setHeld(!isHeld);
  if (isHeld) hold.dataset.byHand = "1";
  else delete hold.dataset.byHand;
});
newest.addEventListener("click", () => {
  delete hold.dataset.byHand;
  setHeld(false);
});

let typing = 0;
filter.addEventListener("submit", (event) => event.preventDefault());
filter.addEventListener("input", () => {
  clearTimeout(typing);
  typing = setTimeout(() => {
    remember();
    follow();
  }, TYPED);
});
// As the live feed does: browsers have six connections for one host.
let hiding = 0;
document.addEventListener("visibilitychange", () => {
  clearTimeout(hiding);
  if (document.hidden) hiding = setTimeout(() => following.abort(), HIDDEN_FOR);
  else if (following.signal.aborted) follow();
});
follow();
