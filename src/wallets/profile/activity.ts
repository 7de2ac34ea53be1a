/** How a wallet traded in a window of time: size, pace, hours, spread over markets. The kernels count: kernels/activity.ts. */
import type { Kernels, Pointer } from '../../kernels/kernels.ts';
import { log } from '../../numeric/elementary.ts';

/** Numbers of `Described` in the kernels: the columns of a profile from `tradeCount` to `sizeVariation`, but `tradesPerDay`. */
const NUMBERS = 23;

export class Activity {
  /** Of the window: `tradeCount`, and then the columns from `aggressionMeanUsd` to `sizeVariation`; NaN where undefined. */
  numbers: Float64Array = new Float64Array(0);
  private readonly kernels: Kernels;
  private readonly at: Pointer;

  /** @param fills of a wallet, in the memory of the kernels */
  constructor(kernels: Kernels, fills: Pointer) {
    this.kernels = kernels;
    this.at = kernels.makeActivity(fills);
  }

  /** Makes room for wallets of so many fills. */
  reserve(room: number): void {
    const logs = this.kernels.reserveActivity(this.at, room);
    const table = new Float64Array(this.kernels.memory.buffer, logs, room + 1);
    for (let k = 1; k <= room; k++) table[k] = log(k);
  }

  /** Takes the fills of the next wallet. */
  load(): void {
    const { kernels, at } = this;
    kernels.loadActivity(at);
    if (this.numbers.buffer !== kernels.memory.buffer)
      this.numbers = new Float64Array(kernels.memory.buffer, kernels.activityResult(at), NUMBERS);
  }

  /** Describes the fills from index `begin` to `end` (exclusive, at least one). Neither may go back for the wallet. */
  moveTo(begin: number, end: number): void {
    this.kernels.moveActivity(this.at, begin, end);
  }
}
