/**
 * One wallet's position in one token, by weighted average cost. Amounts are whole 1e-6.
 *
 * Cash is exact; only the cost that leaves with sold tokens is rounded. At any moment
 * realised profit = cash + cost of what is held, so rounding moves profit between "realised" and "open", never the sum.
 */
import { portion } from './whole.ts';

export interface Position {
  /** Tokens held; negative if more were given than the data saw coming. */
  held: number;
  /** Cost of what is held; for a negative holding, minus what it was sold for. */
  cost: number;
  /** Cash received less cash paid, before fees. */
  cash: number;
  fills: number;
  /** By fills. */
  bought: number;
  sold: number;
  /** By splits, merges, redemptions and conversions. */
  received: number;
  given: number;
  /** Fees on fills, paid less rebates. */
  fee: number;
  /** What redemptions of this token brought, and the cost of the tokens redeemed. */
  redeemedCash: number;
  redeemedCost: number;
  /** The smallest holding there ever was; below 0 if the data miss where tokens came from. */
  least: number;
  /** Times in microseconds; NaN where there is none. */
  openedAt: number;
  lastAt: number;
  /** Since when nothing is held. */
  flatAt: number;
}

export function emptyPosition(): Position {
  return {
    held: 0,
    cost: 0,
    cash: 0,
    fills: 0,
    bought: 0,
    sold: 0,
    received: 0,
    given: 0,
    fee: 0,
    redeemedCash: 0,
    redeemedCost: 0,
    least: 0,
    openedAt: Number.NaN,
    lastAt: Number.NaN,
    flatAt: Number.NaN,
  };
}

/**
 * Tokens come (`shares` > 0) or go for `cash`, received or (negative) paid. What adds to a holding adds its price to
 * the cost; what reduces it takes the average cost away. What goes beyond the holding opens one of the other sign.
 * Returns the cost that left with the tokens.
 */
export function move(position: Position, time: number, shares: number, cash: number): number {
  const { held } = position;
  let left = 0;
  if (shares !== 0 && held !== 0 && shares > 0 !== held > 0) {
    const closed = Math.min(Math.abs(shares), Math.abs(held));
    left = closed === Math.abs(held) ? position.cost : portion(position.cost, closed, Math.abs(held));
    const earned = closed === Math.abs(shares) ? cash : portion(cash, closed, Math.abs(shares));
    position.cost += earned - left - cash;
  } else if (shares !== 0) position.cost -= cash;
  position.held += shares;
  position.cash += cash;
  position.least = Math.min(position.least, position.held);
  if (Number.isNaN(position.openedAt)) position.openedAt = time;
  position.lastAt = time;
  position.flatAt = position.held === 0 ? time : Number.NaN;
  return left;
}
