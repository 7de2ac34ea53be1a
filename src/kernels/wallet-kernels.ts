/** Kernels that measure wallets from their fills. */
import type { Pointer } from './kernels.ts';

/** Functions of the module; what they do stands beside their sources. */
export interface WalletKernels {
  makePrices(dates: number, start: number, every: number, lookback: number, markets: Pointer, tokens: number): Pointer;
  makePricedRows(): Pointer;
  priceFills(prices: Pointer, columns: Pointer, rows: number): void;
  closingsOf(prices: Pointer): Pointer;
  earnedOf(prices: Pointer): Pointer;
  investedOf(prices: Pointer): Pointer;
  cellCount(prices: Pointer): number;
  listCells(prices: Pointer, tokens: Pointer, dates: Pointer, seqs: Pointer, marks: Pointer): void;
  takeCells(prices: Pointer, count: number, tokens: Pointer, dates: Pointer, seqs: Pointer, marks: Pointer): void;
  makeWalletFills(markets: Pointer, earliest: number, latest: number): Pointer;
  sourceOf(fills: Pointer): Pointer;
  takeWallet(fills: Pointer, begin: number, end: number): number;
  reserveWalletFills(fills: Pointer, room: number): void;
  makeActivity(fills: Pointer): Pointer;
  reserveActivity(activity: Pointer, room: number): Pointer;
  activityResult(activity: Pointer): Pointer;
  loadActivity(activity: Pointer): void;
  moveActivity(activity: Pointer, begin: number, end: number): void;
  makeCounterparties(fills: Pointer): Pointer;
  reserveCounterparties(all: Pointer, room: number): void;
  counterpartiesResult(all: Pointer): Pointer;
  loadCounterparties(all: Pointer): void;
  measureCounterparties(all: Pointer, begin: number, end: number): void;
  makeSettling(fills: Pointer): Pointer;
  reserveSettling(all: Pointer, room: number): void;
  loadSettling(all: Pointer): void;
  settleFills(all: Pointer, begin: number, end: number, asOf: number): void;
}
