/** Flows as whole numbers in a file ordered by wallet, and read from it a range of wallets at a time. */
import { factTable } from '../../facts/layout.ts';
import type { Bucket } from '../../facts/read.ts';
import { type Duck, quote } from '../../tables/duck.ts';
import { streamNumbers } from '../../tables/stream.ts';
import { eventKinds, type FlowColumns } from './knowledge.ts';
import { micros } from './sources.ts';

const columns = [
  'wallet',
  'kind',
  'time',
  'market',
  'cash',
  'shares0',
  'shares1',
  'price0',
  'price1',
  'group',
] as const;

/**
 * Writes the flows with the last prices of their market's tokens before them, ordered as the pass takes them: by
 * wallet, time and kind. Conversions of one wallet, moment, event and transaction are one.
 */
export async function writeFlows(duck: Duck, facts: string, asOf: number | undefined, path: string): Promise<void> {
  const kinds = eventKinds.map((kind) => `'${kind}'`).join(', ');
  // Prices are whole millionths, so that shares of cash are exact, and strictly from before the flow.
  await duck.run(`CREATE TABLE flow_events AS SELECT w.id AS wallet, (list_position([${kinds}], f.kind) - 1) AS kind,
        epoch_us(f."time") AS "time", i.id AS market, i.event, f."transaction", ${micros('f.usd')} AS cash,
        ${micros('f.shares0')} AS shares0, ${micros('f.shares1')} AS shares1, k0.standsFor AS token0, k1.standsFor AS token1
      FROM moves f JOIN numbered_wallets w ON w.name = f.wallet LEFT JOIN numbered_markets i ON i.name = f.market
        LEFT JOIN (SELECT DISTINCT market, standsFor FROM numbered_tokens WHERE outcome = 0) k0 ON k0.market = i.id
        LEFT JOIN (SELECT DISTINCT market, standsFor FROM numbered_tokens WHERE outcome = 1) k1 ON k1.market = i.id;
    CREATE TABLE prices AS SELECT k.standsFor AS token, f."time",
        round(1000000 * (arg_max(f.usd, f.seq)::DOUBLE / arg_max(f.shares, f.seq)::DOUBLE)) AS price
      FROM ${factTable(facts)} f JOIN numbered_tokens k ON k.id = f.token
      WHERE f.shares > 0 ${asOf === undefined ? '' : `AND f."time" < ${asOf}`}
        AND k.standsFor IN (SELECT token0 FROM flow_events UNION SELECT token1 FROM flow_events)
      GROUP BY k.standsFor, f."time"`);
  await duck.run(`COPY (SELECT wallet::DOUBLE AS wallet, kind::DOUBLE AS kind, "time"::DOUBLE AS "time", coalesce(market, -1)::DOUBLE AS market,
        cash::DOUBLE AS cash, shares0::DOUBLE AS shares0, shares1::DOUBLE AS shares1, price0, price1,
        CASE WHEN kind = ${eventKinds.indexOf('conversion')} THEN dense_rank() OVER (ORDER BY wallet, "time", event, "transaction")::DOUBLE ELSE 0 END AS "group"
      FROM (SELECT f.*, p0.price AS price0, p1.price AS price1 FROM flow_events f
        ASOF LEFT JOIN prices p0 ON p0.token = f.token0 AND f."time" > p0."time"
        ASOF LEFT JOIN prices p1 ON p1.token = f.token1 AND f."time" > p1."time")
      ORDER BY wallet, "time", kind, CASE WHEN kind = ${eventKinds.indexOf('conversion')} THEN event END, "transaction", market, cash, shares0, shares1)
    TO ${quote(path)} (FORMAT parquet)`);
  await duck.run('DROP TABLE prices; DROP TABLE flow_events');
}

/** No flows at all. */
export const noFlows: FlowColumns = columnsOf(0);

function columnsOf(count: number): FlowColumns {
  return { count, ...Object.fromEntries(columns.map((name) => [name, new Float64Array(count)])) } as FlowColumns;
}

/** The flows of the wallets of a bucket. */
export async function readFlows(duck: Duck, path: string, { from, to }: Bucket): Promise<FlowColumns> {
  const relation = `read_parquet(${quote(path)}) WHERE wallet >= ${from} AND wallet < ${to}`;
  const [counted] = await duck.rows<{ rows: number }>(`SELECT count(*)::DOUBLE AS "rows" FROM ${relation}`);
  const flows = columnsOf(counted?.rows ?? 0);
  const names = columns.map((name) => `"${name}"`).join(', ');
  let offset = 0;
  await streamNumbers(duck, `SELECT ${names} FROM ${relation}`, flows.count, (chunk, count) => {
    columns.forEach((name, c) => {
      flows[name].set((chunk[c] as Float64Array).subarray(0, count), offset);
    });
    offset += count;
  });
  return flows;
}
