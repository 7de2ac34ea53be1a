/** What is known of a market, side by side: one look at memory for all of it. See src/wallets/profile/market-records.ts. */

/** 64 bytes. Times in microseconds, Infinity (`createdAt`: NaN) if not known; twice the payouts. */
// @ts-ignore: decorator
@unmanaged
export class MarketRecord {
  event: f64;
  category: f64;
  half0: f64;
  half1: f64;
  knowableAt: f64;
  closedAt: f64;
  createdAt: f64;
  spare: f64;
}

/** The record of a market by its number, among those of all. */
// @ts-ignore: decorator
@inline
export function marketAt(records: usize, number: i32): MarketRecord {
  return changetype<MarketRecord>(records + <usize>number * offsetof<MarketRecord>());
}
