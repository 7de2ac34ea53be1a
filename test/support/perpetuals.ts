/** Messages of a perpetual exchange as a recorder writes them, and the canonical tables made of them. */
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import run from '../../src/stages/run/source-hyperliquid.ts';
import definition from '../../src/stages/source-hyperliquid.ts';
import { runStage, type StageResult, temporaryFolder } from './stage.ts';

/** 1 March 2025, in milliseconds; all times here are seconds after it. */
export const T0 = 1_740_787_200_000;

export const wallet = (letter: string): string => `0x${letter.repeat(40)}`;

/** Milliseconds of a time in seconds. */
export const ms = (seconds: number): number => T0 + Math.round(seconds * 1000);

/** A line of the recorder, received at a time in seconds. */
export function line(receivedAt: number, data: unknown): string {
  const at = ms(receivedAt);
  return `${JSON.stringify({ timestamp: new Date(at).toISOString(), unix_timestamp: at / 1000, data })}\n`;
}

const level = ([price, size]: readonly [number, number]): object => ({ px: String(price), sz: String(size), n: 1 });
type Level = readonly [price: number, size: number];

export const quote = (coin: string, time: number, receivedAt: number, bid: Level | null, ask: Level | null): string =>
  line(receivedAt, { coin, time: ms(time), bbo: [bid && level(bid), ask && level(ask)] });

export const book = (
  coin: string,
  time: number,
  receivedAt: number,
  bids: readonly Level[],
  asks: readonly Level[],
): string => line(receivedAt, { coin, time: ms(time), levels: [bids.map(level), asks.map(level)] });

/** A complete candle of a minute. */
export const candle = (
  coin: string,
  minute: number,
  receivedAt: number,
  [o, h, l, c]: readonly [number, number, number, number],
  volume: number,
): string =>
  line(receivedAt, {
    t: ms(60 * minute),
    T: ms(60 * minute + 60) - 1,
    s: coin,
    i: '1m',
    o: String(o),
    h: String(h),
    l: String(l),
    c: String(c),
    v: String(volume),
    n: 1,
  });

export interface Match {
  readonly coin: string;
  /** Of the taker. */
  readonly side: 'B' | 'A';
  readonly price: number;
  readonly size: number;
  readonly time: number;
  readonly receivedAt: number;
  readonly buyer: string;
  readonly seller: string;
  readonly hash: string;
}

export const match = (one: Match, tid: number): string =>
  line(one.receivedAt, [
    {
      coin: one.coin,
      side: one.side,
      px: String(one.price),
      sz: String(one.size),
      time: ms(one.time),
      hash: one.hash,
      tid,
      users: [one.buyer, one.seller],
    },
  ]);

export interface AccountFill {
  readonly coin: string;
  readonly side: 'B' | 'A';
  readonly crossed: boolean;
  readonly price: number;
  readonly size: number;
  readonly time: number;
  readonly start: number;
  readonly pnl?: number;
  readonly fee?: number;
  readonly order: number;
  readonly feeToken?: string;
}

const accountFill = (fill: AccountFill, tid: number): object => ({
  closedPnl: String(fill.pnl ?? 0),
  coin: fill.coin,
  crossed: fill.crossed,
  dir: 'Open Long',
  hash: `0x${'0'.repeat(64)}`,
  oid: fill.order,
  px: String(fill.price),
  side: fill.side,
  startPosition: String(fill.start),
  sz: String(fill.size),
  time: ms(fill.time),
  fee: String(fill.fee ?? 0),
  feeToken: fill.feeToken ?? 'USDC',
  tid,
});

/** Canonical tables of recorded lines and of accounts' fills. */
export async function importPerpetuals(
  lines: readonly string[],
  accounts: Readonly<Record<string, readonly AccountFill[]>> = {},
): Promise<StageResult> {
  const folder = await temporaryFolder();
  const files: object[] = [];
  if (lines.length > 0) {
    const file = path.join(folder, 'feed.jsonl');
    await writeFile(file, lines.join(''));
    files.push({ format: 'recorded-jsonl', file });
  }
  for (const [address, fills] of Object.entries(accounts)) {
    const file = path.join(folder, `${address}.json`);
    await writeFile(file, JSON.stringify(fills.map((fill, i) => accountFill(fill, 900_000 + i))));
    files.push({ format: 'user-fills', file, wallet: address });
  }
  return runStage(definition, run, { params: { files } });
}

export const contextTables = ['quotes', 'books', 'candles', 'transactions'] as const;

/** Input files of the features by port, of all or some of the tables. */
export function inputsOf(
  made: StageResult,
  tables: readonly (typeof contextTables)[number][] = contextTables,
): Record<string, readonly string[]> {
  return Object.fromEntries(['fills', ...tables].map((table) => [table, [made.path(table)]]));
}
