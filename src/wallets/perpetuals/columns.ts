/** What the groups of features have in common: their columns, and the fills of a wallet from which they are made. */
import type { ColumnSpec } from '../../tables/columns.ts';

/** A feature, stored as `type`; NaN is stored as null. */
export type Feature = ColumnSpec & { readonly type: 'DOUBLE' | 'INTEGER' };

export function feature(name: string, unit: string, description: string): Feature {
  return { name, role: 'feature', unit, description, type: 'DOUBLE' };
}

export function count(name: string, unit: string, description: string): Feature {
  return { name, role: 'feature', unit, description, type: 'INTEGER' };
}

/**
 * What is known of a fill, by name. All are numbers; NaN is unknown. Times are microseconds. Those from `executionUsd`
 * on describe the execution and stand at its first fill alone: an execution is what one order did in one moment.
 */
export const fillFields = [
  'wallet',
  'time',
  /** From when on it may be used; fills come in this order. */
  'knowableAt',
  'coin',
  /** 1 on spot. */
  'spot',
  'counterparty',
  /** 1 to buy, -1 to sell. */
  'sign',
  /** 1 maker, 0 taker. */
  'maker',
  'price',
  'size',
  'usd',
  'startPosition',
  'closedPnlUsd',
  'feeUsd',
  /** Fee in coins of the position, 0 if it was taken otherwise. */
  'feeCoins',
  'executionUsd',
  'executionSize',
  /** Last quote before it, if fresh. */
  'bid',
  'bidSize',
  'ask',
  'askSize',
  /** Middle of the last book before it, if fresh, and what taking its size from that book would have cost a coin. */
  'bookMid',
  'walkPrice',
  /** Coins in the five best levels that it could take from. */
  'depth',
  /** Last complete candle that was known before it, if recent. */
  'pastOpen',
  'pastHigh',
  'pastLow',
  'pastClose',
  /** Candle in which it happened, and when that was known. */
  'open',
  'high',
  'low',
  'close',
  'volume',
  'candleKnownAt',
  /** Middle of the quote a moment after it, and that moment. */
  'laterMid',
  'laterAt',
] as const;

export type FillField = (typeof fillFields)[number];

/** Fills of one wallet in the order in which they became known. */
export interface Fills {
  readonly count: number;
  readonly of: Readonly<Record<FillField, Float64Array>>;
}

/** Fills from `begin` to `end` (exclusive, at least one), as of a date: what was known later counts as unknown. */
export interface Window {
  readonly fills: Fills;
  readonly begin: number;
  readonly end: number;
  /** Microseconds. */
  readonly asOf: number;
  readonly lookback: number;
}

/** A group of features. */
export interface Group {
  readonly columns: readonly Feature[];
  /** Looks at all fills of a wallet once, before its windows. What it keeps of a fill may depend on earlier ones only. */
  readonly load?: (fills: Fills) => void;
  /** Values in the order of `columns`; NaN is unknown. */
  readonly values: (window: Window) => readonly number[];
}

/** Part of a whole; NaN of nothing. */
export const share = (part: number, whole: number): number => (whole > 0 ? part / whole : Number.NaN);

/** Mean and the like of the values that are known. */
export class Moments {
  n = 0;
  max = Number.NaN;
  private sum = 0;
  private readonly seen: number[] = [];

  add(value: number): void {
    if (Number.isNaN(value)) return;
    this.n++;
    this.sum += value;
    if (!(value <= this.max)) this.max = value;
    this.seen.push(value);
  }

  /** NaN without a value. */
  get mean(): number {
    return this.n === 0 ? Number.NaN : this.sum / this.n;
  }

  /** Sample standard deviation; NaN below two values. */
  get deviation(): number {
    if (this.n < 2) return Number.NaN;
    const { mean } = this;
    let squares = 0;
    for (const value of this.seen) squares += (value - mean) ** 2;
    return Math.sqrt(squares / (this.n - 1));
  }
}
