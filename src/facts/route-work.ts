/**
 * Work of one thread on some of the trades: puts numbers in place of names, and writes the rows to a file, batch by
 * batch, in each batch those of the first bucket of wallets first.
 */
import type { FileHandle } from 'node:fs/promises';
import { FathomError } from '../errors.ts';
import { type Kernels, makeKernels, type Pointer } from '../kernels/kernels.ts';
import { aligned, withDirect } from '../tables/direct.ts';
import { type Duck, quote } from '../tables/duck.ts';
import type { JobTools, JobWork } from '../tables/jobs.ts';
import { readRaw } from '../tables/stream.ts';
import { faultSql } from './check.ts';
import { ROW_BYTES } from './lay-work.ts';
import { OUTCOME_UNKNOWN, ROLE_MAKER, ROLE_TAKER, ROLE_UNKNOWN } from './layout.ts';
import type { Bucket } from './read.ts';

/** Trades that are numbered in one go. */
export interface RouteJob {
  /** SQL of relations of trades, to be read one after the other. */
  readonly relations: readonly string[];
  /** Where the rows go. */
  readonly target: string;
}

/** How trades are told from their names. */
export interface NameKeys {
  /** SQL, for trades `t`, of whole numbers of 64 bits that stand for the wallet, the other side and the token. */
  readonly wallet: string;
  readonly other: string;
  readonly token: string;
  /** SQL that adds to the trades what these need, and leaves them in their order. */
  readonly joins: string;
}

export interface RouteShared {
  readonly keys: NameKeys;
  /** Parquet of wallets, `key` and `number`, and of tokens. */
  readonly wallets: string;
  readonly tokens: string;
  /** Statements that make what `keys` refers to. */
  readonly prepare: string;
  readonly buckets: readonly Bucket[];
}

/** What became of the trades of a job. */
export interface Routed {
  readonly rows: number;
  /** True if something is wrong with them. */
  readonly faulty: boolean;
  /** Of the first and of the last trade; times in microseconds. */
  readonly firstSeq: number;
  readonly lastSeq: number;
  readonly first: number;
  readonly last: number;
  /** By batch, where it begins in the file, in bytes, and the rows of each bucket. */
  readonly batches: readonly { readonly from: number; readonly rows: Int32Array }[];
}

/** Trades in a batch. */
const BATCH = 1 << 18;

/** Columns of a chunk of trades, in the order in which `Trades` of the kernels has them. */
const WIDE = ['seq', 'time', 'usd', 'shares', 'fee', 'wallet', 'other', 'token'] as const;

/** Stands for a fee that is not known; see the kernels. */
const NO_FEE = '-999999999999.999999';

/** Places of the fields of `Trades`, in words of four bytes. */
const at = { faulty: 0, disordered: 1, unknown: 2, columns: 3, flags: 11, rows: 12, counts: 13 } as const;

export default async function openRouteWork(
  shared: RouteShared,
  { duck }: JobTools,
): Promise<JobWork<RouteJob, Routed>> {
  await duck.run(shared.prepare);
  const kernels = makeKernels();
  const wallets = await loadKeys(duck, kernels, shared.wallets);
  const tokens = await loadKeys(duck, kernels, shared.tokens);
  const { buckets } = shared;
  const known = buckets.at(-1)?.to ?? 0;
  const bucketOf = kernels.allocate(4 * known);
  const trades = kernels.makeTrades(BATCH, buckets.length);
  const places = new Int32Array(kernels.memory.buffer, bucketOf, known);
  buckets.forEach(({ from, to }, bucket) => {
    places.fill(bucket, from, to);
  });
  const words = (): Uint32Array => new Uint32Array(kernels.memory.buffer, trades, 14);
  const columns = WIDE.map((_, i) => words()[at.columns + i] as Pointer);
  const flags = words()[at.flags] as Pointer;

  const number = (column: Pointer, row: number): number =>
    Number(new BigInt64Array(kernels.memory.buffer, column + 8 * row, 1)[0]);
  const isSound = (): boolean =>
    words()
      .subarray(0, at.columns)
      .every((count) => count === 0);

  const route = async (relations: readonly string[], file: FileHandle): Promise<Routed> => {
    const batches: { from: number; rows: Int32Array }[] = [];
    let [rows, filled, end] = [0, 0, 0];
    let [firstSeq, lastSeq, first, last] = [Number.NaN, Number.NaN, Number.NaN, Number.NaN];
    const [seqs, times] = columns as [Pointer, Pointer];
    const flush = async (): Promise<void> => {
      if (filled === 0) return;
      if (rows === 0) [firstSeq, first] = [number(seqs, 0), number(times, 0)];
      [lastSeq, last] = [number(seqs, filled - 1), number(times, filled - 1)];
      rows += filled;
      kernels.numberTrades(trades, filled, wallets, tokens);
      kernels.routeTrades(trades, filled, bucketOf, buckets.length);
      if (isSound()) {
        const [start, counts] = [words()[at.rows] as Pointer, words()[at.counts] as Pointer];
        // Whole pages: what lies behind the rows is read by nobody.
        const bytes = new Uint8Array(kernels.memory.buffer, start, aligned(filled * ROW_BYTES));
        await writeAll(file, bytes, end);
        batches.push({ from: end, rows: new Int32Array(kernels.memory.buffer, counts, buckets.length).slice() });
        end += bytes.length;
      }
      filled = 0;
    };
    kernels.beginTrades(trades);
    for (const relation of relations)
      await readRaw(duck, queryOf(relation, shared.keys), async (chunk, count) => {
        if (filled + count > BATCH) await flush();
        const memory = new Uint8Array(kernels.memory.buffer);
        columns.forEach((column, c) => {
          memory.set(chunk[c] as Uint8Array, column + 8 * filled);
        });
        memory.set(chunk[WIDE.length] as Uint8Array, flags + filled);
        filled += count;
      });
    await flush();
    return { rows, faulty: !isSound(), firstSeq, lastSeq, first, last, batches };
  };
  return ({ relations, target }) => withDirect(target, 'w', (file) => route(relations, file));
}

async function writeAll(file: FileHandle, bytes: Uint8Array, from: number): Promise<void> {
  for (let done = 0; done < bytes.length; )
    done += (await file.write(bytes, done, bytes.length - done, from + done)).bytesWritten;
}

function queryOf(relation: string, keys: NameKeys): string {
  const money = (name: string): string => `t.${name}::DECIMAL(18, 6)`;
  return `SELECT t.seq::BIGINT, t."time"::TIMESTAMP, ${money('usd')}, ${money('shares')}, coalesce(${money('fee')}, ${NO_FEE}),
      (${keys.wallet})::UBIGINT, (${keys.other})::UBIGINT, (${keys.token})::UBIGINT,
      ((coalesce(t.side, '') = 'BUY')::INTEGER + 2 * coalesce(t.outcomeIndex, ${OUTCOME_UNKNOWN})
        + 8 * CASE t.role WHEN 'taker' THEN ${ROLE_TAKER} WHEN 'maker' THEN ${ROLE_MAKER} ELSE ${ROLE_UNKNOWN} END
        + CASE WHEN ${faultSql('t')} THEN 128 ELSE 0 END)::UTINYINT
    FROM ${relation} t ${keys.joins}`;
}

/** Reads keys and numbers into a table of the kernels. */
async function loadKeys(duck: Duck, kernels: Kernels, parquet: string): Promise<Pointer> {
  const file = `read_parquet(${quote(parquet)})`;
  const [found] = await duck.rows<{ count: number }>(`SELECT count(*)::DOUBLE AS count FROM ${file}`);
  if (found === undefined) throw new FathomError('internal', 'a count gives no row');
  const table = kernels.makeNumbers(found.count);
  const [keys, numbers] = [kernels.allocate(1 << 16), kernels.allocate(1 << 16)];
  await readRaw(duck, `SELECT key::UBIGINT, number::INTEGER FROM ${file}`, (chunk, count) => {
    const memory = new Uint8Array(kernels.memory.buffer);
    memory.set(chunk[0] as Uint8Array, keys);
    memory.set(chunk[1] as Uint8Array, numbers);
    kernels.addNumbers(table, keys, numbers, count);
  });
  return table;
}
