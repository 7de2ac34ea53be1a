/** Lists of numbers that grow, in memory that threads share; what was never set is 0. */

type List = Int32Array | Float64Array;

abstract class Growing<Own extends List> {
  /** The numbers, and zeros behind them; another list once this one is too short. */
  list: Own;

  constructor(list: Own) {
    this.list = list;
  }

  protected abstract make(length: number): Own;

  /** Makes room for so many. */
  reach(length: number): Own {
    if (length > this.list.length) {
      const larger = this.make(2 * length);
      larger.set(this.list);
      this.list = larger;
    }
    return this.list;
  }

  at(place: number): number {
    return this.list[place] ?? 0;
  }

  set(place: number, value: number): void {
    if (place >= this.list.length) this.reach(place + 1);
    this.list[place] = value;
  }
}

const FIRST = 1024;
const sharedInts = (length: number): Int32Array => new Int32Array(new SharedArrayBuffer(4 * length));
const sharedFloats = (length: number): Float64Array => new Float64Array(new SharedArrayBuffer(8 * length));

export class Ints extends Growing<Int32Array> {
  constructor() {
    super(sharedInts(FIRST));
  }

  protected make(length: number): Int32Array {
    return sharedInts(length);
  }
}

export class Floats extends Growing<Float64Array> {
  constructor() {
    super(sharedFloats(FIRST));
  }

  protected make(length: number): Float64Array {
    return sharedFloats(length);
  }
}
