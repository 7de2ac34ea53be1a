/** Writes a simulated world as canonical tables. */
import { DOUBLE, DuckDBDataChunk } from '@duckdb/node-api';
import { type Duck, quote } from '../../tables/duck.ts';
import { copyCanonical, orderGroupSql } from '../write-canonical.ts';
import { fillColumns } from './fills.ts';
import { slugOf } from './names.ts';
import type { World } from './simulate.ts';

const CHUNK = 2048;

/** A vector of doubles as it is at run time: its array is private in the types, but ten times faster than its setter. */
interface DoubleVector {
  readonly items: Float64Array;
  flush(): void;
}

/** Creates the tables `fills`, `market` and `wallet` with the numbers and names of the world. */
export async function loadWorld(duck: Duck, world: World): Promise<void> {
  await duck.run(`CREATE TABLE fills (${fillColumns.map((name) => `"${name}" DOUBLE`).join(', ')});
    CREATE TABLE market (id INTEGER, event INTEGER, category VARCHAR, question VARCHAR, slug VARCHAR, token0 VARCHAR,
      token1 VARCHAR, opens DOUBLE, closes DOUBLE, finalAt DOUBLE, payout0 DOUBLE);
    CREATE TABLE wallet (id INTEGER, address VARCHAR, archetype VARCHAR, edge DOUBLE)`);
  const fills = await duck.connection.createAppender('fills');
  const columns = fillColumns.map((name) => world.fills.column(name));
  for (let from = 0; from < world.fills.size; from += CHUNK) {
    const chunk = DuckDBDataChunk.create(
      columns.map(() => DOUBLE),
      Math.min(CHUNK, world.fills.size - from),
    );
    columns.forEach((column, c) => {
      const vector = chunk.getColumnVector(c) as unknown as DoubleVector;
      vector.items.set(column.subarray(from, from + CHUNK));
      vector.flush();
    });
    fills.appendDataChunk(chunk);
  }
  fills.closeSync();

  const markets = await duck.connection.createAppender('market');
  world.markets.forEach((market, id) => {
    markets.appendInteger(id);
    markets.appendInteger(market.event);
    markets.appendVarchar(market.category);
    markets.appendVarchar(market.question);
    markets.appendVarchar(slugOf(market.question));
    markets.appendVarchar(market.tokens[0]);
    markets.appendVarchar(market.tokens[1]);
    markets.appendDouble(market.opens);
    markets.appendDouble(market.closes);
    markets.appendDouble(market.finalAt);
    markets.appendDouble(market.fiftyFifty ? 0.5 : market.happens ? 1 : 0);
    markets.endRow();
  });
  markets.closeSync();

  const wallets = await duck.connection.createAppender('wallet');
  world.wallets.forEach((wallet, id) => {
    wallets.appendInteger(id);
    wallets.appendVarchar(wallet.address);
    wallets.appendVarchar(wallet.archetype);
    wallets.appendDouble(world.edges[id] as number);
    wallets.endRow();
  });
  wallets.closeSync();
}

/** Writes the tables that `loadWorld` made to the given paths. */
export async function writeWorld(
  duck: Duck,
  world: Pick<World, 'start' | 'end'>,
  paths: Readonly<Record<'trades' | 'markets' | 'resolutions' | 'truth', string>>,
): Promise<void> {
  const time = (seconds: string): string => `make_timestamp((${world.start} + (${seconds}) * 1000)::BIGINT * 1000)`;
  const marketId = (number: string): string => `'m' || lpad(${number}::INTEGER::VARCHAR, 7, '0')`;
  const eventId = (number: string): string => `'e' || lpad(${number}::INTEGER::VARCHAR, 7, '0')`;
  // Whole millionths divided by a million in decimal arithmetic: exact.
  const money = (column: string): string =>
    `(${column}::BIGINT::DECIMAL(18, 0) * 0.000001::DECIMAL(7, 6))::DECIMAL(18, 6)`;

  await copyCanonical(
    duck,
    'trades',
    `SELECT *, ${orderGroupSql} AS orderGroup FROM (SELECT f.rowid AS seq, ${time('f.time')} AS time, ${marketId('f.market')} AS market,
       ${eventId('m.event')} AS event, CASE WHEN f.outcome = 0 THEN m.token0 ELSE m.token1 END AS token,
       CASE WHEN f.outcome = 0 THEN 'Yes' ELSE 'No' END AS outcome, f.outcome::INTEGER AS outcomeIndex,
       w.address AS wallet, c.address AS counterparty, CASE WHEN f.maker = 1 THEN 'maker' ELSE 'taker' END AS role,
       CASE WHEN f.sell = 1 THEN 'SELL' ELSE 'BUY' END AS side, f.usd / f.shares AS price,
       ${money('f.usd')} AS usd, ${money('f.shares')} AS shares, 0::DECIMAL(18, 6) AS fee,
       '0x' || sha256(${quote(String(world.start))} || ':' || m.token0 || ':' || f.transaction::BIGINT) AS transaction
     FROM fills f JOIN market m ON m.id = f.market JOIN wallet w ON w.id = f.wallet
       JOIN wallet c ON c.id = f.counterparty)`,
    paths.trades,
  );
  await copyCanonical(
    duck,
    'markets',
    `SELECT ${marketId('id')} AS market, ${eventId('event')} AS event, question, slug, category, 'Yes' AS outcome0,
       'No' AS outcome1, token0, token1, ${time('opens')} AS createdAt,
       CASE WHEN closes < ${world.end} THEN ${time('closes')} END AS closedAt FROM market`,
    paths.markets,
  );
  await copyCanonical(
    duck,
    'resolutions',
    `SELECT ${marketId('id')} AS market, payout0, 1 - payout0 AS payout1, NULL::TIMESTAMP AS proposedAt, ${time('finalAt')} AS finalAt,
       ${time('finalAt')} AS knowableAt FROM market WHERE finalAt < ${world.end}`,
    paths.resolutions,
  );
  await copyCanonical(
    duck,
    'truth',
    `SELECT w.address AS wallet, w.archetype, w.edge, ${time('f.first')} AS firstActiveAt
     FROM wallet w LEFT JOIN (SELECT wallet AS id, min(time) AS first FROM fills GROUP BY wallet) f ON f.id = w.id`,
    paths.truth,
  );
}
