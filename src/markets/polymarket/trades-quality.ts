/** What is said of the trades of a file: totals under both policies on duplicates, and what was refused. */
import type { Quality } from '../../contract/metrics.ts';
import type { Duck } from '../../tables/duck.ts';
import type { SummedTrades } from './fill-sums.ts';
import type { Refused } from './refused.ts';

/** Totals of trades under one policy on duplicates. */
export interface PolicyTotals {
  readonly rows: number;
  readonly usd: number;
  readonly takerUsd: number;
  /** Cash flow plus net tokens at the token's last price, USD. */
  readonly marked: number;
  readonly wallets: number;
  readonly markets: number;
  readonly tokens: number;
  /** UTC milliseconds; null without rows. */
  readonly from: number | null;
  readonly to: number | null;
}

/** What tokens are worth, of the `cash`, `net` and `price` of each, decimals of 38 digits but for the price. */
const MARKED = 'coalesce(sum(cash + (net::DOUBLE * price)::DECIMAL(38, 6)), 0)::DOUBLE';

/**
 * Exact sums; the value of each token's net position is rounded to a millionth before it is added.
 *
 * @param relation SQL that reads the trades; it is read three times, a few columns each time, and never held
 * @param order SQL of a number that orders the trades by (time, place in the file)
 * @param byWallet name of a table to make of the fills of each wallet
 */
export async function policyTotals(
  duck: Duck,
  relation: string,
  order: string,
  byWallet: string,
): Promise<PolicyTotals> {
  await duck.run(`CREATE OR REPLACE TABLE ${byWallet} AS SELECT wallet, count(*) AS fills FROM ${relation} GROUP BY wallet;
    CREATE OR REPLACE TABLE token_totals AS SELECT token, any_value(market) AS market,
        sum(CASE side WHEN 'BUY' THEN -usd ELSE usd END) AS cash,
        sum(CASE side WHEN 'BUY' THEN shares ELSE -shares END) AS net,
        arg_max(usd::DOUBLE / shares::DOUBLE, ${order}) AS price
      FROM ${relation} GROUP BY token`);
  const [row] = await duck.rows<PolicyTotals>(
    `SELECT count(*)::DOUBLE AS "rows", coalesce(sum(usd), 0)::DOUBLE AS usd,
       coalesce(sum(usd) FILTER (role = 'taker'), 0)::DOUBLE AS "takerUsd",
       (SELECT count(*) FROM ${byWallet})::DOUBLE AS wallets,
       (SELECT count(DISTINCT market) FROM token_totals)::DOUBLE AS markets,
       (SELECT count(*) FROM token_totals)::DOUBLE AS tokens,
       (SELECT ${MARKED} FROM token_totals) AS marked,
       epoch_ms(min(time))::DOUBLE AS "from", epoch_ms(max(time))::DOUBLE AS "to"
     FROM ${relation}`,
  );
  await duck.run('DROP TABLE token_totals');
  return row as PolicyTotals;
}

/** The same of sums that were made while the trades were written. */
export async function summedTotals(
  duck: Duck,
  { from, to, byHour, byToken, byWallet }: SummedTrades,
): Promise<PolicyTotals> {
  const [row] = await duck.rows<Omit<PolicyTotals, 'from' | 'to'>>(
    `SELECT sum(fills)::DOUBLE AS "rows", sum(usd)::DOUBLE AS usd, sum(takerUsd)::DOUBLE AS "takerUsd",
       (SELECT count(*) FROM ${byWallet})::DOUBLE AS wallets,
       (SELECT count(DISTINCT market) FROM ${byToken})::DOUBLE AS markets,
       (SELECT count(*) FROM ${byToken})::DOUBLE AS tokens,
       (SELECT ${MARKED} FROM (SELECT cash::DECIMAL(38, 6) AS cash, net::DECIMAL(38, 6) AS net, price FROM ${byToken})) AS marked
     FROM ${byHour}`,
  );
  return { ...(row as Omit<PolicyTotals, 'from' | 'to'>), from, to };
}

/** The account of one file of trades. */
export function qualityOfTrades(options: {
  readonly source: string;
  readonly rowsRead: number;
  readonly refused: Refused;
  readonly policy: 'keep' | 'drop-exact';
  readonly keep: PolicyTotals;
  readonly drop: PolicyTotals;
  /** What is only to be said of this format. */
  readonly more: NonNullable<Quality['facts']>;
}): Quality {
  const { source, rowsRead, refused, policy, keep, drop, more } = options;
  const { from, to } = keep;
  return {
    source,
    rowsRead,
    rowsKept: policy === 'keep' ? keep.rows : drop.rows,
    rejected: refused.byReason,
    duplicates: { count: keep.rows - drop.rows, policy },
    totals: [
      { label: 'Fills', keep: keep.rows, dropExact: drop.rows, unit: 'rows' },
      { label: 'Volume', keep: keep.usd, dropExact: drop.usd, unit: 'USD' },
      {
        label: 'Profit and loss of all wallets, marked at the last price',
        keep: keep.marked,
        dropExact: drop.marked,
        unit: 'USD',
      },
    ],
    ...(from === null || to === null ? {} : { from: new Date(from).toISOString(), to: new Date(to).toISOString() }),
    facts: [
      { label: 'Wallets', value: keep.wallets },
      { label: 'Markets', value: keep.markets },
      { label: 'Tokens', value: keep.tokens },
      ...more,
    ],
  };
}
