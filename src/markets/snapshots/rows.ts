/** Rows of the data API's snapshots, what a wallet holds and how wallets rank, to canonical rows or a reason against. */
import { z } from 'zod';
import { orNull, wholeMicros } from '../activity/rows.ts';

const text = z.string().nullish();
const flag = z.boolean().nullish();

/** Fields that are read; others (names, pictures) are not. */
const positionFields = z.object({
  proxyWallet: z.string(),
  asset: z.string(),
  conditionId: z.string(),
  size: z.number(),
  avgPrice: z.number(),
  curPrice: z.number(),
  initialValue: z.number(),
  currentValue: z.number(),
  cashPnl: z.number(),
  realizedPnl: z.number(),
  totalBought: z.number().nullish(),
  redeemable: flag,
  negativeRisk: flag,
  eventSlug: text,
  outcome: text,
  outcomeIndex: z.number().nullish(),
});

const rankFields = z.object({
  rank: z.union([z.string(), z.number()]),
  proxyWallet: z.string(),
  vol: z.number(),
  pnl: z.number(),
});

/** Names of the fields that are read. */
export const snapshotFields = {
  positions: Object.keys(positionFields.shape),
  leaderboard: Object.keys(rankFields.shape),
};

export interface Reason {
  readonly reason: string;
}

const addressOf = (value: string): string | undefined =>
  /^0x[0-9a-fA-F]{40}$/.test(value) ? value.toLowerCase() : undefined;

function wrongField(raw: unknown, error: z.ZodError): Reason {
  if (raw === undefined) return { reason: 'not JSON' };
  return { reason: `${error.issues[0]?.path.join('.') || 'row'}: missing or of a wrong type` };
}

/** Amounts of tokens in whole 1e-6. */
export function positionOf(raw: unknown) {
  const parsed = positionFields.safeParse(raw);
  if (!parsed.success) return wrongField(raw, parsed.error);
  const row = parsed.data;
  const wallet = addressOf(row.proxyWallet);
  if (wallet === undefined) return { reason: 'proxyWallet: not an address' };
  if (!/^[1-9][0-9]{0,77}$/.test(row.asset)) return { reason: 'asset: not a token id' };
  if (!/^0x[0-9a-fA-F]{64}$/.test(row.conditionId)) return { reason: 'conditionId: not a hash' };
  if (row.size < 0) return { reason: 'size: negative' };
  const shares = wholeMicros(row.size);
  if (shares === undefined) return { reason: 'size: more than six decimals or too large' };
  const sharesBought = row.totalBought == null ? null : wholeMicros(row.totalBought);
  if (sharesBought === undefined) return { reason: 'totalBought: more than six decimals or too large' };
  for (const name of ['avgPrice', 'curPrice'] as const)
    if (row[name] < 0 || row[name] > 1) return { reason: `${name}: outside [0, 1]` };
  const market = row.conditionId.toLowerCase();
  return {
    wallet,
    market,
    event: orNull(row.eventSlug) ?? market,
    token: row.asset,
    outcome: orNull(row.outcome),
    outcomeIndex: row.outcomeIndex === 0 || row.outcomeIndex === 1 ? row.outcomeIndex : null,
    shares,
    sharesBought,
    averagePrice: row.avgPrice,
    lastPrice: row.curPrice,
    costUsd: row.initialValue,
    valueUsd: row.currentValue,
    unrealizedUsd: row.cashPnl,
    realizedUsd: row.realizedPnl,
    redeemable: row.redeemable ?? null,
    negRisk: row.negativeRisk ?? null,
  };
}

export function rankOf(raw: unknown) {
  const parsed = rankFields.safeParse(raw);
  if (!parsed.success) return wrongField(raw, parsed.error);
  const { rank, proxyWallet, vol, pnl } = parsed.data;
  const wallet = addressOf(proxyWallet);
  if (wallet === undefined) return { reason: 'proxyWallet: not an address' };
  if (!/^[1-9][0-9]{0,8}$/.test(String(rank))) return { reason: 'rank: not a number from 1' };
  if (vol < 0) return { reason: 'vol: negative' };
  return { rank: Number(rank), wallet, volumeUsd: vol, profitUsd: pnl };
}
