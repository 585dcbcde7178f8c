// What publishes a message again takes only one of which all is there: the rest would go out as if it were whole.

import { t } from "./strings.js";

/** Why not all of a message is there (`cut`, `redacted`, `lost`), empty where all of it is. */
function lackOf({ cut, redacted, lost }) {
  return lost ? "lost" : redacted ? "redacted" : cut ? "cut" : "";
}

/** Let a button be pressed only where all of `message` is there, or none is shown; its title says why not. */
export function tellPartial(button, message) {
  const lack = message ? lackOf(message) : "";
  button.disabled = Boolean(lack);
  button.title = lack && t(`mqtt.partial.${lack}`);
}
