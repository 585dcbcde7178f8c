// Sends a file and reads the JSON lines of the answer as they come; unlike fetch, it can say how much has gone.

import { about } from "./about.js";
import { Problem } from "./api.js";
import { t } from "./strings.js";

/**
 * POST `file` to `path`. `sent(gone, total)` hears of bytes on their way, `line(told)` of each line of the answer.
 * `signal` ends it. Resolves when the answer has ended; throws Problem, whose `sent` says whether all bytes had gone.
 */
export function sendFile(path, file, { sent, line, signal }) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    const lines = new Lines(line);
    let gone = false;
    const cut = (key) => () => reject(Object.assign(new Problem(0, { detail: t(key) }), { sent: gone }));
    request.open("POST", path);
    if (about.csrf) request.setRequestHeader("x-csrf-token", about.csrf);
    request.setRequestHeader("content-type", "application/octet-stream");
    request.upload.addEventListener("progress", (event) => sent(event.loaded, event.total));
    request.upload.addEventListener("load", () => {
      gone = true;
      sent(file.size, file.size);
    });
    request.addEventListener("progress", () => request.status === 200 && lines.read(request.responseText));
    request.addEventListener("load", () => {
      if (request.status !== 200) return reject(problemOf(request));
      lines.read(request.responseText);
      resolve();
    });
    request.addEventListener("error", () => cut(gone ? "deploy.problem.cut_answer" : "deploy.problem.cut_upload")());
    request.addEventListener("abort", cut("deploy.problem.called_off"));
    signal.addEventListener("abort", () => request.abort());
    request.send(file);
  });
}

class Lines {
  #read = 0;

  constructor(hear) {
    this.hear = hear;
  }

  /** The text so far: what is new of it, up to its last line break, is told. */
  read(text) {
    for (let end = text.indexOf("\n", this.#read); end >= 0; end = text.indexOf("\n", this.#read)) {
      const line = text.slice(this.#read, end);
      this.#read = end + 1;
      if (line) this.hear(JSON.parse(line));
    }
  }
}

function problemOf(request) {
  try {
    return new Problem(request.status, JSON.parse(request.responseText));
  } catch {
    return new Problem(request.status, { detail: request.responseText || `${request.status} ${request.statusText}` });
  }
}
