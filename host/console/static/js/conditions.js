// How a function is: a sign and a word.

import { t } from "./strings.js";

const CLASSES = { hot: "good", ready: "good", starting: "warn", stopping: "warn", failing: "bad", failed: "bad", missing: "bad" };

/** Show this condition in `box`, a `.state`. */
export function writeCondition(box, word) {
  if (box.dataset.condition === word) return;
  box.dataset.condition = word;
  box.className = `state ${CLASSES[word] ?? ""}`;
  box.textContent = t(`functions.states.${word}`);
}

/** Whether somebody should look at it. */
export function isTrouble(word) {
  return CLASSES[word] === "bad";
}
