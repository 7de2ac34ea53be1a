/**
 * The positions of one wallet, a column an amount and a slot a token, by weighted average cost. Amounts are whole 1e-6.
 *
 * Cash is exact; only the cost that leaves with sold tokens is rounded. At any moment realised profit = cash + cost of
 * what is held, so rounding moves profit between "realised" and "open", never the sum.
 */
import { FathomError } from '../../errors.ts';
import { portion } from './whole.ts';

/** Cash, cost, fees and tokens held stay below it, so that their sums in halves stay below 2^52. */
const LARGEST = 2 ** 49;

const amounts = [
  /** Tokens held; negative if more were given than the data saw coming. */
  'held',
  /** Cost of what is held; for a negative holding, minus what it was sold for. */
  'cost',
  /** Cash received less cash paid, before fees. */
  'cash',
  /** By fills. */
  'bought',
  'sold',
  /** By splits, merges, redemptions and conversions. */
  'received',
  'given',
  /** Fees on fills, paid less rebates. */
  'fee',
  /** What redemptions of the token brought, and the cost of the tokens redeemed. */
  'redeemedCash',
  'redeemedCost',
  /** The smallest holding there ever was; below 0 if the data miss where tokens came from. */
  'least',
  'fills',
  /** Times in microseconds; NaN where there is none. */
  'openedAt',
  'lastAt',
  /** Since when nothing is held. */
  'flatAt',
] as const;

type Columns = Record<(typeof amounts)[number], Float64Array>;

const columnsOf = (size: number): Columns =>
  Object.fromEntries(amounts.map((name) => [name, new Float64Array(size)])) as Columns;

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
  columns: Columns = columnsOf(64);
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

  /** Forgets the wallet; the columns are used again. */
  clear(): void {
    for (let i = 0; i < this.count; i++) this.slotOfToken[this.tokens[i] as number] = -1;
    this.count = 0;
  }

  /** The slot of a token, a fresh one at its first call. */
  slot(token: number): number {
    const found = this.slotOfToken[token] as number;
    return found >= 0 ? found : this.open(token);
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
    for (const name of amounts) this.columns[name][slot] = name.endsWith('At') ? Number.NaN : 0;
    return slot;
  }

  private grow(): void {
    const size = 2 * this.tokens.length;
    const larger = <A extends { set(from: A): void }>(array: A, make: (size: number) => A): A => {
      const made = make(size);
      made.set(array);
      return made;
    };
    this.tokens = larger(this.tokens, (n) => new Int32Array(n));
    this.resolved = larger(this.resolved, (n) => new Uint8Array(n));
    this.steps = larger(this.steps, (n) => new Int32Array(n));
    for (const name of amounts) this.columns[name] = larger(this.columns[name], (n) => new Float64Array(n));
  }

  /**
   * Tokens come (`shares` > 0) or go for `cash`, received or (negative) paid. What adds to a holding adds its price to
   * the cost; what reduces it takes the average cost away. What goes beyond the holding opens one of the other sign.
   * `closed` then holds what left, and for what.
   */
  move(slot: number, time: number, shares: number, cash: number): void {
    const { columns, closed } = this;
    const held = columns.held[slot] as number;
    const cost = columns.cost[slot] as number;
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
    const sum = (columns.cash[slot] as number) + cash;
    if (!(Math.abs(sum) <= LARGEST && Math.abs(after) <= LARGEST && Math.abs(now) <= LARGEST)) throw tooLarge();
    columns.cost[slot] = after;
    columns.held[slot] = now;
    columns.cash[slot] = sum;
    if (now < (columns.least[slot] as number)) columns.least[slot] = now;
    if (Number.isNaN(columns.openedAt[slot] as number)) columns.openedAt[slot] = time;
    columns.lastAt[slot] = time;
    columns.flatAt[slot] = now === 0 ? time : Number.NaN;
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
