// What nodes and stuck things of the flow are called, in the viewer's language.

import { number, time } from "./format.js";
import { has, t } from "./strings.js";

const TIMES = new Set(["since", "next"]);
const PAGES = {
  broker: "/console/mqtt", elsewhere: "/console/mqtt", letters: "/console/dead-letters", http: "/api",
  async: "/console/invocations", callbacks: "/console/invocations", rule: "/console/settings#rules",
  timer: "/console/settings#timers", bridge: "/console/settings#bridges", source: "/console/settings#bridges",
};
const SIGNS = { bad: "✕", warn: "▲", quiet: "○" };

/** The name of a node. */
export function nameOf(node) {
  if (node.label) return node.label;
  return t(`flow.name.${node.kind}`, { n: number(node.members?.length ?? 0, 0) });
}

/** Where a node leads: the page of what it stands for. */
export function hrefOf({ kind, label, detail }) {
  if (kind === "function") return `/console/functions/${encodeURIComponent(label)}`;
  // A shared subscription is one to the topic behind its group.
  if (kind === "topic") return `/console/mqtt?${new URLSearchParams({ broker: detail, topic: label.replace(/^\$share\/[^/]*\//, "") })}`;
  return PAGES[kind] ?? "";
}

/** `12.3/s`, or nothing while it is not known. */
export function rateText(value) {
  return value == null ? "" : t("flow.per_second", { n: number(value, value >= 100 ? 0 : value >= 1 ? 1 : 2) });
}

/** What is stuck, as a sentence. */
export function sentence(stuck) {
  return t(`flow.stuck.${stuck.code}`, written(stuck));
}

/** The same in a word or two, with its sign. */
export function mark(stuck) {
  return `${SIGNS[stuck.level]} ${t(`flow.short.${stuck.code}`, written(stuck))}`;
}

/** The page where it can be mended. */
export function pageName(href) {
  const [, , page, item] = new URL(href, location.href).pathname.split("/");
  if (item) return decodeURIComponent(item);
  return has(`console.page.${page}`) ? t(`console.page.${page}`) : href;
}

function written({ values }) {
  return Object.fromEntries(Object.entries(values).map(([name, value]) =>
    [name, typeof value !== "number" ? value : TIMES.has(name) ? time(value) : number(value, 0)]));
}
