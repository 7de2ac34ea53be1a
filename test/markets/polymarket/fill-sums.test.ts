import { existsSync, statSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { factFiles } from '../../../src/facts/layout.ts';
import { factsOf } from '../../../src/facts/make.ts';
import { readTradeNames } from '../../../src/facts/trade-names.ts';
import { tradeFigures, tradeTotals } from '../../../src/markets/describe.ts';
import type { SummedTrades } from '../../../src/markets/polymarket/fill-sums.ts';
import { importPieces } from '../../../src/markets/polymarket/import-pieces.ts';
import { readMarketNames } from '../../../src/markets/polymarket/market-names.ts';
import { exchangeContracts, polyDataTradeColumns } from '../../../src/markets/polymarket/poly-data.ts';
import { policyTotals, summedTotals } from '../../../src/markets/polymarket/trades-quality.ts';
import { type Duck, openDuck, quote } from '../../../src/tables/duck.ts';
import { readStored, type StoredFile } from '../../../src/tables/parquet/stored.ts';
import { parquetFiles } from '../../../src/tables/parquet-files.ts';
import { buildKernels } from '../../support/kernels.ts';
import { temporaryFolder } from '../../support/stage.ts';

const hex = (n: number, digits: number): string => `0x${n.toString(16).padStart(digits, '0')}`;

interface Trade {
  readonly seconds: number;
  readonly market: number;
  readonly wallet: number;
  readonly taker: boolean;
  readonly outcome: 1 | 2;
  readonly buys: boolean;
  /** Millionths. */
  readonly usd: number;
  readonly shares: number;
}

const decimal = (millionths: number): string => {
  const text = `${millionths}`.padStart(7, '0');
  return `${text.slice(0, -6)}.${text.slice(-6)}`;
};

const lineOf = ({ seconds, market, wallet, taker, outcome, buys, usd, shares }: Trade, i: number): string =>
  [
    new Date(1_700_000_000_000 + seconds * 1000).toISOString().replace('Z', '000'),
    market,
    hex(wallet, 40),
    taker ? exchangeContracts[0] : hex(wallet + 1, 40),
    `token${outcome}`,
    buys ? 'BUY' : 'SELL',
    buys ? 'SELL' : 'BUY',
    usd / shares,
    decimal(usd),
    decimal(shares),
    hex(i + 1, 64),
  ].join(',');

const trade: fc.Arbitrary<Trade> = fc.record({
  seconds: fc.integer({ min: 0, max: 40_000 }),
  market: fc.integer({ min: 1, max: 4 }),
  wallet: fc.integer({ min: 1, max: 40 }),
  taker: fc.boolean(),
  outcome: fc.constantFrom(1, 2),
  buys: fc.boolean(),
  usd: fc.integer({ min: 0, max: 5_000_000 }),
  shares: fc.integer({ min: 5_000_000, max: 50_000_000 }),
});

const some: Trade = {
  seconds: 0,
  market: 1,
  wallet: 1,
  taker: true,
  outcome: 1,
  buys: true,
  usd: 1_000_000,
  shares: 2_000_000,
};

buildKernels();
let folder: string;
let duck: Duck;
beforeAll(async () => {
  folder = await temporaryFolder();
  duck = await openDuck({ threads: 1, memoryMb: 400, scratch: path.join(folder, 'spill') });
});
afterAll(() => duck.close());

/** Imports lines and gives the sums made on the way, and where the trades are. */
async function imported(
  lines: readonly string[],
  token = '11',
): Promise<{ sums: SummedTrades | null; trades: string; relation: string }> {
  const scratch = await mkdtemp(path.join(folder, 'case-'));
  const markets = path.join(scratch, 'markets.parquet');
  await duck.run(`COPY (FROM (VALUES ('1', 'e', '${token}', '12', 'Yes', 'No'), ('2', 'e', '21', '22', 'Up', 'Down'),
      ('3', 'f', '31', '32', 'A', 'B'), ('4', 'f', '41', '42', 'A', 'B'))
    AS t(market, event, token0, token1, outcome0, outcome1)) TO ${quote(markets)} (FORMAT parquet)`);
  const file = path.join(scratch, 'trades.csv');
  await writeFile(file, `${[polyDataTradeColumns.join(), ...lines].join('\n')}\n`);
  const trades = path.join(scratch, 'trades.parquet');
  const { sums } = await importPieces(duck, {
    file,
    markets,
    names: readMarketNames(duck, `read_parquet(${quote(markets)})`),
    target: trades,
    scratch,
    duplicates: 'keep',
    threads: 1,
    memoryMb: 400,
    pieceBytes: 3000,
    progress: () => undefined,
  });
  return { sums, trades, relation: `read_parquet([${parquetFiles(trades).map(quote).join(', ')}])` };
}

describe('sums made while trades are read', () => {
  it('are those of the trades that were written', async () => {
    let pieces = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(trade, { minLength: 1, maxLength: 60, size: 'max' }), async (given) => {
        const lines = given.toSorted((a, b) => a.seconds - b.seconds).map(lineOf);
        const { sums, trades, relation } = await imported(lines);
        pieces = Math.max(pieces, parquetFiles(trades).length);
        expect(sums).not.toBeNull();
        const summed = await summedTotals(duck, sums as SummedTrades);
        expect(summed).toEqual(await policyTotals(duck, relation, 'seq', 'by_wallet'));
        const { usd, takerUsd, marked, ...counts } = summed;
        expect(counts).toEqual((({ usd: _, ...rest }) => rest)(await tradeTotals(duck, trades)));
        expect(await tradeFigures(duck, trades, summed, sums as SummedTrades)).toEqual(
          await tradeFigures(duck, trades, summed),
        );
      }),
      { numRuns: 25 },
    );
    expect(pieces).toBeGreaterThan(2);
  });

  it('name what the trades name, so that their facts are those made without', async () => {
    const factsFrom = async (trades: string, name: string): Promise<Record<string, unknown[]>> => {
      const facts = path.join(path.dirname(trades), name);
      await factsOf(duck, trades, facts, { threads: 1, memoryMb: 400, scratch: path.dirname(trades), bucketFills: 20 });
      return Object.fromEntries(
        await Promise.all(
          Object.entries(factFiles(facts)).map(async ([table, file]) => {
            const files = parquetFiles(file).map(quote).join(', ');
            return [table, await duck.rows(`SELECT COLUMNS(*)::VARCHAR FROM read_parquet([${files}])`)] as const;
          }),
        ),
      );
    };
    let named = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(trade, { minLength: 1, maxLength: 60, size: 'max' }), async (given) => {
        const lines = given.toSorted((a, b) => a.seconds - b.seconds).map(lineOf);
        const { trades } = await imported(lines);
        const names = path.join(trades, 'names');
        const hasNames = existsSync(names);
        expect(hasNames).toBe(statSync(trades).isDirectory());
        if (!hasNames) return;
        named++;
        const files = (await Promise.all(parquetFiles(trades).map(readStored))) as StoredFile[];
        expect(await readTradeNames(trades, files)).toBeDefined();
        const known = await factsFrom(trades, 'known');
        // Parts that they are not of have no names.
        expect(await readTradeNames(trades, files.slice(1))).toBeUndefined();
        expect(await readTradeNames(trades, [...files.slice(1), files[0] as StoredFile])).toBeUndefined();
        await rm(names, { recursive: true });
        expect(await readTradeNames(trades, files)).toBeUndefined();
        expect(known).toEqual(await factsFrom(trades, 'sought'));
      }),
      { numRuns: 10 },
    );
    expect(named).toBeGreaterThan(3);
  });

  it('leave out what is refused', async () => {
    const lines = [some, { ...some, seconds: 1 }, { ...some, seconds: 2, market: 9 }].map(lineOf);
    const { sums, relation } = await imported(lines);
    const summed = await summedTotals(duck, sums as SummedTrades);
    expect(summed).toMatchObject({ rows: 2, usd: 2, marked: 0, markets: 1 });
    expect(summed).toEqual(await policyTotals(duck, relation, 'seq', 'by_wallet'));
  });

  const many = (change: Partial<Trade> = {}): string[] =>
    Array.from({ length: 60 }, (_, i) => lineOf({ ...some, ...change, seconds: i }, i));

  it.each<[string, readonly string[], string?]>([
    ['a line is not plain', many().with(30, lineOf({ ...some, seconds: 30 }, 30).replace('BUY', '"BUY"'))],
    ['a trade is there twice', many().toSpliced(30, 0, many()[30] as string)],
    ['the file is in no order', many().toReversed()],
    ['a sum may be too large', many({ usd: 9_007_199_254_740_991, shares: 9_007_199_254_740_991 })],
    ['a token stands for two outcomes', many(), '12'],
  ])('are not told where %s', async (_, lines, token) => {
    expect((await imported(lines, token)).sums).toBeNull();
  });
});
