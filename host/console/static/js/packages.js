// Looks at a file before it is sent: whether it can be a package, and what the function may be called.

import { bytes } from "./format.js";
import { t } from "./strings.js";

const ZIP = ["PK\x03\x04", "PK\x05\x06"];

/** Why `file` is not sent, in a sentence; "" if it may be a package. `largest` is in bytes. */
export async function refusal(file, largest) {
  if (!file.size) return t("deploy.problem.empty");
  let begin;
  try {
    begin = String.fromCharCode(...new Uint8Array(await file.slice(0, 4).arrayBuffer()));
  } catch {
    // A folder that was dropped has a size, and cannot be read.
    return t("deploy.problem.unreadable");
  }
  if (!ZIP.includes(begin)) return t("deploy.problem.no_zip");
  return file.size > largest ? t("deploy.problem.large", { size: bytes(file.size), most: bytes(largest) }) : "";
}

/** The file's name without its last suffix, as the command line has it. */
export function stem(name) {
  return name.replace(/(?<=.)\.[^.]*$/, "");
}
