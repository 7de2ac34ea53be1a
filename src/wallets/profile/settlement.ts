/**
 * Profit and loss of the positions that a wallet entered in a window of time, settled at resolution.
 *
 * Payouts are 0, 1/2 or 1, so a fill earns a whole number of halves of 1e-6 USD: (payout - price) x shares, turned
 * round for a sale, less its fee. Sums are exact and do not depend on their order. Formulas: docs/methods.md.
 */
import { isBuy, OUTCOME_UNKNOWN, outcomeOf } from '../../facts/layout.ts';
import { makeKernels } from '../../kernels/kernels.ts';
import type { PriceArrays } from './prices.ts';
import type { WalletView } from './slots.ts';
import { makeMarks } from './token-marks.ts';

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

export interface Settler {
  /** Takes the fills of the next wallet. */
  load(view: WalletView): void;
  /** Settles the fills from index `begin` to `end` (exclusive) as of a date; the result is used again by the next call. */
  settle(begin: number, end: number, asOf: number, date: number): Settlement;
  /** The same fills as in the last call, as of a later date up to `changesAfter`: gives them other marks. */
  markAgain(date: number): Settlement;
}

/** Size of a fill and the places of its numbers, in doubles; of its slots, in whole numbers of 32 bits: see `Fill` in kernels/settlement.ts. */
const FILL = 12;
const KNOWN_AT = 0;
const EARNED = 1;
const COUNTS = 2;
const ADDS_EARNED = 3;
const ADDS_SHARES = 4;
const ADDS_INVESTED = 5;
const CASH = 6;
const NET = 7;
const CLOSED_AT = 8;
const LINE_GAIN = 9;
const MARKET = 20;
const TOKEN = 21;
const TORN = 22;

/** The same of a position. */
const POSITION = 7;
const KNOWABLE_AT = 0;
const EVENT = 2;

/** Places of what the kernels give, in doubles, behind the numbers of a `Settlement`: see `Settled`. */
const EARNED_USD = 13;
const CASH_OF_OPEN = 14;
const NAMELESS = 15;
const OPEN = 16;
const CHANGES_AFTER = 17;
const LEFT = 18;

/** Settles wallet after wallet against the same markets: the kernels go through the fills. Memory grows with the busiest wallet. */
export function makeSettler(prices: PriceArrays): Settler {
  const kernels = makeKernels();
  const settling = kernels.makeSettling();
  const marks = makeMarks(prices);
  // Fills that there is room for; all memory of the kernels, and the indices in it of what they share with us.
  let room = 0;
  let floats = new Float64Array(0);
  let ints = new Int32Array(0);
  let fillsAt = 0;
  let positionsAt = 0;
  let leftTokensAt = 0;
  let leftAt = 0;
  let resultAt = 0;
  const result: Settlement = {
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

  const load = (view: WalletView): void => {
    makeRoom(view);
    marks.load(view);
    judge(view);
    for (let slot = 0; slot < view.markets; slot++) {
      const at = positionsAt + POSITION * slot;
      floats[at + KNOWABLE_AT] = view.knowableAt[slot] as number;
      ints[2 * at + EVENT] = view.eventOfMarket[slot] as number;
    }
  };

  const makeRoom = ({ count }: WalletView): void => {
    if (count <= room) return;
    room = 2 * count;
    kernels.reserveSettling(settling, room);
    floats = new Float64Array(kernels.memory.buffer);
    ints = new Int32Array(kernels.memory.buffer);
    const places = ints.subarray(settling >>> 2, (settling >>> 2) + 5);
    fillsAt = (places[0] as number) >>> 3;
    positionsAt = (places[1] as number) >>> 3;
    leftTokensAt = (places[2] as number) >>> 2;
    leftAt = (places[3] as number) >>> 3;
    resultAt = (places[4] as number) >>> 3;
  };

  /** Finds what each fill adds, and when. */
  const judge = (view: WalletView): void => {
    const { count, market, token, time, usd, shares, fee, flags, half0, half1, knowableAt, closedAt } = view;
    const closing = marks.closing();
    for (let i = 0; i < count; i++) {
      const slot = market[i] as number;
      const flag = flags[i] as number;
      const bought = isBuy(flag);
      const sign = 2 * bought - 1;
      const spent = usd[i] as number;
      const amount = shares[i] as number;
      const outcome = outcomeOf(flag);
      const known = knowableAt[slot] as number;
      const moment = time[i] as number;
      const paid = Number.isNaN(fee[i]) ? 0 : (fee[i] as number);
      const half = ((outcome === 0 ? half0 : half1)[slot] as number) * amount;
      const earned = sign * (half - 2 * spent) - 2 * paid;
      // Who trades when the outcome is public is not forecasting it.
      const early = Number(moment < known);
      const named = token[i] as number;
      const gain = sign * ((named < 0 ? Number.NaN : (closing[named] as number)) * amount - spent);
      const closed = closedAt[slot] as number;
      const torn = outcome === OUTCOME_UNKNOWN;
      const at = fillsAt + FILL * i;
      floats[at + KNOWN_AT] = torn ? Number.POSITIVE_INFINITY : known;
      floats[at + EARNED] = earned;
      floats[at + COUNTS] = early;
      floats[at + ADDS_EARNED] = early * earned;
      floats[at + ADDS_SHARES] = early * amount;
      floats[at + ADDS_INVESTED] = early * bought * spent;
      floats[at + CASH] = -sign * spent - paid;
      floats[at + NET] = sign * amount;
      floats[at + CLOSED_AT] = moment < closed && !Number.isNaN(gain) ? closed : Number.POSITIVE_INFINITY;
      floats[at + LINE_GAIN] = gain;
      ints[2 * at + MARKET] = slot;
      ints[2 * at + TOKEN] = named;
      ints[2 * at + TORN] = Number(torn);
    }
  };

  const settle = (begin: number, end: number, asOf: number, date: number): Settlement => {
    kernels.settleFills(settling, begin, end, asOf);
    let at = resultAt;
    // In the order of `Settled`.
    result.settled = floats[at++] as number;
    result.unsettled = floats[at++] as number;
    result.wins = floats[at++] as number;
    result.pnlUsd = floats[at++] as number;
    result.winRate = floats[at++] as number;
    result.edge = floats[at++] as number;
    result.edgeStandardError = floats[at++] as number;
    result.edgeEffectiveEvents = floats[at++] as number;
    result.edgeByPosition = floats[at++] as number;
    result.roi = floats[at++] as number;
    result.largestEventPnlShare = floats[at++] as number;
    result.pnlHerfindahl = floats[at++] as number;
    result.closingLineValue = floats[at] as number;
    result.open = floats[resultAt + OPEN] === 1;
    result.changesAfter = floats[resultAt + CHANGES_AFTER] as number;
    return markAgain(date);
  };

  const markAgain = (date: number): Settlement => {
    const left = floats[resultAt + LEFT] as number;
    let value = 0;
    for (let j = 0; j < left; j++)
      value += (floats[leftAt + j] as number) * marks.priceAt(ints[leftTokensAt + j] as number, date);
    const cash = floats[resultAt + CASH_OF_OPEN] as number;
    // To whole 1e-6 USD: a wallet that made the last fill is even, not ahead by what rounding left.
    result.markedPnlUsd =
      floats[resultAt + NAMELESS] === 1
        ? Number.NaN
        : (floats[resultAt + EARNED_USD] as number) + (cash + Math.round(value)) / 1e6;
    return result;
  };
  return { load, settle, markAgain };
}
