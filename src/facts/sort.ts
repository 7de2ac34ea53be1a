/**
 * Lays the rows of each bucket of wallets wallet by wallet. Trades come in order of seq, so that nothing is compared:
 * facts are sorted without a sort.
 */
import { mkdir } from 'node:fs/promises';
import { FathomError } from '../errors.ts';
import { LARGE_FILE_BYTES } from '../tables/direct.ts';
import type { Duck } from '../tables/duck.ts';
import type { JobPool } from '../tables/jobs.ts';
import { parquetRelation } from '../tables/parquet-files.ts';
import { checkTrades, type Extent } from './check.ts';
import openLayWork, { type LayJob, type TokenLists } from './lay-work.ts';
import { factFiles, factPart } from './layout.ts';
import type { FactsOptions } from './make.ts';
import { piecesOf } from './packed-rows.ts';
import type { Bucket } from './read.ts';
import type { Routed } from './router.ts';

const laying = { open: openLayWork, url: new URL('./lay-work.js', import.meta.url), database: false, jobsAtOnce: 2 };

/** What a fact takes in its file. */
const FACT_BYTES = 21;

/** Trades on their way to facts: rows with numbers in place of names, by bucket. */
export interface Sent {
  /** What became of the trades of each job, in their order, and the files of their rows. */
  readonly routed: readonly Routed[];
  readonly files: readonly string[];
  readonly buckets: readonly Bucket[];
  readonly tokens: TokenLists;
}

/** Writes the facts. Stops if something is wrong with a trade. */
export async function layFacts(
  duck: Duck,
  pool: JobPool,
  trades: string,
  folder: string,
  sent: Sent,
  { cachedBytes = LARGE_FILE_BYTES }: FactsOptions,
): Promise<Extent> {
  const { buckets, routed } = sent;
  const extent = await extentOf(duck, trades, sent);
  const { facts } = factFiles(folder);
  if (buckets.length > 1) await mkdir(facts, { recursive: true });
  const batches = routed.map((job) => job.batches);
  const files = piecesOf(buckets.length, batches, sent.files);
  const lays = buckets.map(
    (bucket, index): LayJob => ({
      bucket,
      files: files[index] ?? [],
      target: buckets.length > 1 ? factPart(folder, bucket.from) : facts,
    }),
  );
  const direct = FACT_BYTES * extent.rows > cachedBytes;
  const written = await pool.run(laying, { ...sent.tokens, direct }, lays);
  const rows = written.reduce((sum, count) => sum + count, 0);
  if (rows !== extent.rows)
    throw new FathomError('internal', `${rows} facts were made of ${extent.rows} trades of ${trades}`);
  return extent;
}

/** The extent of the trades; stops if they are not what they should be. */
async function extentOf(duck: Duck, trades: string, { routed, buckets }: Sent): Promise<Extent> {
  const some = routed.filter(({ rows }) => rows > 0);
  const rows = some.reduce((sum, job) => sum + job.rows, 0);
  const ordered = some.every((job, i) => {
    const before = some[i - 1];
    return before === undefined || (job.firstSeq > before.lastSeq && job.first >= before.last);
  });
  const [first, last] = [some[0], some.at(-1)];
  const expected = buckets.reduce((sum, { fills }) => sum + fills, 0);
  if (first !== undefined && last !== undefined && ordered && rows === expected && !some.some(({ faulty }) => faulty))
    return { rows, first: first.first, last: last.last };
  const relation = parquetRelation(trades);
  await checkTrades(duck, relation, trades);
  throw new FathomError('internal', `${rows} of ${expected} trades were read in ${routed.length} parts of ${trades}`);
}
