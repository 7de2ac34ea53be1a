/** Fills and flows as whole numbers, a wallet's market at a time, in order of time. */
import type { Duck } from '../../tables/duck.ts';
import { streamNumbers } from '../../tables/stream.ts';
import { micros, type Sizes } from './numbering.ts';

/** By number of market. Times in microseconds; NaN is unknown. */
export interface MarketFacts {
  /** Twice the payouts: 0, 1 or 2; NaN while the outcome is not final. */
  readonly half0: Float64Array;
  readonly half1: Float64Array;
  readonly finalAt: Float64Array;
  readonly knowableAt: Float64Array;
  /** Numbers of its two tokens; NaN for one that nobody trades. */
  readonly token0: Float64Array;
  readonly token1: Float64Array;
  /** Index into `feeCategories`. */
  readonly category: Float64Array;
}

/** By number of token. */
export interface TokenFacts {
  /** 0 or 1; NaN if unknown. */
  readonly outcome: Float64Array;
  /** 1 where rows name neither token nor outcome: tokens of both outcomes may be mixed. */
  readonly nameless: Float64Array;
  /** The last fill of it by anybody, in 1e-6; NaN if there is none with tokens. */
  readonly lastUsd: Float64Array;
  readonly lastShares: Float64Array;
  readonly lastAt: Float64Array;
}

export const feeCategories = ['politics', 'sports', 'crypto', 'other'] as const;

/** Kinds of events, in the order in which events of one moment are taken: tokens come before they go. */
export const eventKinds = ['split', 'fill', 'conversion', 'merge', 'redeem', 'reward', 'rebate'] as const;

/** Names of the columns that `forEachEvent` passes; see there. */
const fields = [
  'wallet',
  'market',
  'kind',
  'token',
  'time',
  'shares0',
  'shares1',
  'cash',
  'fee',
  'role',
  'price0',
  'price1',
] as const;

/**
 * One fill or flow. Amounts in 1e-6, as the wallet sees them: received is positive. A fill has its tokens in `shares0`
 * whatever the outcome; a flow has those of both outcomes (NaN: unknown) and the last prices before it (NaN: none).
 */
export type Event = Record<(typeof fields)[number], number>;

async function arrays(duck: Duck, sql: string, rows: number, columns: number): Promise<readonly Float64Array[]> {
  const result = Array.from({ length: columns }, () => new Float64Array(rows));
  let offset = 0;
  await streamNumbers(duck, sql, rows, (chunk, count) => {
    result.forEach((target, c) => {
      target.set((chunk[c] as Float64Array).subarray(0, count), offset);
    });
    offset += count;
  });
  return result;
}

export async function readMarkets(duck: Duck, sizes: Sizes): Promise<MarketFacts> {
  const list = feeCategories.map((name) => `'${name}'`).join(', ');
  const [half0, half1, finalAt, knowableAt, token0, token1, category] = (await arrays(
    duck,
    `SELECT 2 * r.payout0, 2 * r.payout1, epoch_us(coalesce(r.finalAt, r.knowableAt))::DOUBLE, epoch_us(r.knowableAt)::DOUBLE,
       k.token0, k.token1, (coalesce(list_position([${list}], m.category), 4) - 1)::DOUBLE
     FROM market_ids i LEFT JOIN listed m USING (market) LEFT JOIN outcomes r USING (market)
       LEFT JOIN (SELECT marketId AS id, max(id) FILTER (outcomeIndex = 0)::DOUBLE AS token0,
         max(id) FILTER (outcomeIndex = 1)::DOUBLE AS token1 FROM token_ids GROUP BY marketId) k ON k.id = i.id
     ORDER BY i.id`,
    sizes.markets,
    7,
  )) as [Float64Array, Float64Array, Float64Array, Float64Array, Float64Array, Float64Array, Float64Array];
  return { half0, half1, finalAt, knowableAt, token0, token1, category };
}

export async function readTokens(duck: Duck, sizes: Sizes): Promise<TokenFacts> {
  const [outcome, nameless, lastUsd, lastShares, lastAt] = (await arrays(
    duck,
    `SELECT k.outcomeIndex::DOUBLE, (k.outcomeIndex IS NULL AND k.name = '')::INTEGER::DOUBLE, p.usd, p.shares, p.at
     FROM token_ids k LEFT JOIN (SELECT token, arg_max(usd, seq)::DOUBLE AS usd, arg_max(shares, seq)::DOUBLE AS shares,
         max("time")::DOUBLE AS at FROM numbered WHERE shares > 0 GROUP BY token) p ON p.token = k.id
     ORDER BY k.id`,
    sizes.tokens,
    5,
  )) as [Float64Array, Float64Array, Float64Array, Float64Array, Float64Array];
  return { outcome, nameless, lastUsd, lastShares, lastAt };
}

/**
 * Calls `visit` for every fill and flow, ordered by wallet, market (those of no market last: number `sizes.markets`),
 * time, kind and place in the file. The object is used again for the next event.
 */
export async function forEachEvent(duck: Duck, sizes: Sizes, visit: (event: Event) => void): Promise<void> {
  const rank = (kind: string): string => `list_position([${eventKinds.map((k) => `'${k}'`).join(', ')}], ${kind}) - 1`;
  const select = [fillsSql(rank("'fill'"))];
  if (sizes.flows > 0) {
    await prepareFlows(duck);
    select.push(flowsSql(rank('f.kind'), sizes.markets));
  }
  const sql = `SELECT ${fields.map((name) => `"${name}"`).join(', ')} FROM (${select.join(' UNION ALL ')})
    ORDER BY wallet, market, "time", kind, seq, "transaction", cash, shares0, shares1`;
  const event = Object.fromEntries(fields.map((name) => [name, Number.NaN])) as Event;
  await streamNumbers(duck, sql, sizes.events, (columns, rows) => {
    const [wallet, market, kind, token, time, shares0, shares1, cash, fee, role, price0, price1] =
      columns as unknown as Columns;
    for (let i = 0; i < rows; i++) {
      event.wallet = wallet[i] as number;
      event.market = market[i] as number;
      event.kind = kind[i] as number;
      event.token = token[i] as number;
      event.time = time[i] as number;
      event.shares0 = shares0[i] as number;
      event.shares1 = shares1[i] as number;
      event.cash = cash[i] as number;
      event.fee = fee[i] as number;
      event.role = role[i] as number;
      event.price0 = price0[i] as number;
      event.price1 = price1[i] as number;
      visit(event);
    }
  });
}

/** One array for each of `fields`. */
type Columns = EachAnArray<typeof fields>;
type EachAnArray<Names extends readonly string[]> = { readonly [K in keyof Names]: Float64Array };

const fillsSql = (
  kind: string,
): string => `SELECT wallet::DOUBLE AS wallet, marketId::DOUBLE AS market, (${kind})::DOUBLE AS kind, token::DOUBLE AS token,
  "time"::DOUBLE AS "time", (CASE WHEN buy THEN shares ELSE -shares END)::DOUBLE AS shares0, NULL::DOUBLE AS shares1,
  (CASE WHEN buy THEN -usd ELSE usd END)::DOUBLE AS cash, fee::DOUBLE AS fee, role::DOUBLE AS role,
  NULL::DOUBLE AS price0, NULL::DOUBLE AS price1, seq, NULL::VARCHAR AS "transaction" FROM numbered`;

/** Tables of prices by token and moment, and of flows with the numbers of their market and its two tokens. */
async function prepareFlows(duck: Duck): Promise<void> {
  await duck.run(`CREATE TABLE prices AS SELECT token AS id, "time", arg_max(usd, seq)::DOUBLE / arg_max(shares, seq)::DOUBLE AS price
      FROM numbered WHERE shares > 0 GROUP BY token, "time";
    CREATE TABLE flow_events AS SELECT f.* REPLACE (epoch_us(f."time") AS "time"), i.id AS marketId, k0.id AS id0, k1.id AS id1
      FROM moves f LEFT JOIN market_ids i USING (market)
      LEFT JOIN token_ids k0 ON k0.marketId = i.id AND k0.outcomeIndex = 0
      LEFT JOIN token_ids k1 ON k1.marketId = i.id AND k1.outcomeIndex = 1`);
}

/** Prices are whole millionths, so that shares of cash are exact, and strictly from before the flow. */
const flowsSql = (
  kind: string,
  noMarket: number,
): string => `SELECT w.id::DOUBLE, coalesce(f.marketId, ${noMarket})::DOUBLE, (${kind})::DOUBLE, NULL::DOUBLE,
  f."time"::DOUBLE, ${micros('f.shares0')}::DOUBLE, ${micros('f.shares1')}::DOUBLE, ${micros('f.usd')}::DOUBLE,
  NULL::DOUBLE, NULL::DOUBLE, round(p0.price * 1000000), round(p1.price * 1000000), 0::BIGINT, f."transaction"
  FROM flow_events f JOIN wallet_ids w USING (wallet)
    ASOF LEFT JOIN prices p0 ON p0.id = f.id0 AND f."time" > p0."time"
    ASOF LEFT JOIN prices p1 ON p1.id = f.id1 AND f."time" > p1."time"`;
