/** Settles the wallets of one bucket and writes their rows: what worker threads of a settlement do. */
import path from 'node:path';
import { FactReader } from '../../facts/fact-reader.ts';
import type { Bucket } from '../../facts/read.ts';
import type { BucketTools, BucketWork } from '../../facts/run-buckets.ts';
import { copySql, type Duck, identifier, quote } from '../../tables/duck.ts';
import { MadeRows } from '../../tables/made-rows.ts';
import { noFlows, readFlows } from './flow-file.ts';
import type { Knowledge } from './knowledge.ts';
import { described, historyColumns, ledgerColumns, type NumberColumn } from './ledger.ts';
import { type FactsRead, factsRead, Pass, type PassOptions } from './pass.ts';
import type { TotalsMemory } from './totals.ts';

export interface SettleBuckets {
  /** Folder of facts. */
  readonly facts: string;
  /** File of `writeFlows`; undefined: there are none. */
  readonly flows: string | undefined;
  readonly knowledge: Knowledge;
  readonly options: PassOptions;
  /** One for each worker, and the number of those taken. */
  readonly totals: readonly TotalsMemory[];
  readonly taken: Int32Array;
  /** Paths of the parts of the ledger and of the history by number of the bucket. */
  readonly ledger: readonly string[];
  readonly history: readonly string[] | undefined;
  /** Folder of names to write in place of numbers. */
  readonly names: string | undefined;
}

/** Rows of ledger and history. */
export interface BucketRows {
  readonly ledger: number;
  readonly history: number;
}

export default async function openBuckets(
  shared: SettleBuckets,
  { duck }: BucketTools,
): Promise<BucketWork<BucketRows>> {
  const memory = shared.totals[Atomics.add(shared.taken, 0, 1)] as TotalsMemory;
  const pass = new Pass(shared.knowledge, shared.options, memory);
  if (shared.names !== undefined) await readNames(duck, shared.names);
  const ledger = new MadeRows(duck, 'ledger_rows', ledgerColumns);
  const history = shared.history === undefined ? undefined : new MadeRows(duck, 'history_rows', historyColumns);
  const reader = new FactReader(shared.facts);
  let facts: FactsRead | undefined;
  return async (bucket, index) => {
    if (bucket.fills > 0) facts = await reader.read(bucket, factsRead, facts);
    const flows = shared.flows === undefined ? noFlows : await readFlows(duck, shared.flows, bucket);
    const fills = bucket.fills > 0 && facts !== undefined ? facts : noFills;
    const wallets = pass.run(fills, flows, ledger, history);
    const named = shared.names === undefined ? undefined : bucket;
    const copied = (table: string, columns: readonly NumberColumn[], files: readonly string[]): string =>
      copyOf(table, columns, named, files[index] as string);
    // The rows of the history come along with those of the ledger, and wait.
    return {
      ledger: await ledger.feed(copied('ledger_rows', ledgerColumns, shared.ledger), () => !wallets.next().done),
      history: (await history?.feed(copied('history_rows', historyColumns, shared.history ?? []))) ?? 0,
    };
  };
}

const noFills = { rows: 0, ...Object.fromEntries(factsRead.map((name) => [name, []])) } as unknown as FactsRead;

async function readNames(duck: Duck, folder: string): Promise<void> {
  const file = (name: string): string => `read_parquet(${quote(path.join(folder, `${name}.parquet`))})`;
  await duck.run(`CREATE VIEW wallet_names AS FROM ${file('wallets')};
    CREATE TABLE names AS SELECT (SELECT list(name ORDER BY market) FROM ${file('markets')}) AS markets,
      (SELECT list(name ORDER BY token) FROM ${file('tokens')}) AS tokens`);
}

/** Looking for larger dictionaries takes a third more time, and saves no bytes. */
const DICTIONARY_LIMIT = 3000;

/**
 * SQL that writes the rows of a table function in their order, with names in place of numbers if a bucket says which
 * wallets there are.
 */
function copyOf(table: string, columns: readonly NumberColumn[], named: Bucket | undefined, file: string): string {
  const rest = columns.slice(3).map(({ name }) => `r.${identifier(name)}`);
  // Numbers are places in lists of names, beside all rows: looking them up in tables would not keep the order.
  const query =
    named === undefined
      ? `FROM ${table}()`
      : `SELECT wallets[r.wallet - ${named.from - 1}] AS wallet, markets[r.market + 1] AS market,
           tokens[r.token + 1] AS token, ${rest.join(', ')}
         FROM ${table}() r, names, (SELECT list(address ORDER BY wallet) AS wallets FROM wallet_names
           WHERE wallet >= ${named.from} AND wallet < ${named.to})`;
  return copySql(query, file, described(columns, named !== undefined), DICTIONARY_LIMIT);
}
