// Shows what was answered: status, time, headers, and the body as it comes.

import { make, replace } from "./dom.js";

const MOST_SHOWN = 512 * 1024;
const TEXTUAL = /^(text\/|application\/(.*\+)?(json|x-ndjson|javascript|xml|yaml))/;

/** Fill `box` with the answer to `request()` (a promise of a Response); resolves once all of it is there. */
export async function showAnswer(box, request) {
  const begun = performance.now();
  const status = make("span", { class: "status" }, "…");
  const body = make("pre", { tabindex: "0", "aria-label": "Body" });
  const headers = make("table");
  replace(box, make("div", { class: "row", role: "status" }, status), body,
    make("details", { class: "more" }, make("summary", {}, "Headers"), headers));
  const tell = (text, good) => {
    status.textContent = `${text} · ${Math.round(performance.now() - begun)} ms`;
    status.className = `status ${good ? "good" : "bad"}`;
  };
  try {
    const answer = await request();
    const line = `${answer.status} ${answer.statusText}`.trim();
    tell(line, answer.ok);
    headers.append(...[...answer.headers].map(([name, value]) =>
      make("tr", {}, make("td", { class: "mono" }, name), make("td", { class: "mono" }, value))));
    const size = await readBody(answer, body);
    tell(`${line} · ${size} bytes`, answer.ok);
  } catch (error) {
    const ended = error.name === "AbortError";
    tell(ended ? "Stopped" : `No answer: ${error.message}`, ended);
  }
}

async function readBody(answer, pre) {
  const kind = answer.headers.get("content-type") ?? "";
  const reader = answer.body?.getReader();
  const decoder = new TextDecoder();
  let size = 0;
  let text = "";
  for (let part = await reader?.read(); part && !part.done; part = await reader.read()) {
    size += part.value.length;
    if (text.length < MOST_SHOWN) text += decoder.decode(part.value, { stream: true });
    if (TEXTUAL.test(kind)) pre.textContent = text;
  }
  pre.textContent = size && !TEXTUAL.test(kind) ? `${kind || "no content type"}: not shown` : pretty(text, kind);
  if (text.length >= MOST_SHOWN) pre.textContent += "\n… cut here";
  pre.hidden = !size;
  return size;
}

function pretty(text, kind) {
  if (!/[/+]json/.test(kind)) return text;
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}
