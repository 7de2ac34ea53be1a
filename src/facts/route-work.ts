/** Work of one thread on some of the trades: puts numbers in place of names, and sends the rows to their buckets. */
import type { FileHandle } from 'node:fs/promises';
import { FathomError } from '../errors.ts';
import { type Kernels, makeKernels, type Pointer } from '../kernels/kernels.ts';
import { withDirect } from '../tables/direct.ts';
import { type Duck, quote } from '../tables/duck.ts';
import type { JobTools, JobWork } from '../tables/jobs.ts';
import { readRaw } from '../tables/stream.ts';
import { faultSql } from './check.ts';
import { OUTCOME_UNKNOWN, ROLE_MAKER, ROLE_TAKER, ROLE_UNKNOWN } from './layout.ts';
import type { Bucket } from './read.ts';
import { BATCH, type Routed, Router, WIDE } from './router.ts';

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

/** Stands for a fee that is not known; see the kernels. */
const NO_FEE = '-999999999999.999999';

export default async function openRouteWork(
  shared: RouteShared,
  { duck }: JobTools,
): Promise<JobWork<RouteJob, Routed>> {
  await duck.run(shared.prepare);
  const kernels = makeKernels();
  const wallets = await loadKeys(duck, kernels, shared.wallets);
  const tokens = await loadKeys(duck, kernels, shared.tokens);
  const router = new Router(kernels, shared.buckets, BATCH);

  const route = async (relations: readonly string[], file: FileHandle): Promise<Routed> => {
    router.begin();
    const flush = async (): Promise<void> => {
      kernels.numberTrades(router.trades, router.filled, wallets, tokens);
      await router.flush(file);
    };
    for (const relation of relations)
      await readRaw(duck, queryOf(relation, shared.keys), async (chunk, count) => {
        if (router.filled + count > router.capacity) await flush();
        const memory = new Uint8Array(kernels.memory.buffer);
        WIDE.forEach((name, c) => {
          memory.set(chunk[c] as Uint8Array, router.column(name));
        });
        memory.set(chunk[WIDE.length] as Uint8Array, router.flags());
        router.filled += count;
      });
    await flush();
    return router.result();
  };
  return ({ relations, target }) => withDirect(target, 'w', (file) => route(relations, file));
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
