/**
 * Profit and loss of the positions that a wallet entered in a window of time, settled at resolution.
 *
 * Payouts are 0, 1/2 or 1, so a fill earns a whole number of halves of 1e-6 USD: (payout - price) x shares, turned
 * round for a sale, less its fee. Sums are exact and do not depend on their order. Formulas: docs/methods.md.
 */
import type { Kernels, Pointer } from '../../kernels/kernels.ts';
import type { PriceArrays } from './prices.ts';
import { TokenMarks } from './token-marks.ts';
import type { WalletView } from './wallet-view.ts';

/** Undefined numbers are NaN. Money in USD. */
export interface Settlement {
  /** Positions (markets) that are settled, counting only fills from before the outcome could be known. */
  settled: number;
  /** Positions in markets that are not resolved yet, or with a fill of which the outcome is not known. */
  unsettled: number;
  wins: number;
  pnlUsd: number;
  winRate: number;
  edge: number;
  edgeStandardError: number;
  edgeEffectiveEvents: number;
  edgeByPosition: number;
  roi: number;
  largestEventPnlShare: number;
  pnlHerfindahl: number;
  closingLineValue: number;
  /** All fills, each valued at the payout of its outcome where that is known and else at the mark of its token. */
  markedPnlUsd: number;
  /** Whether a fill has no known payout, so that its mark counts, which differs by date. */
  open: boolean;
  /**
   * The first moment after which more is known of the fills, Infinity if there is none. Up to then the same fills give
   * the same numbers, but for marks.
   */
  changesAfter: number;
}

/** Places of what the kernels give, in doubles, behind the numbers of a `Settlement`: see `Settled` in kernels/settlement.ts. */
const EARNED_USD = 13;
const CASH = 14;
const NAMELESS = 15;
const OPEN = 16;
const CHANGES_AFTER = 17;
const LEFT = 18;

/** Settles wallet after wallet; the kernels go through the fills. */
export class Settler {
  private readonly kernels: Kernels;
  private readonly at: Pointer;
  private readonly marks: TokenMarks;
  private room = 0;
  // What the kernels give: numbers of the window, and of the tokens that its open fills hold their slots and how much.
  private given: Float64Array = new Float64Array(0);
  private tokens: Int32Array = new Int32Array(0);
  private held: Float64Array = new Float64Array(0);
  private readonly result: Settlement = {
    settled: 0,
    unsettled: 0,
    wins: 0,
    pnlUsd: NaN,
    winRate: NaN,
    edge: NaN,
    edgeStandardError: NaN,
    edgeEffectiveEvents: NaN,
    edgeByPosition: NaN,
    roi: NaN,
    largestEventPnlShare: NaN,
    pnlHerfindahl: NaN,
    closingLineValue: NaN,
    markedPnlUsd: NaN,
    open: false,
    changesAfter: Number.POSITIVE_INFINITY,
  };

  /** @param fills of a wallet, in the memory of the kernels */
  constructor(kernels: Kernels, fills: Pointer, prices: PriceArrays) {
    this.kernels = kernels;
    this.at = kernels.makeSettling(fills);
    this.marks = new TokenMarks(prices);
  }

  /** Makes room for wallets of so many fills. */
  reserve(room: number): void {
    this.kernels.reserveSettling(this.at, room);
    this.room = room;
  }

  /** Takes the fills of the next wallet. */
  load(view: WalletView): void {
    const { kernels, at } = this;
    this.marks.load(view);
    kernels.loadSettling(at);
    const { buffer } = kernels.memory;
    if (this.given.buffer === buffer) return;
    const [given, tokens, held] = new Uint32Array(buffer, at, 3) as unknown as [Pointer, Pointer, Pointer];
    this.given = new Float64Array(buffer, given, LEFT + 1);
    this.tokens = new Int32Array(buffer, tokens, this.room);
    this.held = new Float64Array(buffer, held, this.room);
  }

  /** Settles the fills from index `begin` to `end` (exclusive) as of a date; the result is used again by the next call. */
  settle(begin: number, end: number, asOf: number, date: number): Settlement {
    this.kernels.settleFills(this.at, begin, end, asOf);
    const { given, result } = this;
    let at = 0;
    // In the order of `Settled`.
    result.settled = given[at++] as number;
    result.unsettled = given[at++] as number;
    result.wins = given[at++] as number;
    result.pnlUsd = given[at++] as number;
    result.winRate = given[at++] as number;
    result.edge = given[at++] as number;
    result.edgeStandardError = given[at++] as number;
    result.edgeEffectiveEvents = given[at++] as number;
    result.edgeByPosition = given[at++] as number;
    result.roi = given[at++] as number;
    result.largestEventPnlShare = given[at++] as number;
    result.pnlHerfindahl = given[at++] as number;
    result.closingLineValue = given[at] as number;
    result.open = given[OPEN] === 1;
    result.changesAfter = given[CHANGES_AFTER] as number;
    return this.markAgain(date);
  }

  /** The same fills as in the last call, as of a later date up to `changesAfter`: gives them other marks. */
  markAgain(date: number): Settlement {
    const { given, tokens, held, marks, result } = this;
    const count = given[LEFT] as number;
    let value = 0;
    for (let j = 0; j < count; j++) value += (held[j] as number) * marks.priceAt(tokens[j] as number, date);
    // To whole 1e-6 USD: a wallet that made the last fill is even, not ahead by what rounding left.
    result.markedPnlUsd =
      given[NAMELESS] === 1
        ? Number.NaN
        : (given[EARNED_USD] as number) + ((given[CASH] as number) + Math.round(value)) / 1e6;
    return result;
  }
}
