/** The shipped experiment on a day of fills: the recorded one where it is there, and a generated one of the same shape. */
import { copyFileSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Figure } from '../../src/contract/figure.ts';
import type { MetricsFile } from '../../src/contract/metrics.ts';
import { makeRng } from '../../src/random/rng.ts';
import { readParquet } from '../../src/tables/parquet.ts';
import { artifactHashes, type CliResult, fathom } from '../support/cli.ts';
import { shared, sharedFile, whyNoShared } from '../support/shared.ts';
import { temporaryFolder } from '../support/stage.ts';

const experiment = path.resolve(import.meta.dirname, '../../experiments/polymarket-day.yaml');
/** 18:00 in New York: the last date of the experiment. */
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
    const line = `${time},${title},${size},${price},${rng.uniform() < 0.7 ? 'BUY' : 'SELL'},${asset},0x${hex(market, 64)},0x${hex(wallet, 40)},${sides[side]}`;
    lines.push(line);
    if (rng.uniform() < 0.2) lines.push(line);
  };
  for (let i = 0; i < 150; i++) fill(i % 2, games[i % 2] as never, rng.below(3 * 3600));
  const opened = 7 * 3600 + 26 * 60;
  for (let i = 0; i < 700; i++) fill(2 + (i % 4), coins[i % 4] as never, opened + rng.below(34 * 60 + 30));
  // The last date is not after the last fill.
  fill(2, coins[0] as never, 8 * 3600 + 20);
  return `${[header, ...lines.sort().reverse()].join('\n')}\n`;
}

interface Fill {
  readonly time: string;
  readonly wallet: string;
  readonly token: string;
  readonly sign: number;
  readonly usd: number;
  readonly shares: number;
}

/** Fills in the order of (time, file), straight from the text; titles of these files have no commas. */
function fillsOf(text: string, policy: 'keep' | 'drop-exact'): Fill[] {
  const lines = text.trim().split(/\r?\n/).slice(1);
  const kept = policy === 'keep' ? lines : [...new Set(lines)];
  return kept
    .map((line): Fill => {
      const [time, , size, price, side, token, , wallet] = line.split(',') as string[];
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
  const latest = path.join(cwd, 'results/polymarket-day/latest');
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
