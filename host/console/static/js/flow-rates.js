// Rates of edges, made of totals that only go up.

const WINDOW = 5;
const LEAST = 0.8;
const GAP = 8;

/** The totals of the last few seconds. */
export class Rates {
  #looks = [];

  /** Begin anew: the edges are others. */
  reset() {
    this.#looks = [];
  }

  /** The totals of all edges `at` (seconds). */
  take(at, totals) {
    this.#looks.push({ at, totals });
    this.#looks = this.#looks.filter((look) => look.at > at - GAP);
    while (this.#looks.length > 2 && this.#looks[1].at <= at - WINDOW) this.#looks.shift();
  }

  /** Events per second of the edges in these places, together; null while that is not known. */
  of(places) {
    const [first, last] = [this.#looks[0], this.#looks.at(-1)];
    const past = last ? last.at - first.at : 0;
    if (past < LEAST) return null;
    return places.reduce((sum, place) => sum + Math.max(0, last.totals[place] - first.totals[place]), 0) / past;
  }
}
