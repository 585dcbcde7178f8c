// The one place where text may become markup: what the host's own templates made, for htmx to put in its place.
// The policy has no way to make scripts, so neither strings nor addresses ever become code.

if (window.trustedTypes) {
  window.trustedTypes.createPolicy("default", { createHTML: (text) => text });
}
