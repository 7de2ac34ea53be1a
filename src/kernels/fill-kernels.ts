/** Kernels that read fills from text, sort them into facts and pack columns for Parquet. */
import type { Pointer } from './kernels.ts';

/** Functions of the module; what they do stands beside their sources. */
export interface FillKernels {
  hasOddLines(at: Pointer, end: Pointer): number;
  skipLines(at: Pointer, limit: Pointer): Pointer;
  skippedLines(): number;
  makeNumbers(capacity: number): Pointer;
  addNumbers(table: Pointer, keys: Pointer, numbers: Pointer, count: number): void;
  makeTexts(length: number, capacity: number): Pointer;
  forgetTexts(texts: Pointer): void;
  makeKeys(capacity: number): Pointer;
  forgetKeys(keys: Pointer): void;
  makeFills(
    capacity: number,
    markets: Pointer,
    wallets: Pointer,
    others: Pointer,
    transactions: Pointer,
    seen: Pointer,
    exchangeCount: number,
  ): Pointer;
  readFills(fills: Pointer, at: Pointer, end: Pointer): Pointer;
  packNumbers(values: Pointer, size: number, count: number, width: number, target: Pointer): Pointer;
  packDifferences(values: Pointer, count: number, target: Pointer): Pointer;
  listOccurring(
    keys: Pointer,
    rows: number,
    shift: number,
    map: Pointer,
    places: Pointer,
    list: Pointer,
    numbers: Pointer,
  ): number;
  copyTexts(texts: Pointer, offsets: Pointer, list: Pointer, count: number, target: Pointer): Pointer;
  makeTrades(capacity: number, buckets: number): Pointer;
  beginTrades(trades: Pointer): void;
  routeTrades(
    trades: Pointer,
    count: number,
    wallets: Pointer,
    tokens: Pointer,
    bucketOf: Pointer,
    buckets: number,
  ): void;
  makeLaid(capacity: number): Pointer;
  layRows(
    laid: Pointer,
    count: number,
    first: number,
    wallets: number,
    next: Pointer,
    marketOf: Pointer,
    tokenOf: Pointer,
  ): void;
}
