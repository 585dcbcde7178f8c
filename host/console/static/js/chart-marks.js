// Moments that are marked on the time axis of a chart, and what is said of the one that the cursor is at.

import { make } from "/static/dom.js";
import { colour } from "./colours.js";
import { time } from "./format.js";

const NEAR = 7;
const MOST_SAID = 3;

/** Draw the marks `[{at, text}]` over what is drawn. */
export function drawMarks(plot, marks) {
  const { ctx, bbox } = plot;
  const size = 4 * devicePixelRatio;
  ctx.save();
  ctx.strokeStyle = colour("--warn");
  ctx.fillStyle = colour("--warn");
  ctx.setLineDash([3, 3]);
  for (const mark of marks) {
    const x = plot.valToPos(mark.at, "x", true);
    if (x < bbox.left || x > bbox.left + bbox.width) continue;
    ctx.beginPath();
    ctx.moveTo(x, bbox.top);
    ctx.lineTo(x, bbox.top + bbox.height);
    ctx.stroke();
    ctx.beginPath();
    ctx.moveTo(x - size, bbox.top);
    ctx.lineTo(x + size, bbox.top);
    ctx.lineTo(x, bbox.top + 1.7 * size);
    ctx.fill();
  }
  ctx.restore();
}

/** A box in the plot that says what the marks at the cursor mean. */
export class Tip {
  constructor(plot) {
    this.plot = plot;
    this.box = make("div", { class: "chart-tip", hidden: true });
    plot.over.append(this.box);
  }

  /** Say it of those of `marks` that the cursor is at; returns what is said. */
  show(marks) {
    const { left, idx } = this.plot.cursor;
    const [times] = this.plot.data;
    const isNear = ({ at }) => Math.abs(this.plot.valToPos(at, "x") - left) <= NEAR || (at >= times[idx] && !(at >= times[idx + 1]));
    const near = left < 0 ? [] : marks.filter(isNear);
    const said = near.slice(-MOST_SAID);
    this.box.hidden = !said.length;
    if (said.length) {
      this.box.replaceChildren(...said.map((mark) => make("div", {}, make("b", {}, time(mark.at)), ` ${mark.text}`)));
      const right = left > this.plot.over.clientWidth / 2;
      this.box.style.left = right ? "" : `${left + 10}px`;
      this.box.style.right = right ? `${this.plot.over.clientWidth - left + 10}px` : "";
    }
    return said;
  }
}
