// Samples of events that a page keeps: bounded in number and in text; what is old gets thinner before it is forgotten.

const MOST = 6000;
const MOST_TEXT = 8 * 1024 * 1024;

export class Samples {
  constructor(seconds) {
    this.seconds = seconds;
    this.all = [];
    this.text = 0;
  }

  /** Keep one more; `{at, input, output, size …}`. */
  add(sample) {
    // Those of one moment still have an order, and a plot wants its times rising.
    const last = this.all.at(-1)?.at ?? 0;
    sample.at = Math.max(sample.at, last + 1e-4);
    this.all.push(sample);
    this.text += sample.size;
    const old = this.all.findIndex((each) => each.at >= sample.at - this.seconds);
    if (old > 0) this.#drop(this.all.splice(0, old));
    while (this.all.length > MOST || (this.text > MOST_TEXT && this.all.length > 2)) this.#thin();
  }

  #thin() {
    const half = Math.floor(this.all.length / 2);
    const older = this.all.splice(0, half);
    const kept = older.filter((each, place) => place % 2 || each.result !== "ok");
    const failed = kept.length === older.length;
    const stays = new Set(failed ? [] : kept);
    this.#drop(older.filter((each) => !stays.has(each)));
    this.all.unshift(...stays);
  }

  #drop(samples) {
    for (const each of samples) this.text -= each.size;
  }
}
