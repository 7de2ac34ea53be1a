/** Rows on their way from a recording to the canonical tables. Numbers that must stay exact are text. */
import { coinName, dollars, isSpot, notional, PLACES, type Refused, units } from './fields.ts';

/** Where a row comes from, which also orders rows of one moment. */
export interface Spot {
  /** Number of the file in the list of files, from 0. */
  readonly file: number;
  readonly line: number;
  /** Place among the records of the line, from 0. */
  readonly item: number;
}

/** Microseconds since 1970. */
type Micros = number;

export interface FillRecord {
  readonly time: Micros;
  readonly timeResolutionMs: number;
  readonly receivedAt: Micros | null;
  readonly coin: string;
  readonly wallet: string;
  readonly counterparty: string | null;
  readonly role: 'taker' | 'maker' | null;
  readonly side: 'BUY' | 'SELL';
  readonly direction: string | null;
  readonly price: string;
  readonly size: string;
  readonly usd: string;
  readonly startPosition: string | null;
  readonly closedPnlUsd: string | null;
  readonly fee: string | null;
  readonly feeToken: string | null;
  readonly feeUsd: string | null;
  readonly orderId: string | null;
  readonly tradeId: string | null;
  readonly transaction: string | null;
}

export interface PrintRecord {
  readonly time: Micros;
  readonly receivedAt: Micros | null;
  readonly coin: string;
  readonly side: 'BUY' | 'SELL';
  readonly price: string;
  readonly size: string;
  readonly usd: string;
  readonly buyer: string | null;
  readonly seller: string | null;
  readonly tradeId: string;
  readonly transaction: string | null;
}

export interface QuoteRecord {
  readonly coin: string;
  readonly time: Micros;
  readonly receivedAt: Micros | null;
  readonly bid: string | null;
  readonly bidSize: string | null;
  readonly ask: string | null;
  readonly askSize: string | null;
}

export interface Level {
  readonly price: string;
  readonly size: string;
  readonly orders: number | null;
}

export interface BookRecord {
  readonly coin: string;
  readonly time: Micros;
  readonly receivedAt: Micros | null;
  readonly bids: readonly Level[];
  readonly asks: readonly Level[];
}

export interface CandleRecord {
  readonly coin: string;
  readonly interval: string;
  readonly time: Micros;
  readonly closesAt: Micros;
  readonly receivedAt: Micros;
  /** True if the recorder wrote it when a later one had begun; else it may still be forming. */
  readonly complete: boolean;
  readonly open: string;
  readonly high: string;
  readonly low: string;
  readonly close: string;
  readonly volume: string;
  readonly trades: number | null;
}

export interface BlockRecord {
  readonly block: string;
  readonly time: Micros;
  readonly receivedAt: Micros;
  readonly hash: string;
  readonly transactions: number | null;
}

export interface TransactionRecord {
  readonly block: string;
  readonly place: number | null;
  readonly receivedAt: Micros;
  readonly transaction: string;
  readonly wallet: string;
  readonly recipient: string | null;
  /** Whole wei. */
  readonly valueWei: string;
  readonly callsContract: boolean;
}

/** What one element of a recording holds. A chain's block may hold transactions too. */
export type Item =
  | { readonly table: 'fills'; readonly row: FillRecord }
  | { readonly table: 'prints'; readonly row: PrintRecord }
  | { readonly table: 'quotes'; readonly row: QuoteRecord }
  | { readonly table: 'books'; readonly row: BookRecord }
  | { readonly table: 'candles'; readonly row: CandleRecord }
  | { readonly table: 'blocks'; readonly row: BlockRecord }
  | { readonly table: 'transactions'; readonly row: TransactionRecord };

/** Takes what a line holds, element by element. An element that is wrong is refused on its own. */
export interface Sink {
  /** Runs `read` for one element and stores what it returns; a `Refused` is counted with its place. */
  element(read: () => Item | readonly Item[]): void;
  /** Messages that hold no data: acknowledgements, pongs, channels that are not read. */
  skip(what: string): void;
}

/** Any thrown value that is not a refusal is a mistake of ours and goes up. */
export const reasonOf = (error: unknown): string => {
  if (error instanceof Error && 'reason' in error) return (error as Refused).reason;
  throw error;
};

/**
 * Coin of a fee and its value in dollars. The exchange takes fees in USDC, and those of purchases on spot in the coin
 * bought, which then is missing from the position.
 */
export function feeFields(
  fee: string | null,
  token: string | null,
  coin: string,
  price: string,
): Pick<FillRecord, 'fee' | 'feeToken' | 'feeUsd'> {
  if (fee === null) return { fee, feeToken: null, feeUsd: null };
  const feeToken = token === null ? null : coinName(token, 'feeToken');
  const inDollars = feeToken === 'USDC';
  const inCoin = feeToken === coin && isSpot(coin);
  const feeUsd = inDollars ? dollars(units(fee), PLACES, 'fee') : inCoin ? notional(price, fee) : null;
  return { fee, feeToken, feeUsd };
}
