/** Kernels that read fills from text, sort them into facts and pack columns for Parquet. */
import type { Pointer } from './kernels.ts';

/** Functions of the module; what they do stands beside their sources. */
export interface FillKernels {
  countLines(at: Pointer, end: Pointer): number;
  hasOddLines(at: Pointer, end: Pointer): number;
  skipLines(at: Pointer, limit: Pointer): Pointer;
  skippedLines(): number;
  makeNumbers(capacity: number): Pointer;
  addNumbers(table: Pointer, keys: Pointer, numbers: Pointer, count: number): void;
  makeTexts(length: number, capacity: number): Pointer;
  forgetTexts(texts: Pointer): void;
  makeTextList(length: number, capacity: number): Pointer;
  emptyTextList(list: Pointer): void;
  makeKeys(capacity: number): Pointer;
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
  makeSums(capacity: number): Pointer;
  sumFills(sums: Pointer, fills: Pointer, tokens: Pointer, tokenCount: number): void;
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
  makeRowColumns(columns: number, capacity: number): Pointer;
  forgetRows(all: Pointer, columns: number): void;
  takeRows(all: Pointer, columns: number, rows: Pointer, count: number, before: number): void;
  toWhole(values: Pointer, count: number, target: Pointer): void;
  listDoubles(
    values: Pointer,
    count: number,
    most: number,
    slots: Pointer,
    slotCount: number,
    list: Pointer,
    places: Pointer,
  ): number;
  copyTexts(texts: Pointer, offsets: Pointer, list: Pointer, count: number, target: Pointer): Pointer;
  firstNotBelow(numbers: Pointer, count: number, key: bigint): number;
  leastOf(numbers: Pointer, count: number): bigint;
  greatestOf(numbers: Pointer, count: number): bigint;
  pairsRise(first: Pointer, second: Pointer, count: number): number;
  toInts(numbers: Pointer, count: number, target: Pointer): void;
  toFloats(numbers: Pointer, count: number, target: Pointer): void;
  spreadInts(numbers: Pointer, present: Pointer, from: number, to: number, missing: number, target: Pointer): void;
  spreadFloats(numbers: Pointer, present: Pointer, from: number, to: number, target: Pointer): void;
  unpackNumbers(from: Pointer, end: Pointer, width: number, size: number, count: number, target: Pointer): Pointer;
  unpackDifferences(from: Pointer, end: Pointer, count: number, target: Pointer): Pointer;
  makeNames(): Pointer;
  numberNames(names: Pointer, texts: Pointer, count: number, numbers: Pointer): void;
  copyNames(names: Pointer, numbers: Pointer, count: number, target: Pointer): Pointer;
  copyTextsAt(addresses: Pointer, count: number, target: Pointer): Pointer;
  bytesOfTexts(addresses: Pointer, count: number): number;
  findTexts(list: Pointer, count: number, addresses: Pointer): void;
  nameCount(names: Pointer): number;
  bytesOfNames(names: Pointer, numbers: Pointer, count: number): number;
  countPlaces(places: Pointer, present: Pointer, rows: number, counts: Pointer, firsts: Pointer): void;
  listPlaces(places: Pointer, a: Pointer, b: Pointer, c: Pointer, rows: number, list: Pointer): number;
  mapPlaces(places: Pointer, present: Pointer, rows: number, map: Pointer, target: Pointer): void;
  addFlags(places: Pointer, rows: number, map: Pointer, flags: Pointer): void;
  markFaulty(amounts: Pointer, rows: number, limit: bigint, flags: Pointer): void;
  spread(values: Pointer, present: Pointer, rows: number, count: number): void;
  makeTrades(capacity: number, buckets: number): Pointer;
  beginTrades(trades: Pointer): void;
  numberTrades(trades: Pointer, count: number, wallets: Pointer, tokens: Pointer): void;
  routeTrades(trades: Pointer, count: number, bucketOf: Pointer, buckets: number): number;
  rowShapeBytes(): number;
  unpackRows(shape: Pointer, row: Pointer, count: number, target: Pointer): Pointer;
  makeLaid(capacity: number): Pointer;
  countOnes(bytes: Pointer, count: number): number;
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
