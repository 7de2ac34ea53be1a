/** Reads facts a range of wallets at a time, without a database: see stored-columns.ts. */
import { statSync } from 'node:fs';
import { FathomError } from '../errors.ts';
import { makeKernels, type Pointer } from '../kernels/kernels.ts';
import { Scratch } from '../kernels/scratch.ts';
import { areReadDirect } from '../tables/direct.ts';
import type { StoredFile } from '../tables/parquet/stored.ts';
import { parquetFiles } from '../tables/parquet-files.ts';
import { COUNTERPARTY_UNKNOWN, type FactColumn, type FactColumns, factFiles, factParts } from './layout.ts';
import { type Bucket, readFactFile } from './read.ts';
import { type GroupOfFile, GroupsAhead, StoredColumns } from './stored-columns.ts';

/** Some of the columns of the facts of one bucket, ordered by wallet and seq; the first `rows` entries count. */
export type Facts<Column extends FactColumn = FactColumn> = { readonly rows: number } & Pick<FactColumns, Column>;

/** What the columns are read into. */
export const factArrays = {
  wallet: Int32Array,
  seq: Float64Array,
  market: Int32Array,
  token: Int32Array,
  time: Float64Array,
  usd: Float64Array,
  shares: Float64Array,
  fee: Float64Array,
  flags: Uint8Array,
  counterparty: Int32Array,
} as const;

/** What is made for one bucket has room for one that has a few fills more: the system takes its time to give fresh memory. */
const SPARE = 1.25;

/** Rows of a group, from one to another, which is left out. */
interface Rows {
  readonly from: number;
  readonly to: number;
}

export class FactReader {
  private readonly folder: string;
  /** True to read past the system's cache. */
  private readonly direct: boolean;
  private readonly kernels = makeKernels();
  private readonly ahead = new GroupsAhead();
  private readonly columns = new StoredColumns(this.kernels);
  private readonly scratch = new Scratch(this.kernels);
  private readonly files = new Map<string, StoredFile>();
  /** Columns of the group at hand. */
  private readonly decoded = new Map<FactColumn, Pointer>();

  /** @param cachedBytes see `areReadDirect` */
  constructor(folder: string, cachedBytes?: number) {
    this.folder = folder;
    const files = parquetFiles(factFiles(folder).facts);
    this.direct = areReadDirect(
      files.map((file) => ({ path: file, bytes: statSync(file).size })),
      cachedBytes,
    );
  }

  /**
   * Reads some columns of one bucket.
   *
   * @param reuse facts of an earlier bucket that are no longer needed: their arrays are filled again if they are long
   *   enough
   */
  async read<Column extends FactColumn>(
    bucket: Bucket,
    columns: readonly Column[],
    reuse?: Facts<Column>,
  ): Promise<Facts<Column>> {
    const filled = Object.fromEntries(
      columns.map((name) => {
        const old = reuse?.[name];
        const enough = old !== undefined && old.length >= bucket.fills;
        return [name, enough ? old : new factArrays[name](Math.ceil(SPARE * bucket.fills))];
      }),
    ) as Record<Column, Int32Array | Float64Array | Uint8Array>;
    // Whatever is read, wallet and seq come too: a file in another order would give wrong numbers without a word.
    const names = [...new Set<FactColumn>([...columns, 'wallet', 'seq'])];
    let rows = 0;
    let last = { wallet: -1n, seq: -1n };
    for await (const bytes of this.ahead.read(await this.groupsOf(bucket), { whole: names }, this.direct)) {
      this.columns.take(bytes);
      this.scratch.begin();
      this.decoded.clear();
      const all = bytes.group.rows;
      const some = this.rowsOf(bucket, all);
      const count = some.to - some.from;
      if (count === 0) continue;
      last = this.checkOrder(all, some, last);
      if (rows + count > bucket.fills) this.refuse(bucket, `more than ${bucket.fills} fills`);
      for (const name of columns) this.take(name, some, all, filled[name], rows);
      rows += count;
    }
    if (rows !== bucket.fills) this.refuse(bucket, `${rows} of ${bucket.fills} fills`);
    return { rows, ...filled } as unknown as Facts<Column>;
  }

  private refuse(bucket: Bucket, found: string): never {
    throw new FathomError(
      'data',
      `${factFiles(this.folder).facts}: there are ${found} of wallets ${bucket.from} to ${bucket.to - 1}`,
    );
  }

  /** The groups that may hold fills of a bucket. */
  private async groupsOf({ from, to, ...bucket }: Bucket): Promise<GroupOfFile[]> {
    const groups: GroupOfFile[] = [];
    for (const path of factParts(this.folder, { from, to, ...bucket })) {
      const file = this.files.get(path) ?? (await readFactFile(path));
      this.files.set(path, file);
      for (const group of file.groups) {
        const { least, greatest } = group.columns['wallet'] ?? {};
        if ((greatest ?? to) >= from && (least ?? from) < to) groups.push({ path, bytes: file.bytes, group });
      }
    }
    return groups;
  }

  /** Where the fills of the bucket are in a group. */
  private rowsOf({ from, to }: Bucket, rows: number): Rows {
    const wallets = this.numbers('wallet', rows);
    return {
      from: this.kernels.firstNotBelow(wallets, rows, BigInt(from)),
      to: this.kernels.firstNotBelow(wallets, rows, BigInt(to)),
    };
  }

  /** Checks the order of all rows of a group, and that those of the bucket come after the last ones before. */
  private checkOrder(
    rows: number,
    some: Rows,
    last: { readonly wallet: bigint; readonly seq: bigint },
  ): { wallet: bigint; seq: bigint } {
    const [wallets, seqs] = [this.numbers('wallet', rows), this.numbers('seq', rows)];
    const numbers = (at: Pointer): BigInt64Array => new BigInt64Array(this.kernels.memory.buffer, at, rows);
    const at = (row: number) => ({ wallet: numbers(wallets)[row] as bigint, seq: numbers(seqs)[row] as bigint });
    const first = at(some.from);
    const follows = first.wallet > last.wallet || (first.wallet === last.wallet && first.seq > last.seq);
    if (!follows || this.kernels.pairsRise(wallets, seqs, rows) === 0)
      throw new FathomError('data', `${factFiles(this.folder).facts}: the facts are not in order of wallet and seq`);
    return at(some.to - 1);
  }

  /** Decodes a column of whole numbers (i64): the values that there are. */
  private numbers(name: FactColumn, rows: number): Pointer {
    const known = this.decoded.get(name);
    if (known !== undefined) return known;
    const at = this.scratch.take(8 * rows);
    this.columns.numbers(name, at);
    this.decoded.set(name, at);
    return at;
  }

  /** Puts some rows of a column into an array from a place on. */
  private take(
    name: FactColumn,
    { from, to }: Rows,
    rows: number,
    filled: Int32Array | Float64Array | Uint8Array,
    place: number,
  ): void {
    const { kernels, columns, scratch } = this;
    const count = to - from;
    if (filled instanceof Uint8Array) {
      const places = scratch.take(4 * rows);
      columns.places(name, places);
      const meant = columns.smallNumbers(name);
      const found = scratch.ints(places, rows);
      for (let row = from; row < to; row++) filled[place + row - from] = meant[found[row] as number] as number;
      return;
    }
    const numbers = columns.nulls(name) < rows ? this.numbers(name, rows) : 0;
    const target = scratch.take(8 * count);
    const present = columns.nullable(name) ? scratch.take(rows) : 0;
    if (present !== 0) columns.presence(name, present);
    if (filled instanceof Int32Array) {
      if (present === 0) kernels.toInts(numbers + 8 * from, count, target);
      else kernels.spreadInts(numbers, present, from, to, COUNTERPARTY_UNKNOWN, target);
      filled.set(scratch.ints(target, count), place);
    } else {
      if (present === 0) kernels.toFloats(numbers + 8 * from, count, target);
      else kernels.spreadFloats(numbers, present, from, to, target);
      filled.set(new Float64Array(kernels.memory.buffer, target, count), place);
    }
  }
}
