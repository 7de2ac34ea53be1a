/** Trades as whole numbers, a wallet at a time in order of time: what profiles and targets are computed from. */
import { FathomError } from '../errors.ts';
import { type Duck, quote } from '../tables/duck.ts';
import { parquetRelation } from '../tables/parquet-files.ts';
import { type Numbers, streamNumbers } from '../tables/stream.ts';
import type { Tuple } from '../tuple.ts';

/** Paths of the canonical Parquet tables. */
export interface Sources {
  readonly trades: string;
  readonly markets: string;
  readonly resolutions?: string | undefined;
}

export const categories = ['politics', 'sports', 'crypto', 'other'] as const;

/** What is known of each market, by its number (order of first trade, so that cutting the data renumbers nothing). */
export interface MarketFacts {
  readonly count: number;
  /** Tokens traded in all markets, numbered by first trade. */
  readonly tokenCount: number;
  /** Number of the market's event, by first trade as well. */
  readonly event: Int32Array;
  readonly eventCount: number;
  /** Index into `categories`. */
  readonly category: Uint8Array;
  /** Twice the payout of each outcome: 0, 1 or 2. */
  readonly half0: Uint8Array;
  readonly half1: Uint8Array;
  /** When the payout could be known, microseconds; Infinity while it is not resolved. */
  readonly knowableAt: Float64Array;
}

/** Extent of the trades. Times in microseconds. */
export interface Extent {
  readonly rows: number;
  readonly wallets: number;
  readonly first: number;
  readonly last: number;
}

/** Outcome of a fill whose token the source names, if at all, without saying which of the two outcomes it stands for. */
export const OUTCOME_UNKNOWN = 2;

/** Token of a fill that names neither a token nor an outcome. */
export const TOKEN_UNKNOWN = -1;

/** Fills of one wallet in order of time; the first `count` entries count. Money and shares are whole 1e-6. */
export interface WalletFills {
  /** Number of the wallet; `wallet_ids` in DuckDB has its name. */
  wallet: number;
  count: number;
  /** `seq` of the trade. */
  seq: Float64Array;
  time: Float64Array;
  market: Int32Array;
  /** Number of the token traded, or TOKEN_UNKNOWN. */
  token: Int32Array;
  /** 0, 1 or OUTCOME_UNKNOWN. */
  outcome: Uint8Array;
  buy: Uint8Array;
  /** 0 taker, 1 maker, 2 unknown. */
  maker: Uint8Array;
  usd: Float64Array;
  shares: Float64Array;
  /** Recorded fee; 0 where the source records none. */
  fee: Float64Array;
}

/** SQL for an amount in whole 1e-6. The product of a DECIMAL(18) would overflow from ten million on. */
export function micros(sql: string): string {
  return `((${sql})::DECIMAL(38,6) * 1000000)::BIGINT`;
}

/** SQL for what a trade was in: its token, or its outcome where a source names no tokens. Within a market it is unique. */
const tokenOf = (trade: string): string => `coalesce(${trade}.token, ${trade}.outcomeIndex::VARCHAR, '')`;

/** SQL that joins to trades `t` the numbers `k.marketId` and `k.id` of their market and token. */
export const joinTokens = `JOIN token_ids k ON k.market = t.market AND k.token = ${tokenOf('t')}`;

/** Checks the trades and numbers wallets, markets and tokens (tables `wallet_ids`, `market_ids`, `token_ids`). */
export async function prepare(duck: Duck, sources: Sources): Promise<Extent> {
  const [found] = await duck.rows<Record<string, number | null>>(
    `SELECT count(*)::DOUBLE AS "rows", count(DISTINCT wallet)::DOUBLE AS wallets,
       epoch_us(min("time"))::DOUBLE AS "first", epoch_us(max("time"))::DOUBLE AS "last",
       count(*) FILTER (seq IS NULL OR "time" IS NULL OR wallet IS NULL OR market IS NULL OR event IS NULL
         OR usd IS NULL OR shares IS NULL OR side IS NULL)::DOUBLE AS missing,
       count(*) FILTER (side NOT IN ('BUY', 'SELL'))::DOUBLE AS sides,
       count(*) FILTER (outcomeIndex NOT IN (0, 1))::DOUBLE AS outcomes,
       count(*) FILTER (usd < 0 OR shares < 0)::DOUBLE AS negative,
       (count(*) - count(DISTINCT seq))::DOUBLE AS repeated
     FROM ${parquetRelation(sources.trades)}`,
  );
  const wrong: readonly [string, string][] = [
    ['missing', 'lack a value in seq, time, wallet, market, event, side, usd or shares'],
    ['sides', 'have a side that is neither BUY nor SELL'],
    ['outcomes', 'have an outcomeIndex that is neither 0 nor 1'],
    ['negative', 'have a negative amount'],
    ['repeated', 'repeat a seq'],
  ];
  for (const [key, words] of wrong) {
    const count = found?.[key] ?? 0;
    if (count > 0)
      throw new FathomError('data', `${sources.trades}: ${count} trades ${words}`, {
        hint: 'the stage that made the trades has to reject or mend such rows',
      });
  }
  const { rows, wallets, first, last } = found ?? {};
  if (rows == null || wallets == null || first == null || last == null)
    throw new FathomError('data', `${sources.trades}: there are no trades`);
  await duck.run(
    `CREATE TABLE wallet_ids AS SELECT wallet, (row_number() OVER (ORDER BY min(seq)) - 1)::INTEGER AS id,
         (row_number() OVER (ORDER BY wallet) - 1)::INTEGER AS place
       FROM ${parquetRelation(sources.trades)} GROUP BY wallet;
     CREATE TABLE market_ids AS
       SELECT market, id, event, (dense_rank() OVER (ORDER BY eventSeq) - 1)::INTEGER AS eventId FROM (
         SELECT market, event, id, min(seq) OVER (PARTITION BY event) AS eventSeq FROM (
           SELECT market, arg_min(event, seq) AS event, min(seq) AS seq,
             (row_number() OVER (ORDER BY min(seq)) - 1)::INTEGER AS id
           FROM ${parquetRelation(sources.trades)} GROUP BY market));
     CREATE TABLE token_ids AS SELECT market, token, m.id AS marketId,
         CASE token WHEN '' THEN ${TOKEN_UNKNOWN} ELSE row_number() OVER (ORDER BY seq) - 1 END::INTEGER AS id
       FROM (SELECT market, ${tokenOf('t')} AS token, min(seq) AS seq FROM ${parquetRelation(sources.trades)} t GROUP BY ALL)
         JOIN market_ids m USING (market)`,
  );
  return { rows, wallets, first, last };
}

/** Facts of every traded market; `prepare` comes first. Without resolutions no market is ever resolved. */
export async function readMarkets(duck: Duck, sources: Sources): Promise<MarketFacts> {
  const resolutions =
    sources.resolutions === undefined
      ? '(SELECT NULL::VARCHAR AS market, NULL::DOUBLE AS payout0, NULL::DOUBLE AS payout1, NULL::TIMESTAMP AS knowableAt WHERE false)'
      : parquetRelation(sources.resolutions);
  for (const [file, name] of [
    [sources.markets, 'markets'],
    [sources.resolutions, 'resolutions'],
  ] as const) {
    if (file === undefined) continue;
    const [twice] = await duck.rows<{ market: string }>(
      `SELECT market FROM ${parquetRelation(file)} GROUP BY market HAVING count(*) > 1 ORDER BY market LIMIT 1`,
    );
    if (twice !== undefined)
      throw new FathomError('data', `${file}: market "${twice.market}" has several rows among the ${name}`);
  }
  const [size] = await duck.rows<{ markets: number; events: number; tokens: number }>(
    `SELECT count(*)::DOUBLE AS markets, coalesce(max(eventId) + 1, 0)::DOUBLE AS events,
       (SELECT count(*) FROM token_ids)::DOUBLE AS tokens FROM market_ids`,
  );
  const count = size?.markets ?? 0;
  const facts: MarketFacts = {
    count,
    tokenCount: size?.tokens ?? 0,
    event: new Int32Array(count),
    eventCount: size?.events ?? 0,
    category: new Uint8Array(count),
    half0: new Uint8Array(count),
    half1: new Uint8Array(count),
    knowableAt: new Float64Array(count).fill(Number.POSITIVE_INFINITY),
  };
  const list = categories.map((c) => quote(c)).join(', ');
  const sql = `SELECT i.id::DOUBLE, i.eventId::DOUBLE, (coalesce(list_position([${list}], m.category), 4) - 1)::DOUBLE,
      r.payout0, r.payout1, epoch_us(r.knowableAt)::DOUBLE
    FROM market_ids i LEFT JOIN ${parquetRelation(sources.markets)} m USING (market) LEFT JOIN ${resolutions} r USING (market)
    ORDER BY i.id`;
  await streamNumbers(duck, sql, count, ([id, event, category, payout0, payout1, knowable], rows) => {
    for (let i = 0; i < rows; i++) {
      const k = id?.[i] as number;
      facts.event[k] = event?.[i] as number;
      facts.category[k] = category?.[i] as number;
      const known = knowable?.[i] as number;
      if (Number.isNaN(known)) continue;
      const first = 2 * (payout0?.[i] as number);
      const second = 2 * (payout1?.[i] as number);
      if (![0, 1, 2].includes(first) || first + second !== 2)
        throw new FathomError(
          'data',
          `${sources.resolutions}: a market pays ${first / 2} and ${second / 2}; payouts are 0, 0.5 or 1 and sum to 1`,
        );
      facts.half0[k] = first;
      facts.half1[k] = second;
      facts.knowableAt[k] = known;
    }
  });
  return facts;
}

/** Calls `visit` once for every wallet, in order of its number. The arrays are used again for the next wallet. */
export async function forEachWallet(duck: Duck, sources: Sources, extent: Extent, visit: (fills: WalletFills) => void) {
  const sql = `SELECT w.id::DOUBLE, k.marketId::DOUBLE, k.id::DOUBLE, epoch_us(t."time")::DOUBLE, coalesce(t.outcomeIndex, ${OUTCOME_UNKNOWN})::DOUBLE,
      (t.side = 'BUY')::DOUBLE, (CASE t.role WHEN 'taker' THEN 0 WHEN 'maker' THEN 1 ELSE 2 END)::DOUBLE,
      ${micros('t.usd')}::DOUBLE, ${micros('t.shares')}::DOUBLE,
      ${micros('coalesce(t.fee, 0)')}::DOUBLE, t.seq::DOUBLE
    FROM ${parquetRelation(sources.trades)} t JOIN wallet_ids w USING (wallet) ${joinTokens}
    ORDER BY w.id, t.seq`;
  let fills = emptyFills(1024);
  const finish = (): void => {
    if (fills.count === 0) return;
    checkExact(fills);
    visit(fills);
    fills.count = 0;
  };
  await streamNumbers(duck, sql, extent.rows, (columns, rows) => {
    const [wallet, market, token, time, outcome, buy, maker, usd, shares, fee, seq] = columns as Tuple<Numbers, 11>;
    for (let i = 0; i < rows; i++) {
      if (wallet[i] !== fills.wallet) {
        finish();
        fills.wallet = wallet[i] as number;
      }
      if (fills.count === fills.time.length) fills = grown(fills);
      const n = fills.count++;
      if (n > 0 && (time[i] as number) < (fills.time[n - 1] as number))
        throw new FathomError('data', `${sources.trades}: seq does not follow time`);
      fills.seq[n] = seq[i] as number;
      fills.time[n] = time[i] as number;
      fills.market[n] = market[i] as number;
      fills.token[n] = token[i] as number;
      fills.outcome[n] = outcome[i] as number;
      fills.buy[n] = buy[i] as number;
      fills.maker[n] = maker[i] as number;
      fills.usd[n] = usd[i] as number;
      fills.shares[n] = shares[i] as number;
      fills.fee[n] = fee[i] as number;
    }
  });
  finish();
}

/** No sum over a wallet can then pass 2^53: profit and loss is counted in halves of 1e-6. */
function checkExact(fills: WalletFills): void {
  let total = 0;
  for (let i = 0; i < fills.count; i++)
    total += (fills.usd[i] as number) + (fills.shares[i] as number) + Math.abs(fills.fee[i] as number);
  if (2 * total > Number.MAX_SAFE_INTEGER)
    throw new FathomError(
      'data',
      `one wallet trades ${Math.round(total / 1e6)} USD and shares in all; sums stay exact up to ${Math.floor(Number.MAX_SAFE_INTEGER / 2e6)}`,
      { hint: 'shorten the time of the data, or check the units of usd and shares' },
    );
}

function emptyFills(size: number): WalletFills {
  return {
    wallet: -1,
    count: 0,
    seq: new Float64Array(size),
    time: new Float64Array(size),
    market: new Int32Array(size),
    token: new Int32Array(size),
    outcome: new Uint8Array(size),
    buy: new Uint8Array(size),
    maker: new Uint8Array(size),
    usd: new Float64Array(size),
    shares: new Float64Array(size),
    fee: new Float64Array(size),
  };
}

function grown(old: WalletFills): WalletFills {
  const next = emptyFills(old.time.length * 2);
  next.wallet = old.wallet;
  next.count = old.count;
  for (const key of ['seq', 'time', 'market', 'token', 'outcome', 'buy', 'maker', 'usd', 'shares', 'fee'] as const)
    next[key].set(old[key]);
  return next;
}
