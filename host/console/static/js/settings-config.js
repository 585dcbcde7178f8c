// The config file as a form and as text: checked while it is changed, shown as a difference, and applied.

import { make } from "/static/dom.js";
import { ask, askJson } from "./api.js";
import { drawDiff, drawEffects } from "./config_changes.js";
import { buildIndex, goTo, markIndex } from "./config_index.js";
import { dropDraft, keepDraft, readDraft } from "./drafts.js";
import { button, keyList, notice, problemList, tellSheet } from "./config_notices.js";
import { confirmed } from "./confirm.js";
import { copy } from "./copy.js";
import { live } from "./live.js";
import { SchemaForm } from "./schema_form.js";
import { has, t } from "./strings.js";

const DRAFT = "config";
const WAIT = 400;
const FIRST = ["mqtts", "rules", "funcs", "timers", "bridges", "secrets", "limits", "quotas"];
const part = Object.fromEntries(["config", "as-form", "as-text", "find", "status", "discard", "review", "file", "changes", "effects", "diff", "back", "apply", "form-view", "index", "form", "text-view", "text", "text-problems", "copy-text"].map((id) => [id, document.getElementById(id)]));

let sheet = null;
let form = null;
let mode = "form";
let isChanged = false;
let waiting = 0;
let asked = 0;
let number = null;

const label = (pattern) => (has(`settings-config.label.${pattern}`) ? t(`settings-config.label.${pattern}`) : null);
const isSecret = (pattern) => /^secrets\.\*(\.value)?$|^traces\.headers\.\*$|\.password$/u.test(pattern);

function wanted() {
  return mode === "form" ? { document: form.value } : { text: part.text.value };
}

/** Ask the host about the draft; the last question wins. */
async function check() {
  clearTimeout(waiting);
  asked += 1;
  const mine = asked;
  const told = await askJson("/api/config/check", { method: "POST", json: wanted(), headers: { "if-match": `"${sheet.digest}"` } }).catch(onFailure);
  if (!told || mine !== asked) return null;
  showProblems(told.faults);
  return told;
}

function showProblems(faults) {
  const homeless = mode === "form" ? form.tell(faults) : faults;
  notice("problems", "bad", ...(mode === "form" && homeless.length ? [problemList(homeless)] : []));
  part["text-problems"].replaceChildren(...(mode === "text" ? faults.map(textProblem) : []));
  markIndex(part.index, faults);
  part.review.disabled = !isChanged || sheet.lock === "generation";
  part.apply.hidden = !!sheet.lock;
  part.discard.hidden = !isChanged;
  say(faults.length ? t("settings-config.faulty", { n: faults.length }) : t(isChanged ? "settings-config.changed" : "settings-config.same"), faults.length ? "bad" : isChanged ? "warn" : "good");
}

function textProblem(fault) {
  const whole = `${fault.line ? `${fault.line}: ` : ""}${fault.path ? `${fault.path}: ` : ""}${fault.message}${fault.hint ? ` (${fault.hint})` : ""}`;
  return make("li", {}, make("button", { type: "button", class: "plain small bad", lang: "en", onclick: () => goToLine(fault.line ?? 1) }, whole));
}

function goToLine(line) {
  const lines = part.text.value.split("\n");
  const start = lines.slice(0, line - 1).reduce((sum, each) => sum + each.length + 1, 0);
  part.text.focus();
  part.text.setSelectionRange(start, start + (lines[line - 1]?.length ?? 0));
  part.text.scrollTop = (part.text.scrollHeight / lines.length) * Math.max(0, line - 4);
}

function say(text, kind) {
  part.status.className = `state ${kind}`;
  if (part.status.textContent !== text) part.status.textContent = text;
}

function onChange() {
  isChanged = true;
  part.changes.hidden = true;
  notice("applied", "");
  keepDraft(DRAFT, { digest: sheet.digest, mode, ...wanted() });
  clearTimeout(waiting);
  waiting = setTimeout(check, WAIT);
}

function onFailure(problem) {
  if (problem.status === 409 && !sheet.lock) return tellConflict();
  say(problem.message, "bad");
  return null;
}

async function tellConflict() {
  const kept = JSON.stringify(wanted());
  const take = () => {
    dropDraft(DRAFT);
    notice("conflict", "");
    load();
  };
  // A mark stands for a secret of the file as it was: with another file it may stand for another.
  const keep = async () => {
    notice("conflict", "");
    sheet = await askJson("/api/config");
    onChange();
  };
  notice("conflict", "warn", t("settings-config.notice.conflict"), make("div", { class: "row" },
    button(t("settings-config.notice.take"), take),
    kept.includes("${kept:") ? button(t("settings-config.notice.copy"), () => copy(mode === "text" ? part.text.value : JSON.stringify(form.value, null, 2))) : button(t("settings-config.notice.keep"), keep)));
  return null;
}

function show(view) {
  mode = view;
  part["form-view"].hidden = view !== "form";
  part["text-view"].hidden = view !== "text";
  part["as-form"].setAttribute("aria-pressed", String(view === "form"));
  part["as-text"].setAttribute("aria-pressed", String(view === "text"));
  part.find.disabled = view === "text";
}

async function change(view) {
  if (view === mode || !sheet) return;
  if (!isChanged || sheet.lock === "generation") return show(view);
  const told = await check();
  if (!told || (view === "form" && !told.document)) return;
  if (view === "text") part.text.value = told.text;
  else form.show(told.document);
  show(view);
  keepDraft(DRAFT, { digest: sheet.digest, mode, ...wanted() });
  showProblems(told.faults);
  mark();
}

async function review() {
  const told = await check();
  if (!told) return;
  if (told.faults.length) {
    if (mode === "form") form.focus(told.faults[0].path);
    else goToLine(told.faults[0].line ?? 1);
    return;
  }
  part.effects.replaceChildren(drawEffects(told));
  part.diff.replaceChildren(...drawDiff(told.diff));
  part.changes.hidden = false;
  part.changes.focus();
}

async function apply() {
  part.apply.disabled = true;
  try {
    const told = await askJson("/api/config", { method: "PUT", json: wanted(), headers: { "if-match": `"${sheet.digest}"` } });
    dropDraft(DRAFT);
    const effects = part.effects.cloneNode(true);
    effects.removeAttribute("id");
    await load();
    notice("applied", "good", make("strong", {}, t("settings-config.notice.applied")), effects, told.backup && make("code", {}, told.backup));
  } catch (problem) {
    if (problem.status === 409) tellConflict();
    else if (problem.told?.faults) showProblems(problem.told.faults);
    notice("refused", "bad", t("settings-config.notice.refused"), " ", make("span", { lang: "en" }, problem.message));
  } finally {
    part.apply.disabled = false;
  }
}

async function applyFile() {
  await ask("/api/config", { method: "POST", json: {} }).catch((problem) => notice("refused", "bad", t("settings-config.notice.refused"), " ", make("span", { lang: "en" }, problem.message)));
  await load();
}

// What people come for stands first.
function arranged(schema) {
  const { properties } = schema;
  const first = FIRST.filter((key) => key in properties).map((key) => [key, properties[key]]);
  return { ...schema, properties: { ...Object.fromEntries(first), ...properties } };
}

/** Mark what waits for a restart at its section. */
function mark() {
  for (const key of sheet.restart) {
    const place = part.form.querySelector(`[data-at="${key.split(".")[0]}"] :is(summary, label)`);
    if (place && !place.querySelector(".state")) place.append(" ", make("span", { class: "state warn" }, t("settings-config.restart")));
  }
}

async function load() {
  const [told, schema] = await Promise.all([askJson("/api/config"), form ? form.schema : askJson("/api/config/schema")]);
  sheet = told;
  isChanged = false;
  part.file.textContent = sheet.file;
  for (const name of ["refused", "conflict", "problems", "draft"]) notice(name, "");
  part.changes.hidden = true;
  tellSheet(sheet, { applyFile });
  part.config.hidden = sheet.text === null;
  if (sheet.text === null) return;
  const value = sheet.document;
  if (form) form.show(value);
  else form = new SchemaForm(part.form, { schema: arranged(schema), value, label, isSecret, onchange: onChange });
  part.text.value = sheet.text;
  part.text.readOnly = sheet.lock === "generation";
  buildIndex(part.index, part.form, form);
  if (sheet.lock === "generation") show("text");
  part["as-form"].disabled = sheet.lock === "generation";
  restore();
  mark();
  showProblems(isChanged ? [] : sheet.faults);
  part.config.removeAttribute("aria-busy");
  if (isChanged) await check();
}

function restore() {
  const draft = readDraft(DRAFT);
  if (!draft || sheet.lock === "generation") return;
  isChanged = true;
  if (draft.mode === "form") form.show(draft.document);
  else part.text.value = draft.text;
  show(draft.mode);
  if (draft.digest !== sheet.digest) tellConflict();
  else notice("draft", "", t("settings-config.notice.draft"));
}

async function discard() {
  if (!(await confirmed(t("settings-config.discard_sure"), t("settings-config.discard")))) return;
  dropDraft(DRAFT);
  await load();
}

part.form.addEventListener("submit", (event) => event.preventDefault());
part.text.addEventListener("input", onChange);
part.find.addEventListener("input", () => {
  const found = form.filter(part.find.value);
  if (part.find.value.trim()) say(t("settings-config.found", { n: found }), "");
  else check();
});
part["as-form"].addEventListener("click", () => change("form"));
part["as-text"].addEventListener("click", () => change("text"));
part["copy-text"].addEventListener("click", () => copy(part.text.value));
part.review.addEventListener("click", review);
part.discard.addEventListener("click", discard);
part.apply.addEventListener("click", apply);
part.back.addEventListener("click", () => {
  part.changes.hidden = true;
  part.review.focus();
});
live.on("config", (told) => {
  const isNew = number !== null && told.number !== number;
  number = told.number;
  if (isNew && !isChanged) load();
});
document.addEventListener("live:restarted", () => {
  number = null;
  if (isChanged) check();
  else load();
});
// Other pages lead to a section: `#rules`.
const goToHash = () => form && mode === "form" && goTo(location.hash.slice(1), part.form, form);
window.addEventListener("hashchange", goToHash);
load().then(goToHash);
