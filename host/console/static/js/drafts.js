// What somebody has begun to write: it outlives a reload of the tab, and is nobody else's. It may be a secret.

import { about } from "./about.js";

const PREFIX = "fnhost.draft.";

/** The draft called `name` of who is signed in, null if there is none. */
export function readDraft(name) {
  return told(PREFIX + name)?.draft ?? null;
}

export function keepDraft(name, draft) {
  try {
    sessionStorage.setItem(PREFIX + name, JSON.stringify({ who: about.who, draft }));
  } catch {
    // A tab may have no room for it: then it ends with the page.
  }
}

export function dropDraft(name) {
  sessionStorage.removeItem(PREFIX + name);
}

/** Drop all of this tab, or with `others` those that somebody else wrote. */
export function dropDrafts({ others = false } = {}) {
  for (const key of Object.keys(sessionStorage)) {
    if (key.startsWith(PREFIX) && !(others && told(key))) sessionStorage.removeItem(key);
  }
}

function told(key) {
  try {
    const kept = JSON.parse(sessionStorage.getItem(key));
    return kept?.who === about.who ? kept : null;
  } catch {
    return null;
  }
}
