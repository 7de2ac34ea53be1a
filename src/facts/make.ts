/** Makes a folder of facts from canonical trades. */
import { mkdir, rm } from 'node:fs/promises';
import path from 'node:path';
import type { Duck } from '../tables/duck.ts';
import { JobPool } from '../tables/jobs.ts';
import type { Extent } from './check.ts';
import { sendQueried } from './queried.ts';
import { layFacts } from './sort.ts';
import { sendStored } from './stored.ts';

export interface FactsOptions {
  readonly threads: number;
  /** For the databases of all threads together. */
  readonly memoryMb: number;
  /** A folder for what lies between trades and facts. */
  readonly scratch: string;
  /** SQL function of one text or two that rarely gives the same number twice. */
  readonly hash?: string | undefined;
  /** Fills of a bucket of wallets; see `bucketBounds`. */
  readonly bucketFills?: number | undefined;
  /** Trades that a thread takes at a time. */
  readonly jobRows?: number | undefined;
  /** Trades, and facts, of more bytes are read and written past the system's cache; see `areReadDirect`. */
  readonly cachedBytes?: number | undefined;
}

/**
 * Checks the trades and writes their facts into `folder`, out of core. The files have the same bytes whatever the
 * threads and the memory.
 *
 * @param trades path of canonical trades, one Parquet file or a folder of them, ordered by seq
 */
export async function factsOf(duck: Duck, trades: string, folder: string, options: FactsOptions): Promise<Extent> {
  const scratch = path.join(options.scratch, 'facts-rows');
  await mkdir(folder, { recursive: true });
  await mkdir(scratch, { recursive: true });
  const own = { ...options, scratch };
  const pool = new JobPool(own);
  try {
    const sent = (await sendStored(duck, pool, trades, folder, own)) ?? (await sendQueried(duck, trades, folder, own));
    return await layFacts(duck, pool, trades, folder, sent, options);
  } finally {
    await pool.close();
    await rm(scratch, { recursive: true, force: true });
  }
}
