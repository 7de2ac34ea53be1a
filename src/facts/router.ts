/** Sends trades to the buckets of their wallets: rows in a file, batch by batch, in each batch those of the first bucket first. */
import type { FileHandle } from 'node:fs/promises';
import type { Kernels, Pointer } from '../kernels/kernels.ts';
import { aligned, DirectMemory, writeBytes } from '../tables/direct.ts';
import type { PackedBatch } from './packed-rows.ts';
import type { Bucket } from './read.ts';

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
  readonly batches: readonly PackedBatch[];
}

/** Trades in a batch. */
export const BATCH = 1 << 18;

/** Columns of trades of 64 bits, in the order in which `Trades` of the kernels has them. */
export const WIDE = ['seq', 'time', 'usd', 'shares', 'fee', 'wallet', 'other', 'token'] as const;
export type Wide = (typeof WIDE)[number];

/** Places of the fields of `Trades`, in words of four bytes. */
const at = { faulty: 0, disordered: 1, unknown: 2, columns: 3, flags: 11, rows: 12, counts: 13, shape: 14 } as const;

/** The trades of a batch; who fills it puts the columns behind the rows that are there already. */
export class Router {
  /** Trades that wait in the columns. */
  filled = 0;
  /** `Trades` of the kernels. */
  readonly trades: Pointer;
  /** Trades that a batch can hold. */
  readonly capacity: number;
  private readonly kernels: Kernels;
  private readonly bucketOf: Pointer;
  private readonly buckets: number;
  private routed = { rows: 0, firstSeq: Number.NaN, lastSeq: Number.NaN, first: Number.NaN, last: Number.NaN };
  private batches: PackedBatch[] = [];
  private end = 0;
  private readonly memory = new DirectMemory();
  private writing: Promise<void> = Promise.resolve();

  /** @param buckets of all wallets */
  constructor(kernels: Kernels, buckets: readonly Bucket[], capacity: number) {
    this.kernels = kernels;
    this.capacity = capacity;
    this.buckets = buckets.length;
    const known = buckets.at(-1)?.to ?? 0;
    this.bucketOf = kernels.allocate(4 * known);
    this.trades = kernels.makeTrades(capacity, buckets.length);
    const places = new Int32Array(kernels.memory.buffer, this.bucketOf, known);
    buckets.forEach(({ from, to }, bucket) => {
      places.fill(bucket, from, to);
    });
  }

  /** Begins a file of rows: what came before says nothing of its trades. */
  begin(): void {
    this.kernels.beginTrades(this.trades);
    this.routed = { rows: 0, firstSeq: Number.NaN, lastSeq: Number.NaN, first: Number.NaN, last: Number.NaN };
    this.batches = [];
    this.end = 0;
    this.filled = 0;
    this.writing = Promise.resolve();
  }

  /** Where the next value of a column goes. */
  column(name: Wide): Pointer {
    return (this.words()[at.columns + WIDE.indexOf(name)] as Pointer) + 8 * this.filled;
  }

  /** The same of numbers of 32 bits in a column of 64. */
  narrow(name: Wide): Pointer {
    return (this.words()[at.columns + WIDE.indexOf(name)] as Pointer) + 4 * this.filled;
  }

  flags(): Pointer {
    return (this.words()[at.flags] as Pointer) + this.filled;
  }

  /**
   * Begins to write the rows of the trades that wait, whose wallets, others and tokens are numbers of 32 bits; the next
   * trades may come meanwhile. `result` waits for the end.
   */
  async flush(file: FileHandle): Promise<void> {
    const { kernels, routed, filled, trades, buckets } = this;
    if (filled === 0) return;
    this.filled = 0;
    const [seqs, times] = [this.column('seq'), this.column('time')];
    if (routed.rows === 0) [routed.firstSeq, routed.first] = [this.number(seqs, 0), this.number(times, 0)];
    [routed.lastSeq, routed.last] = [this.number(seqs, filled - 1), this.number(times, filled - 1)];
    routed.rows += filled;
    const length = kernels.routeTrades(trades, filled, this.bucketOf, buckets) >>> 0;
    if (!this.isSound()) return;
    const { buffer } = kernels.memory;
    const words = this.words();
    // Whole pages: what lies behind the rows is read by nobody.
    const rows = new Uint8Array(buffer, words[at.rows], aligned(length));
    await this.writing;
    const bytes = this.memory.reach(rows.length).subarray(0, rows.length);
    bytes.set(rows);
    this.writing = writeBytes(file, bytes, this.end);
    // It may fail before anybody waits for it.
    this.writing.catch(() => undefined);
    this.batches.push({
      from: this.end,
      rows: new Int32Array(buffer, words[at.counts], buckets).slice(),
      shape: new Uint8Array(buffer, words[at.shape], kernels.rowShapeBytes()).slice(),
      size: new Uint32Array(buffer, words[at.shape], 1)[0] as number,
    });
    this.end += bytes.length;
  }

  async result(): Promise<Routed> {
    await this.writing;
    return { ...this.routed, faulty: !this.isSound(), batches: this.batches };
  }

  private isSound(): boolean {
    return this.words()
      .subarray(0, at.columns)
      .every((count) => count === 0);
  }

  private words(): Uint32Array {
    return new Uint32Array(this.kernels.memory.buffer, this.trades, 15);
  }

  private number(column: Pointer, row: number): number {
    return Number(new BigInt64Array(this.kernels.memory.buffer, column + 8 * row, 1)[0]);
  }
}
