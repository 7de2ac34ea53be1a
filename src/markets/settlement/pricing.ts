/** What a fill costs in fees, and what is held at the end is worth. */
import { ROLE_MAKER, ROLE_UNKNOWN } from '../../facts/layout.ts';
import { type Book, COST, HELD, REDEEMED_CASH, REDEEMED_COST } from './book.ts';
import { curveFee, type FeeTerms, makerRebate, type ProfitFeeBase, scheduledFee } from './fees.ts';
import type { Knowledge } from './knowledge.ts';
import { type Oddity, oddities } from './totals.ts';
import { portion } from './whole.ts';

export interface FeeRules {
  readonly mode: 'none' | 'recorded' | 'profit' | 'curve';
  /** Mode curve: rates by index of `feeCategories`, in millionths. */
  readonly rates: readonly number[];
  /** Mode curve: fills before it are free, microseconds. */
  readonly from: number;
  /** Mode curve: part of the taker's fee that a maker gets back, in millionths. */
  readonly rebate: number;
  /** Mode curve: the terms of each market, in `Knowledge`, take the place of rates, from and rebate. */
  readonly scheduled: boolean;
  /** Mode profit: rate on winning in millionths, and what it is a rate of. */
  readonly winningRate: number;
  readonly winningBase: ProfitFeeBase;
}

/** Counts something that a reader should know of. */
export type Notice = (what: Oddity) => void;

export type FeeOf = (market: number, time: number, usd: number, shares: number, fee: number, role: number) => number;

/** The fee of a fill by the rules, 1e-6 USD; counts what it had to assume. `fee` is the recorded one, NaN if unknown. */
export function feesBy(rules: FeeRules, knowledge: Knowledge, notice: Notice): FeeOf {
  if (rules.mode === 'recorded')
    return (_market, _time, _usd, _shares, fee) => {
      if (!Number.isNaN(fee)) return fee;
      notice(oddities.feeUnknown);
      return 0;
    };
  if (rules.mode !== 'curve') return () => 0;
  if (rules.scheduled) return byTerms(knowledge, notice);
  return (market, time, usd, shares, _fee, role) => {
    if (time < rules.from) return 0;
    const rate = rules.rates[knowledge.category[market] as number] as number;
    if (role === ROLE_MAKER) return makerRebate(usd, shares, rate, rules.rebate);
    if (role === ROLE_UNKNOWN) notice(oddities.roleUnknown);
    return curveFee(usd, shares, rate);
  };
}

function byTerms(knowledge: Knowledge, notice: Notice): FeeOf {
  const terms: readonly FeeTerms[] = Array.from(knowledge.termsFrom, (_, i) => ({
    rate: knowledge.termsRate[i] as number,
    exponent: knowledge.termsExponent[i] as number,
    takerOnly: knowledge.termsTakerOnly[i] === 1,
    rebate: knowledge.termsRebate[i] as number,
  }));
  return (market, time, usd, shares, _fee, role) => {
    const first = knowledge.termsOf[market] as number;
    let row = (knowledge.termsOf[market + 1] as number) - 1;
    if (row < first) {
      notice(oddities.termsUnknown);
      return 0;
    }
    while (row >= first && (knowledge.termsFrom[row] as number) > time) row--;
    if (row < first) return 0;
    if (role === ROLE_UNKNOWN) notice(oddities.roleUnknown);
    return scheduledFee(usd, shares, role === ROLE_MAKER, terms[row] as FeeTerms);
  };
}

/** Value of a holding at the last price of its token and when that was; without one, of the other token's complement. */
export function markOf(held: number, token: number, knowledge: Knowledge): readonly [value: number, at: number] {
  if (held === 0) return [0, Number.NaN];
  if (token >= knowledge.named) return [Number.NaN, Number.NaN];
  const value = (of: number, complement: boolean): number => {
    const usd = knowledge.lastUsd[of] as number;
    const shares = knowledge.lastShares[of] as number;
    return Number.isNaN(usd) ? Number.NaN : portion(held, complement ? Math.max(0, shares - usd) : usd, shares);
  };
  const own = value(token, false);
  if (!Number.isNaN(own)) return [own, knowledge.lastAt[token] as number];
  const other = otherToken(token, knowledge);
  return other < 0 ? [Number.NaN, Number.NaN] : [value(other, true), knowledge.lastAt[other] as number];
}

function otherToken(token: number, knowledge: Knowledge): number {
  const market = knowledge.market[token] as number;
  const outcome = knowledge.outcome[token];
  if (outcome === 0) return knowledge.token1[market] as number;
  return outcome === 1 ? (knowledge.token0[market] as number) : -1;
}

/** What winning is charged on in mode profit: payouts of redeemed and of settled tokens, and their cost. */
export function winningBasis(book: Book, slot: number, payout: number): readonly [payoutHalves: number, cost: number] {
  const held = book.of(slot, HELD);
  const settles = !Number.isNaN(payout) && held > 0;
  return [
    2 * book.of(slot, REDEEMED_CASH) + (settles ? held * payout : 0),
    book.of(slot, REDEEMED_COST) + (settles ? book.of(slot, COST) : 0),
  ];
}
