/** Work of one thread on some groups of stored trades: as route-work.ts, without a database. */
import { type FileHandle, open } from 'node:fs/promises';
import { FathomError } from '../errors.ts';
import { makeKernels, type Pointer } from '../kernels/kernels.ts';
import { Scratch } from '../kernels/scratch.ts';
import { withDirect } from '../tables/direct.ts';
import type { JobTools, JobWork } from '../tables/jobs.ts';
import { EXACT_DOLLARS } from './check.ts';
import { ROLE_MAKER, ROLE_TAKER } from './layout.ts';
import type { Bucket } from './read.ts';
import { BATCH, type Routed, Router } from './router.ts';
import { type GroupOfFile, GroupsAhead, StoredColumns } from './stored-columns.ts';

/**
 * Where the numbers are that the places in the dictionaries of a group stand for: i32, one list behind the other. They are
 * numbers of the thread that read the names, or of all.
 */
export interface StoredNumbers {
  /** A file, and where it holds those of the group, in bytes. */
  readonly path: string;
  readonly at: number;
  readonly wallets: number;
  readonly others: number;
  readonly tokens: number;
}

export interface RouteStoredJob {
  readonly groups: readonly { readonly group: GroupOfFile; readonly numbers: StoredNumbers }[];
  /** Where the rows go. */
  readonly target: string;
}

/** By number of a thread, the number of all. */
interface Numbering {
  readonly wallets: Int32Array;
  readonly tokens: Int32Array;
}

export interface RouteStoredShared {
  /** By file of the numbers of a thread, what they are among the numbers of all; undefined if they are those of all. */
  readonly numberings: Readonly<Record<string, Numbering>> | undefined;
  readonly buckets: readonly Bucket[];
  /** Rows of the largest group. */
  readonly mostRows: number;
  /** True to read past the system's cache. */
  readonly direct: boolean;
}

/** Columns of which the dictionary is needed; what the places of the others stand for is known. */
const COLUMNS = {
  whole: ['outcomeIndex', 'role', 'side'],
  values: ['seq', 'time', 'token', 'wallet', 'counterparty', 'usd', 'shares', 'fee'],
} as const;

/** What is known of a trade by the words for its role and its side. */
export const roles: Readonly<Record<string, number>> = { taker: ROLE_TAKER, maker: ROLE_MAKER };
export const sides: Readonly<Record<string, number>> = { BUY: 1, SELL: 0 };

const LARGEST_AMOUNT = BigInt(EXACT_DOLLARS) * 1_000_000n;

export default async function openRouteStoredWork(
  shared: RouteStoredShared,
  _tools: JobTools,
): Promise<JobWork<RouteStoredJob, Routed>> {
  const kernels = makeKernels();
  const ahead = new GroupsAhead();
  const columns = new StoredColumns(kernels);
  const scratch = new Scratch(kernels);
  const router = new Router(kernels, shared.buckets, Math.max(BATCH, shared.mostRows));

  /** Puts the trades of a group, which the columns are of, behind those that wait. */
  const add = async (rows: number, stored: StoredNumbers): Promise<void> => {
    scratch.begin();
    const [walletOf, otherOf, tokenOf] = await readNumbers(stored);
    const places = scratch.take(4 * rows);
    for (const name of ['seq', 'time', 'usd', 'shares'] as const) columns.numbers(name, router.column(name));
    const present = scratch.take(rows);
    /** Says which rows have a value of a column; 0 if all have. */
    const presence = (name: string): Pointer => {
      if (!columns.nullable(name)) return 0;
      columns.presence(name, present);
      return present;
    };
    const map = (name: string, numberOf: Int32Array, target: Pointer): void => {
      columns.places(name, places);
      kernels.mapPlaces(places, presence(name), rows, scratch.put(numberOf), target);
    };
    map('wallet', walletOf, router.narrow('wallet'));
    map('token', tokenOf, router.narrow('token'));
    if (columns.nulls('counterparty') < rows) map('counterparty', otherOf, router.narrow('other'));
    else scratch.ints(router.narrow('other'), rows).fill(-1);

    const fees = rows - columns.nulls('fee');
    if (fees > 0) columns.numbers('fee', router.column('fee'));
    if (fees < rows) kernels.spread(router.column('fee'), presence('fee'), rows, fees);

    const flags = router.flags();
    new Uint8Array(kernels.memory.buffer, flags, rows).fill(0);
    const mark = (name: string, flagOf: readonly number[]): void => {
      columns.places(name, places);
      kernels.addFlags(places, rows, scratch.put(Int32Array.from(flagOf)), flags);
    };
    mark(
      'side',
      columns.words('side').map((side) => sides[side] as number),
    );
    mark(
      'outcomeIndex',
      Array.from(columns.smallNumbers('outcomeIndex'), (outcome) => 2 * outcome),
    );
    mark(
      'role',
      columns.words('role').map((role) => 8 * (roles[role] as number)),
    );
    for (const name of ['usd', 'shares'] as const) kernels.markFaulty(router.column(name), rows, LARGEST_AMOUNT, flags);
    router.filled += rows;
  };

  /** The numbers among all of what the places in the dictionaries of wallets, others and tokens stand for. */
  const readNumbers = async (stored: StoredNumbers): Promise<[Int32Array, Int32Array, Int32Array]> => {
    const { wallets, others, tokens } = stored;
    const numbers = new Int32Array(wallets + others + tokens);
    const file = await open(stored.path);
    try {
      const { bytesRead } = await file.read(new Uint8Array(numbers.buffer), 0, numbers.byteLength, stored.at);
      if (bytesRead !== numbers.byteLength) throw new FathomError('internal', 'the numbers of some names are lost');
    } finally {
      await file.close();
    }
    const people = wallets + others;
    if (shared.numberings !== undefined) {
      const numbering = shared.numberings[stored.path] as Numbering;
      for (let i = 0; i < people; i++) numbers[i] = numbering.wallets[numbers[i] as number] as number;
      for (let i = people; i < numbers.length; i++) numbers[i] = numbering.tokens[numbers[i] as number] as number;
    }
    return [numbers.subarray(0, wallets), numbers.subarray(wallets, people), numbers.subarray(people)];
  };

  const route = async (groups: RouteStoredJob['groups'], file: FileHandle): Promise<Routed> => {
    router.begin();
    const all = groups.map(({ group }) => group);
    let index = 0;
    for await (const bytes of ahead.read(all, COLUMNS, shared.direct)) {
      const { rows } = bytes.group;
      if (router.filled + rows > router.capacity) await router.flush(file);
      columns.take(bytes);
      await add(rows, (groups[index++] as RouteStoredJob['groups'][number]).numbers);
    }
    await router.flush(file);
    return router.result();
  };

  return ({ groups, target }) => withDirect(target, 'w', (file) => route(groups, file));
}
