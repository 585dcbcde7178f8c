// What the host says of this page and of who looks at it.

export const about = JSON.parse(document.getElementById("about").textContent);

/** Whether the one who looks may do `verb` (read, invoke, deploy, admin), to the function `name` if one is named. */
export function may(verb, name = "") {
  return about.scopes.some((scope) => {
    if (scope === "admin") return true;
    const [held, glob] = scope.split(/:(.*)/s);
    return held === verb && (!glob || !name || matches(glob, name));
  });
}

function matches(glob, name) {
  const parts = glob.split("*").map((part) => part.replace(/[\\^$.+?()[\]{}|]/g, "\\$&"));
  return new RegExp(`^${parts.join(".*")}$`, "su").test(name);
}
