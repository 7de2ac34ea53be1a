/**
 * Trades as the data API answers them, JSON: one row is one wallet's fill. Cash is not told: it is size times price,
 * rounded half to even once.
 */
import { z } from 'zod';
import { orNull, wholeMicros } from '../activity/rows.ts';
import { timesPrice } from '../records/decimal.ts';
import { notSeconds } from '../records/times.ts';

/** Fields that are read; others (names, pictures) are not. */
const fields = z.object({
  proxyWallet: z.string(),
  side: z.string(),
  asset: z.string(),
  conditionId: z.string(),
  size: z.number(),
  price: z.number(),
  timestamp: z.number(),
  title: z.string().nullish(),
  slug: z.string().nullish(),
  eventSlug: z.string().nullish(),
  outcome: z.string().nullish(),
  outcomeIndex: z.number().nullish(),
  transactionHash: z.string().nullish(),
});

/** Names of the fields that are read. */
export const dataApiTradeFields = Object.keys(fields.shape);

/** Amounts in whole 1e-6, the time in seconds since 1970. */
export interface DataApiTrade {
  readonly time: number;
  readonly wallet: string;
  readonly side: 'BUY' | 'SELL';
  readonly token: string;
  readonly market: string;
  readonly event: string | null;
  readonly title: string | null;
  readonly slug: string | null;
  readonly outcome: string | null;
  readonly outcomeIndex: 0 | 1 | null;
  readonly usd: number;
  readonly shares: number;
  readonly transaction: string | null;
}

/** The row as a fill, or why it is refused. */
export function dataApiTrade(raw: unknown): DataApiTrade | { readonly reason: string } {
  const refuse = (reason: string) => ({ reason });
  if (raw === undefined) return refuse('not JSON');
  const parsed = fields.safeParse(raw);
  if (!parsed.success) return refuse(`${parsed.error.issues[0]?.path.join('.') || 'row'}: missing or of a wrong type`);
  const row = parsed.data;
  const badTime = notSeconds(row.timestamp);
  if (badTime !== undefined) return refuse(`timestamp: ${badTime}`);
  if (row.size < 0) return refuse('size: negative');
  const shares = wholeMicros(row.size);
  if (shares === undefined) return refuse('size: more than six decimals or too large');
  if (shares === 0) return refuse('size: zero');
  if (row.price < 0 || row.price > 1) return refuse('price: outside [0, 1]');
  if (row.side !== 'BUY' && row.side !== 'SELL') return refuse('side: not BUY or SELL');
  if (!/^[1-9][0-9]{0,77}$/.test(row.asset)) return refuse('asset: not a token id');
  const market = row.conditionId.toLowerCase();
  if (!/^0x[0-9a-f]{64}$/.test(market)) return refuse('conditionId: not a hash');
  const wallet = row.proxyWallet.toLowerCase();
  if (!/^0x[0-9a-f]{40}$/.test(wallet)) return refuse('proxyWallet: not an address');
  const transaction = orNull(row.transactionHash)?.toLowerCase() ?? null;
  if (transaction !== null && !/^0x[0-9a-f]{64}$/.test(transaction)) return refuse('transactionHash: not a hash');
  const { outcomeIndex } = row;
  // 999 stands for unknown.
  if (outcomeIndex != null && ![0, 1, 999].includes(outcomeIndex)) return refuse('outcomeIndex: neither 0 nor 1');
  return {
    time: row.timestamp,
    wallet,
    side: row.side,
    token: row.asset,
    market,
    event: orNull(row.eventSlug),
    title: orNull(row.title),
    slug: orNull(row.slug),
    outcome: orNull(row.outcome),
    outcomeIndex: outcomeIndex === 0 || outcomeIndex === 1 ? outcomeIndex : null,
    usd: timesPrice(shares, row.price),
    shares,
    transaction,
  };
}
