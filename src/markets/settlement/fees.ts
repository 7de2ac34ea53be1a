/** What trading and winning cost, by one of several rules that markets have had. Amounts are whole 1e-6 USD. */
import { pow } from '../../numeric/elementary.ts';
import { nearestOf, portion, quotient } from './whole.ts';

export const feeModes = ['none', 'recorded', 'profit', 'curve'] as const;
export const profitFeeBases = ['profit', 'payout', 'stake'] as const;
export type ProfitFeeBase = (typeof profitFeeBases)[number];

/** Rates are whole millionths. */
const MILLION = 1_000_000;

/** A rate such as 0.02 as whole millionths. */
export function millionths(rate: number): number {
  return Math.round(rate * MILLION);
}

/**
 * Fee of a taker on the curve shares * rate * p * (1 - p), p = usd / shares, rounded to 1e-5 USD as the venue rounds.
 * Source: fee schedule of the venue since 2026; without tokens or beyond a price of 1 it is 0.
 */
export function curveFee(usd: number, shares: number, rateMillionths: number): number {
  if (shares <= 0 || usd >= shares) return 0;
  // Four roundings: the estimate is good enough for `nearestOf`, and exact arithmetic decides what that leaves open.
  const near = nearestOf((((rateMillionths * usd) / shares) * (shares - usd)) / 10_000_000);
  if (!Number.isNaN(near)) return 10 * near;
  const numerator = BigInt(rateMillionths) * BigInt(usd) * BigInt(shares - usd);
  return 10 * Number(quotient(numerator, BigInt(shares) * 10_000_000n));
}

/** One row of a fee schedule; see the canonical table `feeSchedules`. */
export interface FeeTerms {
  /** Whole millionths. */
  readonly rate: number;
  /** Power of p(1-p); 1 is the curve. */
  readonly exponent: number;
  readonly takerOnly: boolean;
  /** Part of the taker's fee that the maker gets back, whole millionths. */
  readonly rebate: number;
}

/**
 * Fee of a fill by a schedule: shares * rate * (p(1-p))^exponent, rounded to 1e-5 USD, for a taker; a maker pays the
 * same unless only takers pay, less the rebate. Negative: a rebate.
 */
export function scheduledFee(usd: number, shares: number, maker: boolean, terms: FeeTerms): number {
  const fee = terms.exponent === 1 ? curveFee(usd, shares, terms.rate) : powerFee(usd, shares, terms);
  if (!maker) return fee;
  const own = terms.takerOnly ? 0 : fee;
  return own - portion(fee, terms.rebate, MILLION);
}

/** Other powers are computed in doubles, by functions that give the same bits everywhere. */
function powerFee(usd: number, shares: number, { rate, exponent }: FeeTerms): number {
  if (shares <= 0 || usd >= shares || usd <= 0) return 0;
  const price = usd / shares;
  return 10 * Math.round((shares * (rate / MILLION) * pow(price * (1 - price), exponent)) / 10);
}

/** A maker's rebate: its share of the taker's fee on the same fill, as a negative fee. */
export function makerRebate(usd: number, shares: number, rateMillionths: number, shareMillionths: number): number {
  const rebate = -portion(curveFee(usd, shares, rateMillionths), shareMillionths, MILLION);
  return rebate === 0 ? 0 : rebate;
}

/**
 * Fee on winning, charged when a token pays: a rate on the profit (payout less cost), on the payout, or on the stake
 * (the cost), and nothing where the payout is not above the cost.
 *
 * @param payoutHalves payout in halves of 1e-6 USD
 */
export function winningFee(payoutHalves: number, cost: number, rateMillionths: number, base: ProfitFeeBase): number {
  const profit = payoutHalves - 2 * cost;
  if (profit <= 0 || payoutHalves <= 0) return 0;
  const charged = { profit, payout: payoutHalves, stake: Math.max(0, 2 * cost) }[base];
  return portion(charged, rateMillionths, 2 * MILLION);
}
