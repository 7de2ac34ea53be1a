/** The shipped experiment on a day of fills: the recorded one where it is there, and a generated one of the same shape. */
import { copyFile, readdir, readFile, realpath, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Figure } from '../../src/contract/figure.ts';
import type { MetricsFile } from '../../src/contract/metrics.ts';
import { makeRng } from '../../src/random/rng.ts';
import { readParquet } from '../../src/tables/parquet.ts';
import { type CliResult, fathom } from '../support/cli.ts';
import { shared, sharedFile, whyNoShared } from '../support/shared.ts';
import { temporaryFolder } from '../support/stage.ts';

const experiment = path.resolve(import.meta.dirname, '../../experiments/polymarket-day.yaml');
/** The last date of the experiment, 23:00 UTC, on the clocks of the file. */
const lastDate = '2026-01-08 18:00:00';
const header = 'timestamp,title,size,price,side,asset,conditionId,proxyWallet,outcome';

/** Two teams by day, which do not tell their order, and coins within the last half hour; a fifth of the rows twice. */
function generatedDay(): string {
  const rng = makeRng('a day of fills');
  const hex = (n: number, digits: number): string => n.toString(16).padStart(digits, '0');
  const games = [0, 1].map((k) => ({ title: `Dota 2: Home ${k} vs Away ${k}`, sides: [`Home ${k}`, `Away ${k}`] }));
  const coins = [2, 3, 4, 5].map((k) => ({ title: `Bitcoin Up or Down, round ${k}`, sides: ['Up', 'Down'] }));
  const lines: string[] = [];
  const fill = (market: number, { title, sides }: { title: string; sides: string[] }, second: number): void => {
    const side = rng.below(2);
    const clock = [10 + Math.floor(second / 3600), Math.floor(second / 60) % 60, second % 60];
    const time = `2026-01-08 ${clock.map((part) => String(part).padStart(2, '0')).join(':')}`;
    const size = (1 + rng.below(50_000)) / 100;
    // Few make most: the number of a wallet is a square of a uniform one.
    const wallet = Math.floor(120 * rng.uniform() ** 2);
    const price = (1 + rng.below(99)) / 100;
    const asset = `${'7'.repeat(70)}${market}${side}`;
    const line = `${time},"${title}",${size},${price},${rng.uniform() < 0.7 ? 'BUY' : 'SELL'},${asset},0x${hex(market, 64)},0x${hex(wallet, 40)},${sides[side]}`;
    lines.push(line);
    if (rng.uniform() < 0.2) lines.push(line);
  };
  for (let i = 0; i < 150; i++) fill(i % 2, games[i % 2] as never, rng.below(3 * 3600));
  const opened = 7 * 3600 + 26 * 60;
  for (let i = 0; i < 700; i++) fill(2 + (i % 4), coins[i % 4] as never, opened + rng.below(34 * 60 + 30));
  // The last date is not after the last fill.
  fill(2, coins[0] as never, 8 * 3600 + 20);
  return `${[header, ...lines.sort((a, b) => (a < b ? 1 : -1))].join('\n')}\n`;
}

interface Fill {
  readonly time: string;
  readonly wallet: string;
  readonly token: string;
  readonly sign: number;
  readonly usd: number;
  readonly shares: number;
}

/** Fills in the order of (time, file), straight from the text; a quoted title may have commas. */
function fillsOf(text: string, policy: 'keep' | 'drop-exact'): Fill[] {
  const lines = text.trim().split(/\r?\n/).slice(1);
  const kept = policy === 'keep' ? lines : [...new Set(lines)];
  return kept
    .map((line): Fill => {
      const [time, , size, price, side, token, , wallet] = line.replace(/"[^"]*"/, '').split(',') as string[];
      const usd = Math.round(Number(size) * Number(price) * 1e6) / 1e6;
      const sign = side === 'BUY' ? 1 : -1;
      return {
        time: time as string,
        wallet: (wallet as string).toLowerCase(),
        token: token as string,
        sign,
        usd,
        shares: Number(size),
      };
    })
    .sort((a, b) => (a.time < b.time ? -1 : a.time > b.time ? 1 : 0));
}

/** Cash and tokens at their last price, by wallet. */
function markedByWallet(fills: readonly Fill[]): Map<string, number> {
  const price = new Map(fills.map((fill) => [fill.token, fill.usd / fill.shares]));
  const profit = new Map<string, number>();
  for (const { wallet, token, sign, usd, shares } of fills)
    profit.set(wallet, (profit.get(wallet) ?? 0) + sign * (shares * (price.get(token) as number) - usd));
  return profit;
}

const total = (profits: ReadonlyMap<string, number>): number => [...profits.values()].reduce((a, b) => a + b, 0);

interface Run {
  readonly result: CliResult;
  /** Artifacts by instance name of the stage. */
  readonly folder: (stage: string) => string;
  readonly metrics: (stage: string) => Promise<MetricsFile>;
  readonly figures: (stage: string) => Promise<Figure[]>;
  readonly report: string;
}

async function runDay(cwd: string, ...settings: string[]): Promise<Run> {
  const env = { FATHOM_POLYMARKET_DAY: path.join(cwd, 'fills.csv') };
  const result = await fathom(['run', experiment, ...settings], { cwd, env });
  // Resolved now: the next run takes the name over.
  const latest = await realpath(path.join(cwd, 'results/polymarket-day/latest'));
  const folders = await stageFolders(cwd, latest);
  const folder = (stage: string): string => {
    const found = folders.get(stage);
    if (found === undefined) throw new Error(`no artifact of ${stage}: ${result.err}`);
    return found;
  };
  const json = async (stage: string, name: string): Promise<never> =>
    JSON.parse(await readFile(path.join(folder(stage), name), 'utf8')) as never;
  return {
    result,
    folder,
    metrics: (stage) => json(stage, 'metrics.json'),
    figures: (stage) => json(stage, 'figures.json'),
    report: path.join(latest, 'report.html'),
  };
}

/** Folders of artifacts by instance name, as the plan of a run lists its tasks. */
async function stageFolders(cwd: string, run: string): Promise<Map<string, string>> {
  const folders = new Map<string, string>();
  for (const file of (await readdir(path.join(run, 'plan'))).filter((name) => name.endsWith('.jsonl')))
    for (const line of (await readFile(path.join(run, 'plan', file), 'utf8')).trim().split('\n')) {
      const task = JSON.parse(line) as { stage: string; id: string };
      folders.set(task.stage, path.join(cwd, 'results/store', task.id.slice(0, 2), task.id));
    }
  return folders;
}

const days = [
  {
    name: 'recorded',
    skip: shared === undefined,
    write: (file: string) => copyFile(sharedFile('data/polymarket/data-api-trades-2026-01-08.csv'), file),
  },
  { name: 'generated', skip: false, write: (file: string) => writeFile(file, generatedDay()) },
];

for (const day of days)
  describe.skipIf(day.skip)(`polymarket-day on the ${day.name} day${day.skip ? `: ${whyNoShared}` : ''}`, () => {
    const runs = {} as Record<'keep' | 'drop-exact', Run>;
    let text: string;
    beforeAll(async () => {
      const cwd = await temporaryFolder();
      await day.write(path.join(cwd, 'fills.csv'));
      text = await readFile(path.join(cwd, 'fills.csv'), 'utf8');
      runs.keep = await runDay(cwd);
      runs['drop-exact'] = await runDay(cwd, 'day.duplicates=drop-exact');
    });

    it('ends well under both readings of repeated rows, with a report and an answer', async () => {
      for (const policy of ['keep', 'drop-exact'] as const) {
        const run = runs[policy];
        expect(run.result, run.result.err).toMatchObject({ code: 0 });
        const page = await readFile(run.report, 'utf8');
        const [first] = (await run.metrics('profiles')).findings ?? [];
        expect(first?.metric).toContain('largest 10 %');
        expect(page).toContain(first?.headline);
        expect(page).not.toContain('No answer.');
      }
    });

    it('knows no settled profit and marks every wallet as an independent sum does', async () => {
      const totals: Record<string, number> = {};
      for (const policy of ['keep', 'drop-exact'] as const) {
        const { rows } = await readParquet(path.join(runs[policy].folder('profiles'), 'table.parquet'));
        for (const name of ['settledPnlUsd', 'edge', 'winRate', 'roi', 'makerShare'])
          expect(
            rows.every((row) => row[name] === null),
            name,
          ).toBe(true);
        expect(rows.every((row) => row['settledPositions'] === 0 && row['markedPnlUsd'] !== null)).toBe(true);
        const last = rows.filter((row) => (row['asOf'] as Date).toISOString() === '2026-01-08T23:00:00.000Z');
        const expected = markedByWallet(fillsOf(text, policy).filter((fill) => fill.time < lastDate));
        expect(last.length).toBe(expected.size);
        for (const row of last)
          expect(row['markedPnlUsd'], String(row['wallet'])).toBeCloseTo(
            expected.get(row['wallet'] as string) as number,
            3,
          );
        const { scalars } = await runs[policy].metrics('profiles');
        expect(scalars['lastDate.markedPnlUsd']).toBeCloseTo(total(expected), 1);
        totals[policy] = scalars['lastDate.markedPnlUsd'] as number;
      }
      expect(Math.abs((totals['keep'] as number) - (totals['drop-exact'] as number))).toBeGreaterThan(1);
    });

    it('shows the totals of both readings side by side, whichever is used', async () => {
      for (const policy of ['keep', 'drop-exact'] as const) {
        const [quality] = (await runs[policy].metrics('day')).quality ?? [];
        expect(quality?.duplicates.policy).toBe(policy);
        const [fills, volume, marked] = quality?.totals ?? [];
        for (const [key, reading] of [
          ['keep', 'keep'],
          ['dropExact', 'drop-exact'],
        ] as const) {
          const all = fillsOf(text, reading);
          expect(fills?.[key]).toBe(all.length);
          expect(volume?.[key]).toBeCloseTo(
            all.reduce((sum, fill) => sum + fill.usd, 0),
            2,
          );
          expect(marked?.[key]).toBeCloseTo(total(markedByWallet(all)), 1);
        }
        expect(fills?.keep).toBeGreaterThan(fills?.dropExact as number);
      }
    });

    it('shows the largest wallets with a dash for settled profit, and profit at the mark by that name', async () => {
      const figures = await runs.keep.figures('profiles');
      expect(figures.filter((figure) => figure.section === 'wallets').map((figure) => figure.id)).toEqual([
        'largest-wallets',
        'volume-concentration',
        'marked-profit',
      ]);
      const table = figures.find((figure) => figure.id === 'largest-wallets');
      if (table?.kind !== 'table') throw new Error('not a table');
      expect(table.rows.length).toBe(20);
      const volume = new Map<string, number>();
      for (const fill of fillsOf(text, 'keep').filter((one) => one.time < lastDate))
        volume.set(fill.wallet, (volume.get(fill.wallet) ?? 0) + fill.usd);
      const largest = [...volume.values()].sort((a, b) => b - a);
      table.rows.forEach((row, i) => {
        expect(row[1]).toBeCloseTo(largest[i] as number, 2);
        expect(row[4]).toBeNull();
        expect(row[5]).not.toBeNull();
      });
      const tenth = Math.ceil(0.1 * largest.length);
      const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);
      const { scalars } = await runs.keep.metrics('profiles');
      expect(scalars['volumeShare.top10']).toBeCloseTo(sum(largest.slice(0, tenth)) / sum(largest), 9);
    });
  });
