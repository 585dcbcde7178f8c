// The page's colours for what is drawn on a canvas, which knows no variables and no light-dark().

import { make } from "/static/dom.js";

const SERIES = ["--series-1", "--series-2", "--series-3", "--series-4", "--series-5", "--series-6", "--series-7", "--series-8"];

/** The variable with the colour of the series at this place of a chart. */
export function seriesColour(place) {
  return SERIES[place % SERIES.length];
}

/** What the variable `name` comes to just now: an element that has the colour tells. */
export function colour(name, opacity = 1) {
  const probe = make("i", { hidden: true });
  probe.style.color = `var(${name})`;
  document.body.append(probe);
  const found = getComputedStyle(probe).color;
  probe.remove();
  return opacity === 1 ? found : found.replace(/^rgb\((.*)\)$/, `rgba($1, ${opacity})`);
}
