/** Totals of a ledger, summed as its rows are made; exact, so that they do not depend on who summed what. */
import { CASH, SETTLED, statuses } from './ledger.ts';
import { type SumsMemory, WholeSums } from './whole-sums.ts';

const sumNames = ['cash', 'fee', 'realised', 'settlement', 'settledPnl', 'markedPnl', 'openCost'] as const;
export type SumName = (typeof sumNames)[number];

const countNames = ['rows', 'wallets', 'unmarked', 'belowZero', 'torn', ...statuses] as const;
type CountName = (typeof countNames)[number];

/** Places of the counts that change with the rows; finding them by name at every row would take long. */
const placeOf = (name: CountName): number => countNames.indexOf(name);
const [ROWS, WALLETS, UNMARKED] = [placeOf('rows'), placeOf('wallets'), placeOf('unmarked')];
const [BELOW_ZERO, TORN, STATUS] = [placeOf('belowZero'), placeOf('torn'), placeOf(statuses[0])];

/** What went by that a reader should know of. Numbers, since there may be one a fill. */
export const oddities = {
  /** Fills without a recorded fee (mode recorded). */
  feeUnknown: 0,
  /** Fills of unknown role that were charged as takers (mode curve). */
  roleUnknown: 1,
  /** Fills in markets without a fee schedule (mode curve with schedules). */
  termsUnknown: 2,
  /** Redemptions whose tokens the source does not name, in markets without a known outcome, whose cash fits no holding. */
  redeemedBlindly: 3,
  /** Redemptions that brought other cash than the known payouts give for what was held. */
  redeemedOtherwise: 4,
} as const;
export type Oddity = (typeof oddities)[keyof typeof oddities];

/** What a market is to the check of conserved cash. */
const [SEEN, UNSETTLED, UNKNOWN, HAS_SETTLED] = [1, 2, 4, 8];

/** Bounds of the sizes of wallets' settled profit: a cent, then 0.03, 0.1, 0.3, ... USD. */
export const profitEdges: readonly number[] = Array.from({ length: 26 }, (_, i) =>
  i % 2 === 0 ? 10 ** (i / 2 - 2) : 3 * 10 ** ((i - 1) / 2 - 2),
);

/** Where totals are kept: memory that threads share, so that they can be added up when all have ended. */
export interface TotalsMemory {
  readonly counts: Float64Array;
  readonly odd: Float64Array;
  readonly sums: SumsMemory;
  /** Of each market: cash, settlement in halves, tokens of outcome 0 and of outcome 1 in all hands. */
  readonly markets: SumsMemory;
  readonly flags: Uint8Array;
  /** Wallets with settled positions: how many, ahead and behind, and the largest profit or loss in USD. */
  readonly profit: Float64Array;
  /** Wallets ahead and behind by the size of their settled profit. */
  readonly gains: Float64Array;
  readonly losses: Float64Array;
}

export function totalsMemory(markets: number): TotalsMemory {
  const doubles = (count: number): Float64Array => new Float64Array(new SharedArrayBuffer(8 * count));
  const sums = (count: number): SumsMemory => ({
    low: doubles(count),
    high: new Int32Array(new SharedArrayBuffer(4 * count)),
  });
  return {
    counts: doubles(countNames.length),
    odd: doubles(Object.keys(oddities).length),
    sums: sums(sumNames.length),
    markets: sums(4 * markets),
    flags: new Uint8Array(new SharedArrayBuffer(markets)),
    profit: doubles(4),
    gains: doubles(profitEdges.length),
    losses: doubles(profitEdges.length),
  };
}

/** Rows that wait for their market. */
const WAITING = 4096;

export class Totals {
  readonly memory: TotalsMemory;
  private readonly sums: WholeSums;
  private readonly markets: WholeSums;
  /** Settled profit of the wallet at hand, in halves. */
  private walletPnl = 0;
  private settledRows = 0;
  private waitingRows = 0;
  private readonly waiting = {
    market: new Int32Array(WAITING),
    outcome: new Int8Array(WAITING),
    settled: new Uint8Array(WAITING),
    cash: new Float64Array(WAITING),
    settlement: new Float64Array(WAITING),
    held: new Float64Array(WAITING),
  };

  constructor(memory: TotalsMemory) {
    this.memory = memory;
    this.sums = new WholeSums(memory.sums);
    this.markets = new WholeSums(memory.markets);
  }

  count(name: CountName): number {
    return this.memory.counts[placeOf(name)] as number;
  }

  oddity(what: Oddity): number {
    return this.memory.odd[what] as number;
  }

  notice(what: Oddity): void {
    add(this.memory.odd, what, 1);
  }

  /** Adds a row of the ledger. Amounts in 1e-6, settlement and settled profit in halves of that, NaN if unknown. */
  row(
    status: number,
    cash: number,
    fee: number,
    cost: number,
    settlement: number,
    settledPnl: number,
    markedPnl: number,
  ): void {
    const { sums } = this;
    const { counts } = this.memory;
    add(counts, ROWS, 1);
    add(counts, STATUS + status, 1);
    sums.add(0, cash);
    if (fee !== 0) sums.add(1, fee);
    sums.add(2, cash + cost);
    if (status === SETTLED || status === CASH) {
      sums.add(3, settlement);
      sums.add(4, settledPnl);
      if (status === CASH) return;
      this.walletPnl += settledPnl;
      this.settledRows++;
    } else {
      sums.add(6, cost);
      if (Number.isNaN(markedPnl)) add(counts, UNMARKED, 1);
      else sums.add(5, markedPnl);
    }
  }

  /** Counts a row with a holding that was once below zero. */
  belowZero(): void {
    add(this.memory.counts, BELOW_ZERO, 1);
  }

  /** Counts a row that contradicts itself. */
  torn(): void {
    add(this.memory.counts, TORN, 1);
  }

  /** Adds a row to what all wallets together have in its market; it counts after `settleMarkets`. */
  market(market: number, outcome: number, settled: boolean, cash: number, settlement: number, held: number): void {
    const { waiting } = this;
    const at = this.waitingRows++;
    waiting.market[at] = market;
    waiting.outcome[at] = outcome;
    waiting.settled[at] = settled ? 1 : 0;
    waiting.cash[at] = cash;
    waiting.settlement[at] = settlement;
    waiting.held[at] = held;
    if (this.waitingRows === WAITING) this.settleMarkets();
  }

  /** Takes in the rows that wait. Many at once: lookups that do not wait for each other take a fraction of the time. */
  settleMarkets(): void {
    const { markets, waiting } = this;
    const { flags } = this.memory;
    for (let i = 0; i < this.waitingRows; i++) {
      const market = waiting.market[i] as number;
      const outcome = waiting.outcome[i] as number;
      const at = 4 * market;
      markets.add(at, waiting.cash[i] as number);
      let flag = (flags[market] as number) | SEEN;
      if (waiting.settled[i] === 1) {
        flag |= HAS_SETTLED;
        markets.add(at + 1, waiting.settlement[i] as number);
      } else flag |= UNSETTLED;
      if (outcome < 0) flag |= UNKNOWN;
      else markets.add(at + 2 + outcome, waiting.held[i] as number);
      flags[market] = flag;
    }
    this.waitingRows = 0;
  }

  /** Ends the rows of a wallet. */
  wallet(): void {
    add(this.memory.counts, WALLETS, 1);
    if (this.settledRows === 0) return;
    const { profit, gains, losses } = this.memory;
    const usd = this.walletPnl / 2e6;
    const size = Math.abs(usd);
    add(profit, 0, 1);
    if (usd !== 0) add(profit, usd > 0 ? 1 : 2, 1);
    profit[3] = Math.max(profit[3] as number, size);
    const bin = profitEdges.findLastIndex((edge) => edge <= size);
    if (bin >= 0) add(usd > 0 ? gains : losses, bin, 1);
    this.walletPnl = 0;
    this.settledRows = 0;
  }

  /** Takes in the totals of other wallets. */
  take(other: TotalsMemory): void {
    const { memory } = this;
    this.sums.take(other.sums);
    this.markets.take(other.markets);
    for (const name of ['counts', 'odd', 'gains', 'losses'] as const)
      other[name].forEach((value, i) => {
        add(memory[name], i, value);
      });
    other.flags.forEach((flag, market) => {
      memory.flags[market] = (memory.flags[market] as number) | flag;
    });
    for (let i = 0; i < 3; i++) add(memory.profit, i, other.profit[i] as number);
    memory.profit[3] = Math.max(memory.profit[3] as number, other.profit[3] as number);
  }

  /** Wallets with settled positions, by size of profit; `largest` in USD. */
  profit(): { wallets: number; ahead: number; behind: number; largest: number } {
    const [wallets, ahead, behind, largest] = this.memory.profit as unknown as [number, number, number, number];
    return { wallets, ahead, behind, largest };
  }

  /** USD, a double of an exact sum. */
  usd(name: SumName): number {
    const halves = name === 'settlement' || name === 'settledPnl';
    return Number(this.sums.total(sumNames.indexOf(name))) / (halves ? 2e6 : 1e6);
  }

  /** All cash in whole 1e-6 USD. */
  cash(): bigint {
    return this.sums.total(0);
  }

  /**
   * Markets by whether their cash is conserved: payouts and cash of all wallets add up to nothing or, while the
   * outcome is open, every pair of tokens was paid with a dollar. `gapHalves` is what settled markets lack or exceed.
   */
  conserved(): {
    readonly all: number;
    readonly balanced: number;
    readonly settled: number;
    readonly gapHalves: bigint;
  } {
    let [all, balanced, settled, gapHalves] = [0, 0, 0, 0n];
    const { flags } = this.memory;
    for (let m = 0; m < flags.length; m++) {
      const flag = flags[m] as number;
      if ((flag & SEEN) === 0) continue;
      all++;
      if ((flag & HAS_SETTLED) !== 0) settled++;
      const [cash, settlement, zero, one] = [0, 1, 2, 3].map((k) => this.markets.total(4 * m + k)) as [
        bigint,
        bigint,
        bigint,
        bigint,
      ];
      if ((flag & UNSETTLED) === 0) {
        const gap = 2n * cash + settlement;
        if (gap === 0n) balanced++;
        else gapHalves += gap < 0n ? -gap : gap;
      } else if ((flag & UNKNOWN) === 0 && zero === one && cash + zero === 0n) balanced++;
    }
    return { all, balanced, settled, gapHalves };
  }
}

function add(array: Float64Array, index: number, value: number): void {
  array[index] = (array[index] as number) + value;
}
