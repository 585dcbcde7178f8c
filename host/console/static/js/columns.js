// Columns of times that grow to the right and are cut at the left: what a live chart shows.

export class Columns {
  constructor(count, seconds) {
    this.seconds = seconds;
    this.data = Array.from({ length: count + 1 }, () => []);
  }

  /** Begin with these. */
  fill(data) {
    this.data = data.map((column) => [...column]);
  }

  /** One moment more; a moment that is there is replaced. */
  add(at, values) {
    const times = this.data[0];
    if (times.at(-1) === at) this.data.forEach((column) => column.pop());
    [at, ...values].forEach((value, place) => this.data[place].push(value));
    const first = times.findIndex((each) => each >= at - this.seconds);
    if (first > 0) this.data.forEach((column) => column.splice(0, first));
  }
}
