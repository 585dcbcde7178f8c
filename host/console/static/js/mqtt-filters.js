// Which topic filter takes which topic (MQTT 5, section 4.7).

/** Whether a subscription to `filter` receives what is published to `topic`. */
export function matches(filter, topic) {
  const wanted = filter.replace(/^\$share\/[^/]+\//, "").split("/");
  let levels = topic.split("/");
  if (topic.startsWith("$") && /^[#+]$/.test(wanted[0])) return false;
  if (wanted.at(-1) === "#") {
    wanted.pop();
    levels = levels.slice(0, wanted.length);
  }
  return wanted.length === levels.length && wanted.every((each, place) => each === "+" || each === levels[place]);
}
