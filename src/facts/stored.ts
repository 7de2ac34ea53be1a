/**
 * From stored trades (tables/parquet/stored.ts) to rows on their way to the buckets of their wallets, without a database:
 * each group of rows has its names in dictionaries, so that a name is looked up once a group and not once a trade.
 */
import { copyFile } from 'node:fs/promises';
import path from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { areReadDirect } from '../tables/direct.ts';
import { type Duck, quote } from '../tables/duck.ts';
import type { JobPool } from '../tables/jobs.ts';
import { readStored, type StoredFile } from '../tables/parquet/stored.ts';
import { parquetFiles } from '../tables/parquet-files.ts';
import { streamArrays } from '../tables/stream.ts';
import type { TokenLists } from './lay-work.ts';
import { factFiles } from './layout.ts';
import type { FactsOptions } from './make.ts';
import { MergedNames } from './merged-names.ts';
import { tokenLists } from './name-tables.ts';
import openNameWork, { type GroupNames, type NameShared } from './name-work.ts';
import { bucketBounds, bucketsOf } from './read.ts';
import openRouteStoredWork, {
  type RouteStoredJob,
  type RouteStoredShared,
  type StoredNumbers,
} from './route-stored-work.ts';
import type { Sent } from './sort.ts';
import type { GroupOfFile } from './stored-columns.ts';
import { type KnownNames, readTradeNames } from './trade-names.ts';

const naming = { open: openNameWork, url: new URL('./name-work.js', import.meta.url), database: false, jobsAtOnce: 2 };
const routeStored = {
  open: openRouteStoredWork,
  url: new URL('./route-stored-work.js', import.meta.url),
  database: false,
};

/** Trades that a thread takes at a time. */
const JOB_ROWS = 1_000_000;

/** Thrown where the trades are not as they must be for this way. */
const unusual = new Error('the trades are laid out in another way');

/**
 * Writes the names that trades have, and sends the trades on their way; undefined, and nothing that counts is written,
 * where the trades were not stored by `writeEncoded`, lack a name or use one in two ways.
 */
export async function sendStored(
  duck: Duck,
  pool: JobPool,
  trades: string,
  folder: string,
  options: FactsOptions,
): Promise<Sent | undefined> {
  const files: StoredFile[] = [];
  for (const file of parquetFiles(trades)) {
    const stored = await readStored(file);
    if (stored === undefined) return undefined;
    files.push(stored);
  }
  const groups = files.flatMap(({ groups: own, ...file }) => own.map((group): GroupOfFile => ({ ...file, group })));
  const direct = areReadDirect(files, options.cachedBytes);
  const known = await readTradeNames(trades, files);
  const named =
    known === undefined
      ? await numberNames(pool, groups, { direct }, folder, options)
      : await takeNames(duck, known, folder, options);
  if (named === undefined) return undefined;
  const { numbers, numberings, buckets, tokens } = named;
  const jobs = jobsOf(groups, numbers, options);
  const shared: RouteStoredShared = {
    numberings,
    buckets,
    mostRows: groups.reduce((most, { group }) => Math.max(most, group.rows), 0),
    direct,
  };
  const routing = pool.run(routeStored, shared, jobs);
  // Whoever waits for it is told; and the threads get their jobs before this one is busy.
  routing.catch(() => undefined);
  await nextTurn();
  await named.write();
  const routed = await routing;
  return { routed, files: jobs.map(({ target }) => target), buckets, tokens };
}

/** Numbers of all names. */
interface Named extends Pick<RouteStoredShared, 'numberings' | 'buckets'> {
  /** By group of rows. */
  readonly numbers: readonly StoredNumbers[];
  readonly tokens: TokenLists;
  /** Writes the tables of names. */
  write(): Promise<void>;
}

/** Takes the names that stand beside the trades. */
async function takeNames(
  duck: Duck,
  { tables, numbers }: KnownNames,
  folder: string,
  { bucketFills }: FactsOptions,
): Promise<Named> {
  const files = factFiles(folder);
  for (const name of ['wallets', 'markets', 'tokens'] as const) await copyFile(tables[name], files[name]);
  return {
    numbers,
    numberings: undefined,
    buckets: await bucketBounds(duck, folder, bucketFills),
    tokens: await readTokenLists(duck, folder),
    write: () => Promise.resolve(),
  };
}

async function readTokenLists(duck: Duck, folder: string): Promise<TokenLists> {
  const tokens = `read_parquet(${quote(factFiles(folder).tokens)})`;
  const [counted] = await duck.rows<{ count: number }>(`SELECT count(*)::DOUBLE AS count FROM ${tokens}`);
  const markets = new Int32Array(counted?.count ?? 0);
  let token = 0;
  const sql = `SELECT market::INTEGER FROM ${tokens} ORDER BY token`;
  await streamArrays(duck, sql, markets.length, ([some], rows) => {
    markets.set((some as Int32Array).subarray(0, rows), token);
    token += rows;
  });
  return tokenLists(markets);
}

/** Numbers all names; undefined if they are used in another way than this one knows. */
async function numberNames(
  pool: JobPool,
  groups: readonly GroupOfFile[],
  shared: NameShared,
  folder: string,
  options: FactsOptions,
): Promise<Named | undefined> {
  const names = new MergedNames();
  const numbers: StoredNumbers[] = [];
  const take = (group: GroupNames | undefined): void => {
    if (group === undefined || !names.take(group)) throw unusual;
    numbers.push(group.numbers);
  };
  const jobs = groups.map((group, i) => ({ ...group, numbers: path.join(options.scratch, `numbers-${i}`) }));
  try {
    await pool.run(naming, shared, jobs, { take });
  } catch (error) {
    if (error === unusual) return undefined;
    throw error;
  }
  const totals = names.addUp();
  return {
    numbers,
    numberings: names.shared(),
    buckets: bucketsOf(totals.fills, options.bucketFills),
    tokens: names.tables.tokenLists(),
    write: () => names.tables.write(factFiles(folder), totals),
  };
}

/** Groups that follow each other, some at a time. */
function jobsOf(
  groups: readonly GroupOfFile[],
  numbers: readonly StoredNumbers[],
  { scratch, jobRows = JOB_ROWS }: FactsOptions,
): RouteStoredJob[] {
  const jobs: RouteStoredJob[] = [];
  let own: RouteStoredJob['groups'][number][] = [];
  let rows = 0;
  groups.forEach((group, i) => {
    own.push({ group, numbers: numbers[i] as StoredNumbers });
    rows += group.group.rows;
    if (rows < jobRows && i < groups.length - 1) return;
    jobs.push({ groups: own, target: path.join(scratch, `rows-${jobs.length}`) });
    [own, rows] = [[], 0];
  });
  return jobs;
}
