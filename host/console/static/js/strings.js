// What the page says, in the language of who looks: the strings came with the page.

import { about } from "./about.js";

/** The string of this key, with `{name}` replaced by values of that name. */
export function t(key, values = {}) {
  const text = about.strings[key];
  if (text === undefined) throw new Error(`there is no string ${key}`);
  return text.replace(/\{(\w+)\}/g, (whole, name) => (name in values ? String(values[name]) : whole));
}

/** Whether there is such a string. */
export function has(key) {
  return key in about.strings;
}
