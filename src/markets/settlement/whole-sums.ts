/** Sums of whole numbers that stay exact beyond 2^53: a double each, and how often it was taken down by 2^52. */
const STEP = 2 ** 52;

/** Memory of the sums; threads may share it, if only one of them adds. */
export interface SumsMemory {
  readonly low: Float64Array;
  readonly high: Int32Array;
}

export class WholeSums {
  private readonly low: Float64Array;
  private readonly high: Int32Array;

  constructor({ low, high }: SumsMemory) {
    this.low = low;
    this.high = high;
  }

  /** Adds a whole number of at most 2^52, so that every step is exact. */
  add(index: number, value: number): void {
    const sum = (this.low[index] as number) + value;
    if (sum >= STEP || sum <= -STEP) {
      const sign = sum > 0 ? 1 : -1;
      this.low[index] = sum - sign * STEP;
      this.high[index] = (this.high[index] as number) + sign;
    } else this.low[index] = sum;
  }

  total(index: number): bigint {
    return BigInt(this.high[index] as number) * BigInt(STEP) + BigInt(this.low[index] as number);
  }

  /** Takes in sums of the same things made elsewhere. */
  take({ low, high }: SumsMemory): void {
    for (let i = 0; i < this.low.length; i++) {
      this.add(i, low[i] as number);
      this.high[i] = (this.high[i] as number) + (high[i] as number);
    }
  }
}
