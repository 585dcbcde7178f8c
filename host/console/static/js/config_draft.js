// What somebody has begun to change in the config: it outlives a change of language, a restart of the host, a reload.

const KEY = "fnhost.config.draft";

/** The draft of this tab: `{digest, mode, document, text}`, null if there is none. */
export function readDraft() {
  try {
    return JSON.parse(sessionStorage.getItem(KEY));
  } catch {
    return null;
  }
}

export function keepDraft(draft) {
  try {
    sessionStorage.setItem(KEY, JSON.stringify(draft));
  } catch {
    // A tab may have no room for it: then it ends with the page.
  }
}

export function dropDraft() {
  sessionStorage.removeItem(KEY);
}

// What was typed may be a secret: it does not wait here for the next one who signs in.
document.getElementById("sign-out")?.addEventListener("click", dropDraft);
