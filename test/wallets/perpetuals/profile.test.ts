/** Features on a generated market: against a slow oracle, with the future cut off, and how much work they take. */
import path from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { makeRng } from '../../../src/random/rng.ts';
import definition from '../../../src/stages/features-hyperliquid.ts';
import run from '../../../src/stages/run/features-hyperliquid.ts';
import { openDuck, quote as quoted } from '../../../src/tables/duck.ts';
import { readParquet } from '../../../src/tables/parquet.ts';
import { kinds, makeMatcher, walkBook } from '../../../src/wallets/perpetuals/context.ts';
import {
  book,
  candle,
  contextTables,
  importPerpetuals,
  inputsOf,
  match,
  ms,
  quote,
  wallet,
} from '../../support/perpetuals.ts';
import { runStage, type StageResult, temporaryFolder } from '../../support/stage.ts';
import { oracle, type Raw, type RawTables } from './oracle.ts';

const COINS = ['BTC', 'ETH', '@107'];
const SECONDS = 1200;
const asOf = { from: '2025-03-01T00:03:20Z', every: '100s', lookback: '5m' };
const settings = { lookbackMs: 300_000, horizonMs: 10_000, quoteAgeMs: 5000, candleAgeMs: 300_000 };

/** Twenty minutes of three coins, with gaps in every feed and receipts that lag by up to two seconds. */
function marketLines(): string[] {
  const rng = makeRng('a perpetual market');
  const lines: string[] = [];
  const round = (value: number, digits: number): number => Number(value.toFixed(digits));
  const lag = (): number => round(0.05 + 2 * rng.uniform() ** 4, 3);
  for (const [c, coin] of COINS.entries()) {
    let mid = 100 * (c + 1);
    const mids: number[] = [];
    for (let t = 0; t < SECONDS; t += 2) {
      mid = round(mid * (1 + 0.002 * (rng.uniform() - 0.5)), 2);
      mids.push(mid);
      // Half a minute of silence now and then; no books of the third coin.
      if (t % 300 > 270) continue;
      const levels = (sign: number) =>
        Array.from(
          { length: 7 },
          (_, i) => [round(mid + sign * (0.05 + 0.1 * i), 2), round(0.2 + rng.uniform(), 3)] as const,
        );
      const [bids, asks] = [levels(-1), levels(1)];
      lines.push(quote(coin, t, t + lag(), rng.uniform() < 0.02 ? null : (bids[0] as never), asks[0] as never));
      if (c < 2 && t % 4 === 0) lines.push(book(coin, t, t + lag(), bids, asks));
    }
    for (let minute = 0; minute < SECONDS / 60; minute++) {
      const own = mids.slice(30 * minute, 30 * minute + 30);
      const values = [own[0], Math.max(...own), Math.min(...own), own.at(-1)] as [number, number, number, number];
      if (minute % 7 !== 3)
        lines.push(candle(coin, minute, 60 * minute + 60 + lag() + (minute % 5 === 0 ? 70 : 0), values, minute + 1));
    }
    for (let i = 0; i < 300; i++) {
      const time = round(1 + (SECONDS - 2) * rng.uniform(), 3);
      const receivedAt = round(time + lag(), 3);
      const side = rng.uniform() < 0.5 ? ('B' as const) : ('A' as const);
      const [taker, maker] = [rng.below(5), 5 + rng.below(4)].map((n) => wallet(String(n))) as [string, string];
      const parties = side === 'B' ? { buyer: taker, seller: maker } : { buyer: maker, seller: taker };
      const now = mids[Math.floor(time / 2)] as number;
      const hash = `0x${(i * 3 + c).toString(16).padStart(64, '0').replace(/^0/, '1')}`;
      // Some orders take two levels: two matches of one transaction.
      const count = rng.uniform() < 0.3 ? 2 : 1;
      for (let k = 0; k < count; k++) {
        const price = round(now + (side === 'B' ? 1 : -1) * (0.05 + 0.1 * k), 2);
        lines.push(
          match(
            { coin, side, price, size: round(0.01 + rng.uniform(), 3), time, receivedAt, ...parties, hash },
            10 * (i * 3 + c) + k,
          ),
        );
      }
    }
  }
  return lines;
}

let made: StageResult;
let tables: RawTables;
let features: readonly Raw[];

beforeAll(async () => {
  made = await importPerpetuals(marketLines());
  const rows = async (table: string): Promise<readonly Raw[]> => (await readParquet(made.path(table))).rows;
  tables = {
    fills: await rows('fills'),
    quotes: await rows('quotes'),
    books: await rows('books'),
    candles: await rows('candles'),
  };
  const result = await runStage(definition, run, { params: { asOf }, inputs: inputsOf(made) });
  features = (await readParquet(result.path('table'))).rows;
});

describe('features of perpetual wallets on a generated market', () => {
  it('are what a slow reading of their definitions gives, for every wallet and date', () => {
    const wallets = [...new Set(tables.fills.map((row) => row['wallet'] as string))];
    const dates = [...new Set(features.map((row) => (row['asOf'] as Date).getTime()))];
    expect([wallets.length, dates.length]).toEqual([9, 10]);
    const filled = new Map<string, number>();
    let compared = 0;
    for (const date of dates)
      for (const address of wallets) {
        const expected = oracle(tables, address, date, settings);
        const row = features.find((one) => one['wallet'] === address && (one['asOf'] as Date).getTime() === date);
        expect(row === undefined, `${address} ${date}`).toBe(expected === undefined);
        if (row === undefined || expected === undefined) continue;
        for (const [name, value] of Object.entries(expected)) {
          compared++;
          if (value === null) expect(row[name], `${name} of ${address} as of ${date}`).toBeNull();
          else {
            filled.set(name, (filled.get(name) ?? 0) + 1);
            const error = Math.abs((row[name] as number) - value);
            expect(error, `${name} of ${address} as of ${date}: ${row[name]}, not ${value}`).toBeLessThan(
              1e-9 * Math.max(1, Math.abs(value)),
            );
          }
        }
      }
    expect(compared).toBeGreaterThan(2000);
    // None of them was compared on nulls alone.
    expect([...filled.values()].every((n) => n > 20)).toBe(true);
    expect(filled.size).toBe(
      Object.keys(oracle(tables, wallets[0] as string, dates[3] as number, settings) ?? {}).length,
    );
  });

  it('do not change when what became known later is cut off, at 20 moments', async () => {
    const rng = makeRng('cuts');
    const folder = await temporaryFolder();
    const duck = await openDuck({ threads: 1, memoryMb: 500, scratch: folder });
    try {
      let kept = 0;
      for (let i = 0; i < 20; i++) {
        const cut = ms(210 + Math.floor((SECONDS - 220) * rng.uniform()));
        const inputs: Record<string, string[]> = {};
        for (const table of ['fills', ...contextTables]) {
          inputs[table] = [path.join(folder, `${i}-${table}.parquet`)];
          await duck.run(
            `COPY (SELECT * FROM read_parquet(${quoted(made.path(table))}) WHERE epoch_ms(knowableAt) < ${cut}) TO ${quoted(inputs[table][0] as string)} (FORMAT parquet)`,
          );
        }
        const result = await runStage(definition, run, { params: { asOf }, inputs });
        const rows = (await readParquet(result.path('table'))).rows;
        const before = features.filter(
          (row) => (row['asOf'] as Date).getTime() <= Math.max(...rows.map((one) => (one['asOf'] as Date).getTime())),
        );
        expect(rows).toEqual(before);
        kept += rows.length;
      }
      expect(kept).toBeGreaterThan(500);
    } finally {
      duck.close();
    }
  }, 60_000);

  it('do not depend on threads', async () => {
    const bytes = [];
    for (const threads of [1, 3]) {
      const result = await runStage(definition, run, { params: { asOf }, inputs: inputsOf(made), threads });
      bytes.push(await result.bytes('table'));
    }
    expect(Buffer.compare(bytes[0] as Uint8Array, bytes[1] as Uint8Array)).toBe(0);
  });

  it('have no context where only another coin has quotes, books and candles', async () => {
    const other = await importPerpetuals(
      marketLines()
        .map((line) => (/"users"/.test(line) ? line.replace(/"coin":"(BTC|ETH)"/, '"coin":"SOL"') : line))
        .filter((line) => !/@107/.test(line)),
    );
    expect((await other.metrics()).scalars['rows.fills']).toBeGreaterThan(500);
    const result = await runStage(definition, run, { params: { asOf }, inputs: inputsOf(other) });
    const rows = (await readParquet(result.path('table'))).rows;
    expect(rows.length).toBeGreaterThan(50);
    for (const row of rows)
      expect(row).toMatchObject({
        quotedShare: 0,
        slippageMean: null,
        bookWalkBps: null,
        momentumScore: null,
        candleVolumeMean: null,
      });
  });

  it('stop where there is no fill', async () => {
    const quotes = await importPerpetuals([quote('BTC', 1, 1, [1, 1], [2, 1])]);
    await expect(runStage(definition, run, { params: { asOf }, inputs: inputsOf(quotes) })).rejects.toMatchObject({
      code: 'data',
      message: 'there is no fill of any wallet',
    });
  });
});

describe('matching by coin and time', () => {
  /** Operations to put n executions beside n quotes and n candles of four coins: comparisons of the sort, rows looked at. */
  function operations(n: number): { comparisons: number; steps: number; matched: number } {
    const rng = makeRng(`matching ${n}`);
    const rows: number[][] = [];
    for (let i = 0; i < n; i++) {
      const moment = (): number => Math.floor(1e6 * n * rng.uniform());
      rows.push([rng.below(4), moment(), kinds.execution, i, 1000, 0, 0, 0, 0, 0]);
      rows.push([rng.below(4), moment(), kinds.quote, 99, 1, 101, 1, 0, 0, 0]);
      const open = moment();
      rows.push([rng.below(4), open, kinds.candle, 1, 2, 1, 2, 5, open + 60_000_000, open + 61_000_000]);
    }
    let [comparisons, matched] = [0, 0];
    rows.sort((a, b) => {
      comparisons++;
      return (
        (a[0] as number) - (b[0] as number) ||
        (a[1] as number) - (b[1] as number) ||
        (a[2] as number) - (b[2] as number)
      );
    });
    const matcher = makeMatcher(
      { quote: 5e6, book: 5e6, candle: 5e6 },
      (context) => {
        if (context[1] === 99) matched++;
      },
      () => undefined,
    );
    for (const row of rows) matcher.push(row);
    return { comparisons, steps: matcher.steps, matched };
  }

  it('takes n log n comparisons and one look at each row, however many there are', () => {
    for (const n of [500, 5000, 50_000]) {
      const { comparisons, steps, matched } = operations(n);
      expect(steps).toBe(3 * n);
      expect(comparisons).toBeLessThan(3 * n * Math.log2(3 * n));
      expect(matched).toBeGreaterThan(n / 4);
    }
  });

  it('walks a book level by level, and does not guess what lies beyond it', () => {
    const levels = [
      { price: 10, size: 1 },
      { price: 11, size: 2 },
    ];
    expect(walkBook(levels, 0.5)).toBe(10);
    expect(walkBook(levels, 3)).toBeCloseTo(32 / 3, 12);
    expect(walkBook(levels, 3.1)).toBeNaN();
    expect(walkBook([], 1)).toBeNaN();
  });
});
