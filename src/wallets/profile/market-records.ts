/** What our definitions ask of a market, side by side: a wallet's markets lie anywhere, and each costs one look at memory. */
import { type MarketTable, sharedFloats } from './market-table.ts';

/** Numbers of a record, and the place of each; 64 bytes. See `MarketTable`. */
export const RECORD = 8;
export const EVENT = 0;
export const CATEGORY = 1;
export const HALF0 = 2;
export const HALF1 = 3;
export const KNOWABLE_AT = 4;
export const CLOSED_AT = 5;
export const CREATED_AT = 6;

/** Records in order of market, in shared memory. */
export function marketRecords(markets: MarketTable): Float64Array {
  const records = sharedFloats(RECORD * markets.count);
  const { event, category, half0, half1, knowableAt, closedAt, createdAt } = markets;
  for (let k = 0; k < markets.count; k++) {
    const at = RECORD * k;
    records[at + EVENT] = event[k] as number;
    records[at + CATEGORY] = category[k] as number;
    records[at + HALF0] = half0[k] as number;
    records[at + HALF1] = half1[k] as number;
    records[at + KNOWABLE_AT] = knowableAt[k] as number;
    records[at + CLOSED_AT] = closedAt[k] as number;
    records[at + CREATED_AT] = createdAt[k] as number;
  }
  return records;
}
