/** With whom a wallet trades: screens for wash and self-trading. The kernels count: kernels/counterparties.ts. */
import type { Kernels, Pointer } from '../../kernels/kernels.ts';

/** Numbers of `Shares` in the kernels: columns of a profile. */
const NUMBERS = 5;

export class Counterparties {
  /** Of the window: the columns from `topCounterpartyShare` to `selfTradeShare`; NaN where no counterparty is known. */
  numbers: Float64Array = new Float64Array(0);
  private readonly kernels: Kernels;
  private readonly at: Pointer;

  /** @param fills of a wallet, in the memory of the kernels */
  constructor(kernels: Kernels, fills: Pointer) {
    this.kernels = kernels;
    this.at = kernels.makeCounterparties(fills);
  }

  /** Makes room for wallets of so many fills. */
  reserve(room: number): void {
    this.kernels.reserveCounterparties(this.at, room);
  }

  /** Takes the fills of the next wallet. */
  load(): void {
    const { kernels, at } = this;
    kernels.loadCounterparties(at);
    if (this.numbers.buffer !== kernels.memory.buffer)
      this.numbers = new Float64Array(kernels.memory.buffer, kernels.counterpartiesResult(at), NUMBERS);
  }

  /** Measures the fills from index `begin` to `end` (exclusive). */
  measure(begin: number, end: number): void {
    this.kernels.measureCounterparties(this.at, begin, end);
  }
}
