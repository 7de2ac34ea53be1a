/**
 * The positions of one wallet, a slot a token, by weighted average cost. Amounts are whole 1e-6.
 *
 * Cash is exact; only the cost that leaves with sold tokens is rounded. At any moment realised profit = cash + cost of
 * what is held, so rounding moves profit between "realised" and "open", never the sum.
 */
import { FathomError } from '../../errors.ts';
import { portion } from './whole.ts';

/** Cash, cost, fees and tokens held stay below it, so that their sums in halves stay below 2^52. */
const LARGEST = 2 ** 49;

/** Places of the amounts of a position in `Book.cells`: they stand together, since they are used together. */
export const WIDTH = 16;
/** Tokens held; negative if more were given than the data saw coming. */
export const HELD = 0;
/** Cost of what is held; for a negative holding, minus what it was sold for. */
export const COST = 1;
/** Cash received less cash paid, before fees. */
export const NET_CASH = 2;
/** The smallest holding there ever was; below 0 if the data miss where tokens came from. */
export const LEAST = 3;
/** Times in microseconds; NaN where there is none. */
export const OPENED_AT = 4;
export const LAST_AT = 5;
/** Since when nothing is held. */
export const FLAT_AT = 6;
export const FILLS = 7;
/** Tokens by fills. */
export const BOUGHT = 8;
export const SOLD = 9;
/** Tokens by splits, merges, redemptions and conversions. */
export const RECEIVED = 10;
export const GIVEN = 11;
/** Fees on fills, paid less rebates. */
export const FEE = 12;
/** What redemptions of the token brought, and the cost of the tokens redeemed. */
export const REDEEMED_CASH = 13;
export const REDEEMED_COST = 14;

/** What the last `move` closed: tokens, what they brought and what they had cost. */
export interface Closed {
  shares: number;
  proceeds: number;
  cost: number;
}

export class Book {
  /** Slots in use; slot i belongs to token `tokens[i]`. */
  count = 0;
  tokens = new Int32Array(64);
  /** Amounts of slot i from `WIDTH * i` on, in whole 1e-6. */
  cells = new Float64Array(WIDTH * 64);
  /** 1 once the outcome of the token was knowable to the history of the wallet. */
  resolved = new Uint8Array(64);
  /** Rows that the history has of the token. */
  steps = new Int32Array(64);
  readonly closed: Closed = { shares: 0, proceeds: 0, cost: 0 };
  private readonly slotOfToken: Int32Array;

  /** @param tokens how many tokens there are */
  constructor(tokens: number) {
    this.slotOfToken = new Int32Array(tokens).fill(-1);
  }

  /** Forgets the wallet; the memory is used again. */
  clear(): void {
    for (let i = 0; i < this.count; i++) this.slotOfToken[this.tokens[i] as number] = -1;
    this.count = 0;
  }

  /** The slot of a token, a fresh one at its first call. */
  slot(token: number): number {
    const found = this.slotOfToken[token] as number;
    return found >= 0 ? found : this.open(token);
  }

  /** Adds to an amount of a slot. */
  add(slot: number, amount: number, value: number): void {
    const at = WIDTH * slot + amount;
    this.cells[at] = (this.cells[at] as number) + value;
  }

  /** An amount of a slot. */
  of(slot: number, amount: number): number {
    return this.cells[WIDTH * slot + amount] as number;
  }

  /** Tokens in rising order, in place of the order in which the wallet met them. */
  sorted(): Int32Array {
    return this.tokens.slice(0, this.count).sort();
  }

  private open(token: number): number {
    const slot = this.count++;
    if (slot === this.tokens.length) this.grow();
    this.tokens[slot] = token;
    this.slotOfToken[token] = slot;
    this.resolved[slot] = 0;
    this.steps[slot] = 0;
    const { cells } = this;
    const from = WIDTH * slot;
    for (let i = from; i < from + WIDTH; i++) cells[i] = 0;
    cells[from + OPENED_AT] = Number.NaN;
    return slot;
  }

  private grow(): void {
    const size = 2 * this.tokens.length;
    const larger = <A extends { set(from: A): void }>(array: A, made: A): A => {
      made.set(array);
      return made;
    };
    this.tokens = larger(this.tokens, new Int32Array(size));
    this.resolved = larger(this.resolved, new Uint8Array(size));
    this.steps = larger(this.steps, new Int32Array(size));
    this.cells = larger(this.cells, new Float64Array(WIDTH * size));
  }

  /**
   * Tokens come (`shares` > 0) or go for `cash`, received or (negative) paid. What adds to a holding adds its price to
   * the cost; what reduces it takes the average cost away. What goes beyond the holding opens one of the other sign.
   * `closed` then holds what left, and for what.
   */
  move(slot: number, time: number, shares: number, cash: number): void {
    const { cells, closed } = this;
    const at = WIDTH * slot;
    const held = cells[at + HELD] as number;
    const cost = cells[at + COST] as number;
    closed.shares = 0;
    closed.proceeds = 0;
    closed.cost = 0;
    let after = cost;
    if (shares !== 0 && held !== 0 && shares > 0 !== held > 0) {
      const size = Math.abs(shares);
      const owned = Math.abs(held);
      closed.shares = Math.min(size, owned);
      closed.cost = closed.shares === owned ? cost : portion(cost, closed.shares, owned);
      closed.proceeds = closed.shares === size ? cash : portion(cash, closed.shares, size);
      after = cost + closed.proceeds - closed.cost - cash;
    } else if (shares !== 0) after = cost - cash;
    // Cash without tokens is profit or loss at once.
    else closed.proceeds = cash;
    const now = held + shares;
    const sum = (cells[at + NET_CASH] as number) + cash;
    if (!(Math.abs(sum) <= LARGEST && Math.abs(after) <= LARGEST && Math.abs(now) <= LARGEST)) throw tooLarge();
    cells[at + COST] = after;
    cells[at + HELD] = now;
    cells[at + NET_CASH] = sum;
    if (now < (cells[at + LEAST] as number)) cells[at + LEAST] = now;
    if (Number.isNaN(cells[at + OPENED_AT])) cells[at + OPENED_AT] = time;
    cells[at + LAST_AT] = time;
    cells[at + FLAT_AT] = now === 0 ? time : Number.NaN;
  }
}

/** Amounts that only grow are exact if they end below 2^53. */
export function checkGross(amount: number): void {
  if (!(amount <= Number.MAX_SAFE_INTEGER)) throw tooLarge();
}

function tooLarge(): FathomError {
  return new FathomError(
    'data',
    `a wallet moves more USD or tokens in one market than sums stay exact up to, ${Math.floor(LARGEST / 1e6)}`,
    { hint: 'settle a shorter time, or check the units of usd and shares' },
  );
}
