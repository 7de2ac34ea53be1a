/**
 * One bet a wallet and event: the wallet's first fill in it. Later fills of the event hang on the same outcome, and how
 * many there are may hang on how the price moved: an average over them is no fair bet even at fair prices (who buys
 * more only when losing pays a low average price when he loses). The first fill alone is one.
 */
import { FathomError } from '../../errors.ts';
import { type Duck, quote } from '../../tables/duck.ts';
import { parquetRelation } from '../../tables/parquet-files.ts';
import { streamNumbers } from '../../tables/stream.ts';

/** Paths of the canonical Parquet tables. */
export interface BetSources {
  readonly trades: string;
  readonly markets: string;
  readonly resolutions: string;
}

export const roles = ['taker', 'maker', 'unknown'] as const;
export const categories = ['politics', 'sports', 'crypto', 'other'] as const;
/** Upper bounds, in hours, of the groups by time from the bet to the close of its market; beyond them, and unknown. */
export const hoursToClose = [6, 24, 168] as const;

export interface BetCounts {
  /** Pairs of a wallet and an event up to the date. */
  readonly entered: number;
  readonly settled: number;
  /** The market of the first fill was not resolved as of the date. */
  readonly pending: number;
  /** It paid both outcomes half: nothing was decided. */
  readonly void: number;
  /** The first fill came when the outcome was public, or does not tell its outcome. */
  readonly late: number;
  readonly unclear: number;
  readonly wallets: number;
  readonly events: number;
  /** Microseconds: nothing from this moment on was used. */
  readonly asOf: number;
}

/** The bets of one wallet in order of time; the first `count` entries count, and the arrays are used again. */
export interface WalletBets {
  wallet: number;
  count: number;
  event: Int32Array;
  /** All-in price of what was bought; what was sold is a purchase of the other outcome at one dollar less the price. */
  price: Float64Array;
  won: Uint8Array;
  shares: Float64Array;
  /** Group for a recalibrated null, see `groupOf`. */
  role: Uint8Array;
  category: Uint8Array;
  closing: Uint8Array;
  /** Profit of all fills in the event's resolved markets, halves of 1e-6 USD, and shares traded there, 1e-6. */
  profit: Float64Array;
  traded: Float64Array;
}

const micros = (sql: string): string => `((${sql})::DECIMAL(38,6) * 1000000)::BIGINT`;

/**
 * Makes the table `bets` (one row a wallet and event, with its state as of the date) and `wallet_ids`.
 *
 * @param asOf microseconds; undefined: a microsecond after the last fill or resolution that there is
 */
export async function makeBets(duck: Duck, sources: BetSources, asOf: number | undefined): Promise<BetCounts> {
  const [trades, resolutions, markets] = [
    parquetRelation(sources.trades),
    parquetRelation(sources.resolutions),
    parquetRelation(sources.markets),
  ];
  const [extent] = await duck.rows<{ last: number | null }>(
    `SELECT epoch_us(greatest(max("time"), (SELECT max(knowableAt) FROM ${resolutions})))::DOUBLE AS "last" FROM ${trades}`,
  );
  if (extent?.last == null) throw new FathomError('data', `${sources.trades}: there are no trades`);
  const date = asOf ?? extent.last + 1;
  const before = `make_timestamp(${date})`;
  const [odd] = await duck.rows<{ market: string }>(
    `SELECT market FROM ${resolutions} WHERE payout0 NOT IN (0, 0.5, 1) OR payout0 + payout1 <> 1
     UNION ALL SELECT market FROM ${resolutions} GROUP BY market HAVING count(*) > 1 LIMIT 1`,
  );
  if (odd !== undefined)
    throw new FathomError('data', `${sources.resolutions}: market "${odd.market}" has no one payout of 0, 0.5 or 1`);
  const closing = `CASE WHEN m.closedAt IS NULL THEN ${hoursToClose.length + 1}
    ${hoursToClose.map((hours, k) => `WHEN m.closedAt < f."time" + INTERVAL ${hours} HOUR THEN ${k}`).join(' ')}
    ELSE ${hoursToClose.length} END`;
  const payout = 'CASE f.outcomeIndex WHEN 0 THEN r.payout0 ELSE r.payout1 END';
  await duck.run(
    `CREATE TABLE first_fills AS
       SELECT wallet, event, min(seq) AS seq, arg_min(struct_pack("time", market, outcomeIndex, side, usd := ${micros('usd')},
         shares := ${micros('shares')}, fee := ${micros('coalesce(fee, 0)')}, "role"), seq) AS fill
       FROM ${trades} WHERE "time" < ${before} AND shares > 0 GROUP BY wallet, event;
     CREATE TABLE wallet_ids AS SELECT wallet, (row_number() OVER (ORDER BY min(seq)) - 1)::INTEGER AS id,
       (row_number() OVER (ORDER BY wallet) - 1)::INTEGER AS place FROM first_fills GROUP BY wallet;
     CREATE TABLE bet_events AS SELECT event, (row_number() OVER (ORDER BY min(seq)) - 1)::INTEGER AS id
       FROM first_fills GROUP BY event;
     CREATE TABLE event_profits AS SELECT wallet, event, sum(earned)::DOUBLE AS profit, sum(s)::DOUBLE AS traded FROM (
       SELECT f.wallet, f.event, ${micros('f.shares')} AS s, CASE f.side WHEN 'BUY' THEN 1 ELSE -1 END
           * (${micros('f.shares')} * (2 * ${payout})::BIGINT - 2 * ${micros('f.usd')})
           - 2 * ${micros('coalesce(f.fee, 0)')} AS earned
       FROM ${trades} f JOIN ${resolutions} r USING (market)
       WHERE f."time" < ${before} AND r.knowableAt < ${before} AND f."time" < r.knowableAt
         AND f.outcomeIndex IS NOT NULL)
     GROUP BY wallet, event;
     CREATE TABLE bets AS SELECT w.id AS wallet, w.place, b.seq, e.id AS event,
         CASE WHEN f.outcomeIndex IS NULL THEN 'unclear' WHEN r.market IS NULL THEN 'pending'
           WHEN f."time" >= r.knowableAt THEN 'late' WHEN r.payout0 = 0.5 THEN 'void' ELSE 'settled' END AS state,
         CASE f.side WHEN 'BUY' THEN (f.usd + f.fee) / f.shares ELSE 1 - (f.usd - f.fee) / f.shares END AS price,
         (CASE f.side WHEN 'BUY' THEN ${payout} ELSE 1 - ${payout} END) AS won, f.shares AS shares,
         (CASE f."role" WHEN 'taker' THEN 0 WHEN 'maker' THEN 1 ELSE 2 END) AS "role",
         coalesce(list_position([${categories.map(quote).join(', ')}], m.category), ${categories.length}) - 1 AS category,
         ${closing} AS closing, coalesce(p.profit, 0) AS profit, coalesce(p.traded, 0) AS traded
       FROM (SELECT wallet, event, seq, unnest(fill) FROM first_fills) f
         JOIN first_fills b USING (seq) JOIN wallet_ids w ON w.wallet = f.wallet JOIN bet_events e ON e.event = f.event
         LEFT JOIN (SELECT * FROM ${resolutions} WHERE knowableAt < ${before}) r ON r.market = f.market
         LEFT JOIN ${markets} m ON m.market = f.market
         LEFT JOIN event_profits p ON p.wallet = f.wallet AND p.event = f.event`,
  );
  const [found] = await duck.rows<Omit<BetCounts, 'asOf'>>(
    `SELECT count(*)::DOUBLE AS entered, ${['settled', 'pending', 'void', 'late', 'unclear']
      .map((state) => `count(*) FILTER (state = ${quote(state)})::DOUBLE AS "${state}"`)
      .join(', ')},
       count(DISTINCT wallet) FILTER (state = 'settled')::DOUBLE AS wallets,
       count(DISTINCT event) FILTER (state = 'settled')::DOUBLE AS events FROM bets`,
  );
  return { ...(found as Omit<BetCounts, 'asOf'>), asOf: date };
}

/** Calls `visit` once for every wallet with a settled bet, in order of its number. */
export async function forEachBettor(
  duck: Pick<Duck, 'connect'>,
  counts: BetCounts,
  visit: (bets: WalletBets) => void,
): Promise<void> {
  const sql = `SELECT wallet::DOUBLE, event::DOUBLE, price::DOUBLE, won::DOUBLE, shares::DOUBLE, "role"::DOUBLE,
      category::DOUBLE, closing::DOUBLE, profit::DOUBLE, traded::DOUBLE
    FROM bets WHERE state = 'settled' ORDER BY wallet, seq`;
  let bets = emptyBets(256);
  const finish = (): void => {
    if (bets.count > 0) visit(bets);
    bets.count = 0;
  };
  await streamNumbers(duck, sql, counts.settled, (columns, rows) => {
    for (let i = 0; i < rows; i++) {
      const wallet = columns[0]?.[i] as number;
      if (wallet !== bets.wallet) {
        finish();
        bets.wallet = wallet;
      }
      if (bets.count === bets.event.length) bets = grown(bets);
      const n = bets.count++;
      fields.forEach((name, c) => {
        bets[name][n] = columns[c + 1]?.[i] as number;
      });
    }
  });
  finish();
}

/** In the order of the query. */
const fields = ['event', 'price', 'won', 'shares', 'role', 'category', 'closing', 'profit', 'traded'] as const;

function emptyBets(size: number): WalletBets {
  const floats = (): Float64Array => new Float64Array(size);
  const bytes = (): Uint8Array => new Uint8Array(size);
  return {
    wallet: -1,
    count: 0,
    event: new Int32Array(size),
    price: floats(),
    won: bytes(),
    shares: floats(),
    role: bytes(),
    category: bytes(),
    closing: bytes(),
    profit: floats(),
    traded: floats(),
  };
}

function grown(old: WalletBets): WalletBets {
  const next = emptyBets(2 * old.event.length);
  next.wallet = old.wallet;
  next.count = old.count;
  for (const name of fields) next[name].set(old[name]);
  return next;
}
