/** Kernels that read fills from text and pack columns for Parquet. */
import type { Pointer } from './kernels.ts';

/** Functions of the module; what they do stands beside their sources. */
export interface FillKernels {
  hasOddLines(at: Pointer, end: Pointer): number;
  skipLines(at: Pointer, limit: Pointer): Pointer;
  skippedLines(): number;
  makeNumbers(capacity: number): Pointer;
  addNumber(numbers: Pointer, number: number, place: number): void;
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
}
