/**
 * One row of activity to a fill or a flow, or the reason why it is neither.
 *
 * What the venue says: `usdcSize` is the cash that moved and `size` the tokens, both after fees; `price` is that of the
 * match, before fees. A redemption names no token (outcomeIndex 999): it takes all that the wallet holds in the market.
 */
import { z } from 'zod';
import type { FlowKind } from '../flows.ts';
import { notSeconds } from '../records/times.ts';

const text = z.string().nullish();

/** Fields that are read; others (names, pictures) are not. */
const fields = z.object({
  proxyWallet: text,
  timestamp: z.number(),
  conditionId: text,
  type: z.string(),
  size: z.number(),
  usdcSize: z.number(),
  transactionHash: text,
  price: z.number().nullish(),
  asset: text,
  side: text,
  outcomeIndex: z.number().nullish(),
  outcome: text,
  title: text,
  slug: text,
  eventSlug: text,
});

/** Names of the fields that are read. */
export const activityFields = Object.keys(fields.shape);

interface Common {
  /** Seconds since 1970. */
  readonly time: number;
  readonly wallet: string;
  readonly market: string | null;
  readonly event: string | null;
  readonly title: string | null;
  readonly slug: string | null;
  readonly transaction: string | null;
}

/** Amounts in whole 1e-6. */
export interface ActivityFill extends Common {
  readonly kind: 'fill';
  readonly market: string;
  readonly token: string;
  readonly outcome: string | null;
  readonly outcomeIndex: 0 | 1;
  readonly side: 'BUY' | 'SELL';
  readonly usd: number;
  readonly shares: number;
  /** Cash beyond size times price, in 1e-6, as the wallet sees it: what it paid more or got less. */
  readonly beyondPrice: number;
}

export interface ActivityFlow extends Common {
  readonly kind: FlowKind;
  readonly usd: number;
  readonly shares0: number | null;
  readonly shares1: number | null;
}

export type ActivityRow = ActivityFill | ActivityFlow;

const types: Readonly<Record<string, FlowKind | 'fill'>> = {
  TRADE: 'fill',
  SPLIT: 'split',
  MERGE: 'merge',
  REDEEM: 'redeem',
  CONVERSION: 'conversion',
  REWARD: 'reward',
  MAKER_REBATE: 'rebate',
  TAKER_REBATE: 'rebate',
};

/**
 * Whole 1e-6 of a JSON number; undefined if it has more decimals than a double's own noise explains, or is so large
 * that a double no longer tells its millionths.
 */
export function wholeMicros(value: number): number | undefined {
  const scaled = value * 1e6;
  const whole = Math.round(scaled);
  if (!Number.isSafeInteger(whole) || Math.abs(scaled - whole) > Math.max(1e-3, Math.abs(whole) * 1e-15))
    return undefined;
  return whole === 0 ? 0 : whole;
}

export const orNull = (value: string | null | undefined): string | null =>
  value == null || value === '' ? null : value;

/** The row as our tables have it, or why it is refused. */
export function rowOf(raw: unknown): ActivityRow | { readonly reason: string } {
  const refuse = (reason: string) => ({ reason });
  if (raw === undefined) return refuse('not JSON');
  const parsed = fields.safeParse(raw);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    return refuse(`${issue?.path.join('.') || 'row'}: missing or of a wrong type`);
  }
  const row = parsed.data;
  const kind = types[row.type];
  if (kind === undefined) return refuse(`type: unknown (${row.type.slice(0, 30)})`);
  const badTime = notSeconds(row.timestamp);
  if (badTime !== undefined) return refuse(`timestamp: ${badTime}`);
  if (!/^0x[0-9a-fA-F]{40}$/.test(row.proxyWallet ?? '')) return refuse('proxyWallet: not an address');
  const market = orNull(row.conditionId)?.toLowerCase() ?? null;
  if (market !== null && !/^0x[0-9a-f]{64}$/.test(market)) return refuse('conditionId: not a hash');
  const shares = wholeMicros(row.size);
  const usd = wholeMicros(row.usdcSize);
  if (shares === undefined) return refuse('size: more than six decimals or too large');
  if (usd === undefined) return refuse('usdcSize: more than six decimals or too large');
  if (shares < 0) return refuse('size: negative');
  if (usd < 0) return refuse('usdcSize: negative');
  const common = {
    time: row.timestamp,
    wallet: (row.proxyWallet as string).toLowerCase(),
    event: orNull(row.eventSlug),
    title: orNull(row.title),
    slug: orNull(row.slug),
    transaction: orNull(row.transactionHash)?.toLowerCase() ?? null,
  };
  if (kind === 'reward' || kind === 'rebate') return { ...common, kind, market, usd, shares0: null, shares1: null };
  if (market === null) return refuse('conditionId: empty');
  const { outcomeIndex } = row;
  if (kind === 'redeem') return { ...common, kind, market, usd, shares0: null, shares1: null };
  if (kind === 'split' || kind === 'merge') {
    if (usd !== shares) return refuse(`${kind}: dollars and pairs differ`);
    const sign = kind === 'split' ? 1 : -1;
    return { ...common, kind, market, usd: -sign * usd, shares0: sign * shares, shares1: sign * shares };
  }
  if (outcomeIndex !== 0 && outcomeIndex !== 1)
    return refuse(`outcomeIndex: neither 0 nor 1 in a ${kind === 'fill' ? 'trade' : 'conversion'}`);
  if (kind === 'conversion')
    return {
      ...common,
      kind,
      market,
      usd,
      shares0: outcomeIndex === 0 ? -shares : 0,
      shares1: outcomeIndex === 1 ? -shares : 0,
    };
  if (shares === 0) return refuse('size: zero');
  if (row.side !== 'BUY' && row.side !== 'SELL') return refuse('side: not BUY or SELL');
  if (!/^[1-9][0-9]{0,77}$/.test(row.asset ?? '')) return refuse('asset: not a token id');
  const atPrice = row.price == null ? usd : Math.round(shares * row.price);
  return {
    ...common,
    kind,
    market,
    token: row.asset as string,
    outcome: orNull(row.outcome),
    outcomeIndex,
    side: row.side,
    usd,
    shares,
    beyondPrice: row.side === 'BUY' ? usd - atPrice : atPrice - usd,
  };
}
