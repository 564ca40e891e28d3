/** A list in order. Adding at the end and taking from the front, the usual cases, cost nothing; the rest is a binary search and a shift. */
export class Sorted<T> {
  readonly #compare: (a: T, b: T) => number;
  #items: T[] = [];
  #head = 0;

  constructor(compare: (a: T, b: T) => number) {
    this.#compare = compare;
  }

  get size(): number {
    return this.#items.length - this.#head;
  }

  first(): T | undefined {
    return this.#items[this.#head];
  }

  add(item: T): void {
    const last = this.#items.at(-1);
    if (this.size === 0 || last === undefined || this.#compare(last, item) <= 0) this.#items.push(item);
    else this.#items.splice(this.#place(item), 0, item);
  }

  delete(item: T): boolean {
    const at = this.#place(item);
    if (this.#items[at] !== item) return false;
    if (at > this.#head) {
      this.#items.splice(at, 1);
      return true;
    }
    this.#head++;
    // The front that was taken is given back in large steps, so that taking stays cheap.
    if (this.#head > 1_024 && this.#head * 2 > this.#items.length) {
      this.#items = this.#items.slice(this.#head);
      this.#head = 0;
    }
    return true;
  }

  *[Symbol.iterator](): Iterator<T> {
    for (let at = this.#head; at < this.#items.length; at++) yield this.#items[at] as T;
  }

  /** Index of the first item that does not come before `item`. */
  #place(item: T): number {
    let low = this.#head;
    let high = this.#items.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#compare(this.#items[middle] as T, item) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
