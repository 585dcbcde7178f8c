// The autoscaler's decisions in the viewer's language. A page that shows them has the namespace `decisions`.

import { bytes, number, rate, seconds, short } from "./format.js";
import { t } from "./strings.js";

/** What was decided and why, with the numbers: `decision` is one of `/api/functions/NAME/why`. */
export function sentenceOf(decision) {
  return t("decisions.sentence", { change: changeOf(decision), reason: reasonOf(decision) });
}

/** What became of the instances: `Instances 1 → 3`. */
export function changeOf({ wanted, temperature, inputs }) {
  const { before, was } = inputs;
  const words = { wanted: number(wanted), before: number(before), temperature: warmth(temperature), was: warmth(was) };
  if (wanted) return t(`decisions.change.${wanted === before ? "still" : "more"}`, words);
  if (before) return t("decisions.change.none", words);
  return t(`decisions.change.${temperature === was ? "still_none" : "cooled"}`, words);
}

/** Why, with the numbers that it was decided by. */
export function reasonOf(decision) {
  const { inputs } = decision;
  const { scale } = inputs;
  return t(`decisions.reason.${kindOf(decision)}`, {
    rate: rate(inputs.rate), time: inputs.service_time == null ? t("decisions.unknown_time") : seconds(inputs.service_time),
    load: loadOf(inputs), waiting: number(inputs.waiting), running: number(inputs.running), was: warmth(inputs.was),
    wanted: number(decision.wanted), needed: number(inputs.needed), fixed: number(inputs.fixed),
    idle_for: seconds(inputs.idle_for), idle: seconds(scale.idle), keep_warm: seconds(scale.keep_warm),
    min: number(scale.min), max: number(scale.max), used: bytes(inputs.room?.used), budget: bytes(inputs.room?.budget),
  });
}

function kindOf({ why, wanted, inputs }) {
  if (why !== "memory") return why.replaceAll(" ", "_");
  if (!inputs.room) return "memory";
  return `${inputs.room.low ? "low" : "memory"}_${inputs.needed > wanted ? "needed" : "cooled"}`;
}

function loadOf({ load, waiting, scale }) {
  const words = { load: short(load), target: number(scale.target * 100), waiting: number(waiting) };
  return t(waiting ? "decisions.load_waiting" : "decisions.load", words);
}

function warmth(temperature) {
  return t(`decisions.temperature.${temperature}`);
}
