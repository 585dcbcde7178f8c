// A small line without axes.

const WIDTH = 120;
const HEIGHT = 24;

/** It stands in an SVG of its own: `values` from left to right, null for a gap. */
export function sparkline(values, label) {
  const most = Math.max(...values.map((value) => value ?? 0), 1e-9);
  const step = WIDTH / Math.max(1, values.length - 1);
  let path = "";
  values.forEach((value, place) => {
    const begins = place === 0 || values[place - 1] == null;
    if (value != null) path += `${begins ? "M" : "L"}${(place * step).toFixed(1)} ${(HEIGHT - 2 - (value / most) * (HEIGHT - 4)).toFixed(1)}`;
  });
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  for (const [name, value] of Object.entries({ viewBox: `0 0 ${WIDTH} ${HEIGHT}`, class: "sparkline", role: "img", "aria-label": label, preserveAspectRatio: "none" })) svg.setAttribute(name, value);
  const line = document.createElementNS("http://www.w3.org/2000/svg", "path");
  line.setAttribute("d", path || "M0 22L120 22");
  svg.append(line);
  return svg;
}
