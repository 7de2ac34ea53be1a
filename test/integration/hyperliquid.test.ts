/** The shipped experiment on recorded data where it is there, and on a generated folder of the same shape. */
import { copyFile, mkdir, readdir, readFile, realpath, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Figure } from '../../src/contract/figure.ts';
import type { MetricsFile } from '../../src/contract/metrics.ts';
import { makeRng } from '../../src/random/rng.ts';
import { readParquet } from '../../src/tables/parquet.ts';
import { type CliResult, fathom } from '../support/cli.ts';
import { T0, wallet } from '../support/perpetuals.ts';
import { shared, sharedFile, whyNoShared } from '../support/shared.ts';
import { temporaryFolder } from '../support/stage.ts';

const experiment = path.resolve(import.meta.dirname, '../../experiments/hyperliquid.yaml');
const names = {
  accounts: 'account-fills.csv',
  books: 'orderbooks-BTC-2025-09-03.csv',
  quotes: 'prices-BTC-2025-09-03.csv',
  trades: 'trades-BTC-2025-09-03.csv',
  messages: 'ws-recorded-lines.log',
};

/** Forty days of two accounts, a few seconds of a capture, and one trade after its book among raw messages. */
async function generate(folder: string): Promise<void> {
  const rng = makeRng('two accounts');
  const put = (name: string, lines: readonly string[]): Promise<void> =>
    writeFile(path.join(folder, name), `${lines.join('\r\n')}\r\n`);
  const two = (n: number): string => String(n).padStart(2, '0');
  const position = new Map<string, number>();
  const fills = Array.from({ length: 300 }, (_, i) => {
    const [account, coin] = [wallet(i % 3 === 0 ? 'a' : 'b'), i % 2 === 0 ? 'ETH' : 'SOL'];
    const key = account + coin;
    const start = position.get(key) ?? 0;
    const size = 1 + rng.below(20);
    const buys = rng.uniform() < 0.5;
    position.set(key, start + (buys ? size : -size));
    const day = Math.floor((i * 40) / 300);
    const clock = `${two(1 + (day % 28))}-${two(1 + Math.floor(day / 28))}-2025 5:${two(i % 60)}`;
    const price = 100 + rng.below(50);
    const pnl = start * (buys ? 1 : -1) < 0 ? rng.below(100) - 40 : 0;
    return [
      account,
      coin,
      price,
      size,
      price * size,
      buys ? 'BUY' : 'SELL',
      clock,
      start,
      'Open Long',
      pnl,
      `0x${'0'.repeat(64)}`,
      i,
      i % 4 === 0 ? 'TRUE' : 'FALSE',
      0.25,
      '8.95E+14',
      '1.73E+12',
    ].join();
  });
  const header =
    'Account,Coin,Execution Price,Size Tokens,Size USD,Side,Timestamp IST,Start Position,Direction,Closed PnL,Transaction Hash,Order ID,Crossed,Fee,Trade ID,Timestamp';
  await put(names.accounts, [header, ...fills]);
  const levels = (row: (i: number) => (string | number)[]): (string | number)[] =>
    Array.from({ length: 20 }, (_, i) => row(i)).flat();
  const seconds = Array.from({ length: 10 }, (_, i) => i);
  await put(names.books, [
    [
      'timestamp',
      'sequence',
      'exchange_timestamp',
      ...levels((i) => [`bid_price_${i}`, `bid_size_${i}`, `ask_price_${i}`, `ask_size_${i}`]),
    ].join(),
    ...seconds.map((s) =>
      [T0 / 1000 + s + 0.5, T0 + 1000 * s, T0 + 1000 * s, ...levels((i) => [100 - i, '6e-05', 101 + i, 2.5])].join(),
    ),
  ]);
  await put(names.quotes, [
    'timestamp,price,size,side,exchange_timestamp',
    ...seconds.flatMap((s) =>
      [100, 101].map((price, k) => `${T0 / 1000 + s + 0.4},${price}.0,1.5,${k === 0 ? 'bid' : 'ask'},${T0 + 1000 * s}`),
    ),
  ]);
  await put(names.trades, [
    'timestamp,price,size,side,trade_id,exchange_timestamp',
    ...seconds.map((s) => `${T0 / 1000 + s + 0.6},101.0,0.5,buy,${s + 1},${T0 + 1000 * s}`),
  ]);
  const raw = (ms: number, channel: string, data: unknown): string =>
    `${BigInt(T0 + ms) * 1_000_000n} ${JSON.stringify({ channel, data })}`;
  const level = (px: string, sz: string): object => ({ px, sz, n: 1 });
  await put(names.messages, [
    raw(500, 'l2Book', {
      coin: 'BTC',
      time: T0 + 300,
      levels: [[level('99', '1')], [level('101', '1'), level('102', '9')]],
    }),
    raw(900, 'trades', [
      {
        coin: 'BTC',
        side: 'B',
        px: '101',
        sz: '2',
        time: T0 + 700,
        hash: `0x${'c'.repeat(64)}`,
        tid: 7,
        users: [wallet('a'), wallet('b')],
      },
    ]),
  ]);
}

interface Run {
  readonly result: CliResult;
  readonly report: string;
  readonly json: <T>(stage: string, name: string) => Promise<T>;
  readonly rows: (stage: string) => Promise<readonly Record<string, unknown>[]>;
}

async function runExperiment(folder: string): Promise<Run> {
  const cwd = path.dirname(folder);
  const result = await fathom(['run', experiment], { cwd, env: { FATHOM_HYPERLIQUID: folder } });
  const latest = await realpath(path.join(cwd, 'results/hyperliquid/latest'));
  const artifacts = new Map<string, string>();
  for (const file of (await readdir(path.join(latest, 'plan'))).filter((name) => name.endsWith('.jsonl')))
    for (const line of (await readFile(path.join(latest, 'plan', file), 'utf8')).trim().split('\n')) {
      const { stage, id } = JSON.parse(line) as { stage: string; id: string };
      artifacts.set(stage, path.join(cwd, 'results/store', id.slice(0, 2), id));
    }
  const at = (stage: string, name: string): string => path.join(artifacts.get(stage) as string, name);
  return {
    result,
    report: path.join(latest, 'report.html'),
    json: async (stage, name) => JSON.parse(await readFile(at(stage, name), 'utf8')) as never,
    rows: async (stage) => (await readParquet(at(stage, 'table.parquet'))).rows,
  };
}

const sets = [
  {
    name: 'recorded',
    skip: shared === undefined,
    fill: async (folder: string): Promise<void> => {
      for (const name of Object.values(names))
        await copyFile(sharedFile('data/hyperliquid', name), path.join(folder, name));
    },
  },
  { name: 'generated', skip: false, fill: generate },
];

for (const set of sets)
  describe.skipIf(set.skip)(`hyperliquid on ${set.name} data${set.skip ? `: ${whyNoShared}` : ''}`, () => {
    let run: Run;
    let lines: readonly (readonly string[])[];
    beforeAll(async () => {
      const folder = path.join(await temporaryFolder(), 'data');
      await mkdir(folder);
      await set.fill(folder);
      const text = await readFile(path.join(folder, names.accounts), 'utf8');
      lines = text
        .trim()
        .split(/\r?\n/)
        .slice(1)
        .map((line) => line.split(','));
      run = await runExperiment(folder);
    });

    it('ends well, with a report, its figures and an answer that claims nothing of two accounts', async () => {
      expect(run.result, run.result.err).toMatchObject({ code: 0 });
      const page = await readFile(run.report, 'utf8');
      const { findings, scalars } = await run.json<MetricsFile>('features', 'metrics.json');
      expect(findings?.[0]).toMatchObject({ verdict: 'undecided', n: 2 });
      expect(page).toContain(findings?.[0]?.headline);
      expect(page).not.toContain('No answer.');
      expect(scalars['lastDate.wallets']).toBe(2);
      const figures = await run.json<Figure[]>('features', 'figures.json');
      expect(figures.map(({ id }) => id)).toEqual(['known-of-wallets', 'largest-perpetual-wallets']);
      for (const { title } of figures) expect(page).toContain(title);
    });

    it('adds up fills, profit and fees as a sum over the lines does', async () => {
      const rows = await run.rows('features');
      const last = Math.max(...rows.map((row) => (row['asOf'] as Date).getTime()));
      for (const row of rows.filter((one) => (one['asOf'] as Date).getTime() === last)) {
        const own = lines.filter((line) => {
          const [day, month, year, hour, minute] = (line[6] as string).split(/[- :]/).map(Number) as [
            number,
            number,
            number,
            number,
            number,
          ];
          return line[0] === row['wallet'] && Date.UTC(year, month - 1, day, hour, minute) - 5.5 * 3_600_000 < last;
        });
        const sum = (column: number): number => own.reduce((total, line) => total + Number(line[column]), 0);
        const spot = own.some((line) => line[1]?.startsWith('@') && line[5] === 'BUY');
        expect(row).toMatchObject({
          fillCount: own.length,
          positionChainShare: 1,
          slippageMean: null,
          counterpartyCount: null,
        });
        expect(row['closedPnlUsd']).toBeCloseTo(sum(9), 2);
        // Fees of purchases on spot are in coins, so the column adds up to no amount.
        if (!spot) expect(row['feesUsd']).toBeCloseTo(sum(13), 4);
        expect(row['makerShare']).not.toBeNull();
        // The spreadsheet rounds dollars to cents.
        expect(Math.abs((row['totalUsd'] as number) - sum(4))).toBeLessThan(0.005 * own.length + 1e-6);
      }
    });

    it('knows what the trade among the messages would have cost by the book before it', async () => {
      const rows = await run.rows('traders');
      const taker = rows.find((row) => row['makerShare'] === 0);
      const maker = rows.find((row) => row['makerShare'] === 1);
      expect(rows).toHaveLength(2);
      expect(taker?.['bookWalkBps']).toBeGreaterThan(0);
      expect(maker).toMatchObject({ bookWalkBps: null, counterpartyCount: 1 });
      if (set.name === 'generated') {
        // 1 at 101 and 1 at 102 against a middle of 100.
        expect(taker?.['bookWalkBps']).toBeCloseTo(150, 9);
        expect(taker?.['depthShareMean']).toBeCloseTo(0.2, 9);
      } else {
        // 40 at the best bid of 0.27899, against 0.279 offered; five levels of bids hold 6,964.
        expect(taker?.['bookWalkBps']).toBeCloseTo((1e4 * 0.000005) / 0.278995, 6);
        expect(taker?.['depthShareMean']).toBeCloseTo(40 / 6964, 9);
      }
    });

    it('accounts for every record of every file', async () => {
      for (const stage of ['accounts', 'capture', 'messages']) {
        const { quality } = await run.json<MetricsFile>(stage, 'metrics.json');
        for (const one of quality ?? []) expect(one.rowsKept + one.duplicates.count, one.source).toBe(one.rowsRead);
      }
    });
  });
