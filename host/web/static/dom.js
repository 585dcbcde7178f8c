// Makes elements. Text is only ever set as text, so nothing that a function or a caller said becomes markup.

/** `make("a", {href: "#x", onclick: go}, "text", child)`; null and false children are left out. */
export function make(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else if (value === true) element.setAttribute(key, "");
    else if (value !== false && value != null) element.setAttribute(key, value);
  }
  element.append(...children.flat().filter((child) => child != null && child !== false));
  return element;
}

/** Text in which `code` stands between backticks, as the document has it. */
export function prose(text) {
  return (text ?? "").split("`").map((part, index) => (index % 2 ? make("code", {}, part) : part));
}

export function replace(element, ...children) {
  element.replaceChildren(...children.flat().filter((child) => child != null && child !== false));
}
