/**
 * Settles every position of every wallet: one pass over fills and flows in exact whole numbers, in buckets of wallets.
 *
 * Nothing from `asOf` on is used: no later fill, flow or price, and no outcome that was not knowable before it.
 */
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { factFiles, factTable } from '../../facts/layout.ts';
import { type FactsOptions, factsOf } from '../../facts/make.ts';
import { type Bucket, bucketBounds } from '../../facts/read.ts';
import { type BucketModule, runBuckets } from '../../facts/run-buckets.ts';
import { type Duck, quote } from '../../tables/duck.ts';
import { parquetRelation, partFile } from '../../tables/parquet-files.ts';
import openBuckets, { type BucketRows, type SettleBuckets } from './bucket.ts';
import { writeFlows } from './flow-file.ts';
import { numberAll, type Sizes, writeNames } from './numbering.ts';
import type { FeeRules } from './pricing.ts';
import { readKnowledge } from './read-knowledge.ts';
import { openSources, type SettlementSources } from './sources.ts';
import { Totals, totalsMemory } from './totals.ts';

export interface SettlementOptions {
  /** Microseconds; undefined: all there is. */
  readonly asOf?: number | undefined;
  readonly fees: FeeRules;
  /** Fills in a bucket; the least that a part of the ledger is made of. */
  readonly bucketFills?: number | undefined;
}

export interface SettlementInputs extends SettlementSources {
  /** Canonical trades; and if they are made already, the folder of their facts. */
  readonly trades: string;
  readonly facts?: string | undefined;
}

/** Where the results go. */
export interface SettlementOutputs {
  readonly ledger: string;
  /** History of realised profit; undefined: not asked for. */
  readonly history?: string | undefined;
  /** Folder of what the numbers of wallets, markets and tokens stand for; undefined: the tables have names instead. */
  readonly names?: string | undefined;
}

export interface SettlementMeans {
  readonly threads: number;
  /** For the databases of the worker threads together. */
  readonly memoryMb: number;
  readonly scratch: string;
  /** Called after each bucket; what it throws stops the settlement. */
  readonly progress: (done: number, total: number) => void;
}

export interface SettlementResult extends Sizes {
  readonly rows: number;
  readonly historyRows: number;
  readonly totals: Totals;
  /** Cash of all fills and flows, whole 1e-6 USD, summed by the database. */
  readonly cash: bigint;
  /** Cash of all rows that were written. */
  readonly ledgerCash: bigint;
}

const work: BucketModule<SettleBuckets, BucketRows> = {
  open: openBuckets,
  url: new URL('./bucket.js', import.meta.url),
};

const BUCKET_FILLS = 500_000;
/** Names of parts have three digits. */
const MOST_PARTS = 999;

/** Writes the ledger, and what else is asked for, as Parquet: one file, or a folder of parts if there are several buckets. */
export async function settleMarkets(
  duck: Duck,
  inputs: SettlementInputs,
  { asOf, fees, bucketFills }: SettlementOptions,
  outputs: SettlementOutputs,
  { threads, memoryMb, scratch, progress }: SettlementMeans,
): Promise<SettlementResult> {
  await openSources(duck, inputs, asOf);
  const facts = inputs.facts ?? path.join(scratch, 'facts');
  if (inputs.facts === undefined) await makeFacts(duck, inputs.trades, facts, { threads, memoryMb, scratch });
  const sizes = await numberAll(duck, facts, asOf);
  const names = outputs.names ?? path.join(scratch, 'names');
  await mkdir(names, { recursive: true });
  await writeNames(duck, facts, sizes, names);
  const flows = sizes.flows === 0 ? undefined : path.join(scratch, 'flows.parquet');
  if (flows !== undefined) await writeFlows(duck, facts, asOf, flows);
  const knowledge = await readKnowledge(duck, facts, sizes, asOf);
  const buckets = await bucketsOf(duck, facts, sizes, bucketFills ?? BUCKET_FILLS);
  const memories = Array.from({ length: threads }, () => totalsMemory(sizes.markets));
  const ledger = await partsOf(outputs.ledger, buckets.length);
  const history = outputs.history === undefined ? undefined : await partsOf(outputs.history, buckets.length);
  const rows = await runBuckets(
    work,
    {
      facts,
      flows,
      knowledge,
      options: { asOf: asOf ?? Number.POSITIVE_INFINITY, fees },
      totals: memories,
      taken: new Int32Array(new SharedArrayBuffer(4)),
      ledger,
      history,
      names: outputs.names === undefined ? names : undefined,
    },
    buckets,
    { threads, memoryMb, scratch, progress },
  );
  const totals = new Totals(totalsMemory(sizes.markets));
  for (const memory of memories) totals.take(memory);
  const sum = (of: 'ledger' | 'history'): number => rows.reduce((all, row) => all + row[of], 0);
  return {
    ...sizes,
    rows: sum('ledger'),
    historyRows: sum('history'),
    totals,
    cash: await cashOf(duck, facts, asOf),
    ledgerCash: await whole(duck, `SELECT sum(cashUsd) * 1000000 FROM ${parquetRelation(outputs.ledger)}`),
  };
}

/** Facts of the trades, of which there may be none: wallets may have flows only. */
async function makeFacts(duck: Duck, trades: string, folder: string, options: FactsOptions): Promise<void> {
  const [counted] = await duck.rows<{ rows: number }>(
    `SELECT count(*)::DOUBLE AS "rows" FROM ${parquetRelation(trades)}`,
  );
  if (counted?.rows !== 0) {
    await factsOf(duck, trades, folder, options);
    return;
  }
  const files = factFiles(folder);
  const columns = {
    [files.facts]: 'wallet, seq, market, token, "time", usd, shares, fee, flags, counterparty',
    [files.wallets]: 'wallet, address, fills',
    [files.markets]: 'market, name, eventName',
    [files.tokens]: 'token, market, name, outcome',
  };
  await mkdir(folder, { recursive: true });
  for (const [file, names] of Object.entries(columns)) {
    const typed = names
      .split(', ')
      .map((name) => `NULL::${/name|address/i.test(name) ? 'VARCHAR' : 'INTEGER'} AS ${name}`);
    await duck.run(`COPY (SELECT ${typed.join(', ')} WHERE false) TO ${quote(file)} (FORMAT parquet)`);
  }
}

/** Buckets of the wallets that trade before `asOf`; those that only have flows are in the last one. */
async function bucketsOf(duck: Duck, facts: string, sizes: Sizes, size: number): Promise<Bucket[]> {
  const wallets = `read_parquet(${quote(factFiles(facts).wallets)})`;
  const fillsOf = async (from: number, to: number): Promise<number> => {
    const [sum] = await duck.rows<{ fills: number }>(
      `SELECT coalesce(sum(fills), 0)::DOUBLE AS fills FROM ${wallets} WHERE wallet >= ${from} AND wallet < ${to}`,
    );
    return sum?.fills ?? 0;
  };
  const least = Math.max(size, Math.ceil((await fillsOf(0, sizes.filling)) / (MOST_PARTS - 1)));
  const all = (await bucketBounds(duck, facts, least)).filter(({ from }) => from < sizes.filling);
  const last = all.pop()?.from ?? 0;
  // Numbers from `filling` on stand for wallets of flows; what facts have by those numbers lies after `asOf`.
  return [...all, { from: last, to: sizes.wallets, fills: await fillsOf(last, sizes.wallets) }];
}

/** The one file of a table, or the files of its folder. */
async function partsOf(table: string, count: number): Promise<string[]> {
  if (count === 1) return [table];
  await mkdir(table, { recursive: true });
  return Array.from({ length: count }, (_, index) => partFile(table, index));
}

/** Cash of all fills and flows, straight from them. */
async function cashOf(duck: Duck, facts: string, asOf: number | undefined): Promise<bigint> {
  const before = asOf === undefined ? '' : `WHERE "time" < ${asOf}`;
  return whole(
    duck,
    `SELECT coalesce((SELECT sum(CASE WHEN flags & 1 = 1 THEN -usd ELSE usd END) FROM ${factTable(facts)} ${before}), 0)
       + coalesce((SELECT sum(usd::DECIMAL(38, 6) * 1000000)::HUGEINT FROM moves), 0)`,
  );
}

async function whole(duck: Duck, query: string): Promise<bigint> {
  const [row] = await duck.rows<{ whole: string }>(`SELECT coalesce((${query}), 0)::HUGEINT::VARCHAR AS whole`);
  return BigInt(row?.whole ?? '0');
}
