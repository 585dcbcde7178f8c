// Requests to the host in the name of who is signed in. A problem is an error that tells what to do about it.

import { about } from "./about.js";
import { t } from "./strings.js";

/** An answer that is no success: `status`, and what the host says of it. */
export class Problem extends Error {
  constructor(status, told) {
    super(told.detail ?? told.title ?? String(status));
    this.status = status;
    this.told = told;
  }
}

/** The answer to a request; `options` as of fetch, where `json` is a body to be sent as JSON. Throws Problem. */
export async function ask(path, { json, headers, ...options } = {}) {
  const sent = new Headers(headers);
  const method = options.method ?? "GET";
  if (about.csrf && method !== "GET") sent.set("x-csrf-token", about.csrf);
  if (json !== undefined) {
    sent.set("content-type", "application/json");
    options.body = JSON.stringify(json);
  }
  let answer;
  try {
    answer = await fetch(path, { ...options, headers: sent });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Problem(0, { detail: t("console.problem.no_answer", { why: error.message }) });
  }
  if (!answer.ok) throw new Problem(answer.status, await problemOf(answer));
  return answer;
}

/** The JSON of an answer. */
export async function askJson(path, options) {
  return (await ask(path, options)).json();
}

/** Each line of an answer of JSON lines, as it comes. */
export async function* askLines(path, options) {
  const answer = await ask(path, options);
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    const lines = (rest + part.value).split("\n");
    rest = lines.pop();
    for (const line of lines) if (line) yield JSON.parse(line);
  }
  if (rest) yield JSON.parse(rest);
}

async function problemOf(answer) {
  const text = await answer.text();
  try {
    return JSON.parse(text);
  } catch {
    return { detail: text || `${answer.status} ${answer.statusText}` };
  }
}
