/** Writes a simulated world as canonical tables. */
import { type Duck, quote } from '../../tables/duck.ts';
import { copyCanonical } from '../write-canonical.ts';
import { loadFills } from './load-fills.ts';
import { HUNDREDTH_IN_MILLIONTHS, HUNDREDTH_TICK_IN_MILLIONTHS } from './merge.ts';
import { slugOf } from './names.ts';
import type { World } from './simulate.ts';

/**
 * Creates the tables `fills`, `market`, `token` and `wallet` with the numbers and names of the world: fills in order of
 * time, the others by number.
 */
export async function loadWorld(duck: Duck, world: World): Promise<void> {
  await loadFills(duck, world);
  await loadMarkets(duck, world);
  await loadWallets(duck, world);
}

async function loadMarkets(duck: Duck, world: World): Promise<void> {
  await duck.run(`CREATE TABLE market (id INTEGER, event INTEGER, category VARCHAR, question VARCHAR, slug VARCHAR,
    token0 VARCHAR, token1 VARCHAR, opens DOUBLE, closes DOUBLE, proposedAt DOUBLE, disputedAt DOUBLE,
    disputes INTEGER, finalAt DOUBLE, payout0 DOUBLE, startProbability DOUBLE, happens BOOLEAN, fiftyFifty BOOLEAN,
    exclusive BOOLEAN, news INTEGER)`);
  const rows = await duck.connection.createAppender('market');
  let id = 0;
  world.shards.forEach(({ markets }, s) => {
    for (const market of markets) {
      const question = world.questions[id] as string;
      const [token0, token1] = world.tokens[id] as readonly [string, string];
      rows.appendInteger(id++);
      rows.appendInteger(market.event + (world.offsets[s]?.event as number));
      rows.appendVarchar(market.category);
      rows.appendVarchar(question);
      rows.appendVarchar(slugOf(question));
      rows.appendVarchar(token0);
      rows.appendVarchar(token1);
      rows.appendDouble(market.opens);
      rows.appendDouble(market.closes);
      rows.appendDouble(market.proposedAt);
      if (market.disputedAt[0] === undefined) rows.appendNull();
      else rows.appendDouble(market.disputedAt[0]);
      rows.appendInteger(market.disputedAt.length);
      rows.appendDouble(market.finalAt);
      rows.appendDouble(market.fiftyFifty ? 0.5 : market.happens ? 1 : 0);
      rows.appendDouble(market.startProbability);
      rows.appendBoolean(market.happens);
      rows.appendBoolean(market.fiftyFifty);
      rows.appendBoolean(market.exclusive);
      rows.appendInteger(market.news.length);
      rows.endRow();
    }
  });
  rows.closeSync();
  await duck.run(`CREATE TABLE token AS SELECT id * 2 + outcome AS id, ${marketId('id')} AS market,
      ${eventId('event')} AS event, CASE outcome WHEN 0 THEN token0 ELSE token1 END AS token,
      CASE outcome WHEN 0 THEN 'Yes' ELSE 'No' END AS outcome, outcome AS outcomeIndex
    FROM market, (VALUES (0), (1)) o(outcome) ORDER BY id`);
}

async function loadWallets(duck: Duck, world: World): Promise<void> {
  await duck.run(`CREATE TABLE wallet (id INTEGER, address VARCHAR, archetype VARCHAR, edge DOUBLE, family VARCHAR,
    follows INTEGER, arrives DOUBLE, latency DOUBLE)`);
  const rows = await duck.connection.createAppender('wallet');
  let id = 0;
  world.shards.forEach(({ wallets, edges }, s) => {
    const offset = world.offsets[s]?.wallet as number;
    wallets.forEach((wallet, w) => {
      rows.appendInteger(id);
      rows.appendVarchar(world.addresses[id++] as string);
      rows.appendVarchar(wallet.archetype);
      rows.appendDouble(edges[w] as number);
      if (wallet.family < 0) rows.appendNull();
      else rows.appendVarchar(`${wallet.archetype}-${s}-${wallet.family}`);
      if (wallet.follows < 0) rows.appendNull();
      else rows.appendInteger(wallet.follows + offset);
      rows.appendDouble(wallet.from);
      if (Number.isNaN(wallet.latencySeconds)) rows.appendNull();
      else rows.appendDouble(wallet.latencySeconds);
      rows.endRow();
    });
  });
  rows.closeSync();
}

const marketId = (number: string): string => `'m' || lpad(${number}::INTEGER::VARCHAR, 7, '0')`;
const eventId = (number: string): string => `'e' || lpad(${number}::INTEGER::VARCHAR, 7, '0')`;

/** Names of the tables that `writeWorld` writes. */
export const worldTables = [
  'trades',
  'markets',
  'events',
  'resolutions',
  'feeSchedules',
  'truth',
  'marketTruth',
] as const;
export type WorldTable = (typeof worldTables)[number];

/** Writes the tables that `loadWorld` made to the given paths. */
export async function writeWorld(duck: Duck, world: World, pathOf: (table: WorldTable) => string): Promise<void> {
  const time = (seconds: string): string => `make_timestamp((${world.start} + (${seconds})::BIGINT * 1000) * 1000)`;
  await writeTrades(duck, world, pathOf('trades'), time('f.time'));
  const queries: Readonly<Record<Exclude<WorldTable, 'trades'>, string>> = {
    markets: `SELECT ${marketId('id')} AS market, ${eventId('event')} AS event, question, slug, category,
        'Yes' AS outcome0, 'No' AS outcome1, token0, token1, ${time('opens')} AS createdAt,
        CASE WHEN closes < ${world.end} THEN ${time('closes')} END AS closedAt FROM market`,
    events: `SELECT ${eventId('event')} AS event, min_by(question, id) AS title, min_by(slug, id) AS slug,
        min_by(category, id) AS category, bool_or(exclusive) AS negRisk, ${time('min(opens)')} AS startAt,
        ${time('max(closes)')} AS endAt, CASE WHEN max(closes) < ${world.end} THEN ${time('max(closes)')} END AS closedAt
      FROM market GROUP BY event`,
    resolutions: `SELECT ${marketId('id')} AS market, payout0, 1 - payout0 AS payout1,
        ${time('proposedAt')} AS proposedAt, ${time('finalAt')} AS finalAt, ${time('finalAt')} AS knowableAt
      FROM market WHERE finalAt < ${world.end}`,
    feeSchedules: `SELECT ${marketId('id')} AS market, ${time('s.fromDay * 86400')} AS effectiveFrom, s.rate, s.exponent,
        s.takerOnly, s.rebateShare FROM market, (${feeRows(world)}) s`,
    truth: `SELECT w.address AS wallet, w.archetype, w.edge, ${time('f.first')} AS firstActiveAt, w.family,
        l.address AS follows,
        CASE WHEN w.archetype = 'skilled' THEN ${world.params.skillHalfLifeDays ?? 'NULL'} END AS edgeHalfLifeDays,
        ${time('floor(w.arrives)')} AS arrivesAt, w.latency AS latencySeconds
      FROM wallet w LEFT JOIN wallet l ON l.id = w.follows
        LEFT JOIN (SELECT wallet AS id, min(time) AS first FROM fills GROUP BY wallet) f ON f.id = w.id`,
    marketTruth: `SELECT ${marketId('id')} AS market, startProbability, happens, fiftyFifty, exclusive,
        ${time('closes')} AS closesAt, ${time('proposedAt')} AS proposedAt, ${time('disputedAt')} AS disputedAt,
        disputes, ${time('finalAt')} AS finalAt, news FROM market`,
  };
  for (const [table, query] of Object.entries(queries) as [keyof typeof queries, string][])
    await copyCanonical(duck, table, query, pathOf(table));
}

function feeRows({ params }: World): string {
  const none = 'SELECT 0 AS fromDay, 0 AS rate, 1 AS exponent, true AS takerOnly, 0 AS rebateShare WHERE false';
  return [
    none,
    ...params.fees.map(
      ({ fromDay, rate, exponent, takerOnly, rebateShare }) =>
        `SELECT ${fromDay}, ${rate}, ${exponent}, ${takerOnly}, ${rebateShare}`,
    ),
  ].join(' UNION ALL ');
}

/**
 * The fills lie in their order already, and a hash join keeps the order of the table that it looks up from, as long as
 * it fits into memory: sorting the finished rows, text and all, would take longer than everything else together. DuckDB
 * does not promise that order, so it is looked at afterwards.
 */
async function writeTrades(duck: Duck, world: World, path: string, time: string): Promise<void> {
  const money = (millionths: string): string =>
    `((${millionths})::BIGINT::DECIMAL(18, 0) * 0.000001::DECIMAL(7, 6))::DECIMAL(18, 6)`;
  // An odd factor makes a bijection of 32-bit numbers, so no two transactions share a hash.
  const high = '((f.transaction * 2654435761::BIGINT) & 4294967295)';
  const low = '((f.transaction * 2246822519::BIGINT) & 2147483647)';
  const scattered = `to_hex(${high} * 2147483648 + ${low})`;
  const query = `SELECT f.rowid AS seq, ${time} AS time, t.market, t.event, t.token, t.outcome, t.outcomeIndex,
      w.address AS wallet, c.address AS counterparty, CASE WHEN f.maker = 1 THEN 'maker' ELSE 'taker' END AS role,
      CASE WHEN f.sell = 1 THEN 'SELL' ELSE 'BUY' END AS side, f.ticks::DOUBLE / 1000 AS price,
      ${money(`f.size * f.ticks * ${HUNDREDTH_TICK_IN_MILLIONTHS}`)} AS usd,
      ${money(`f.size * ${HUNDREDTH_IN_MILLIONTHS}`)} AS shares, ${money('f.fee')} AS fee,
      NULL AS orderHash, (hash(f.transaction, f.wallet, f.token, f.sell) >> 1)::BIGINT AS orderGroup,
      ${quote(world.transactionPrefix)} || lpad(${scattered}, 16, '0') AS transaction
    FROM fills f LEFT JOIN token t ON t.id = f.token LEFT JOIN wallet w ON w.id = f.wallet
      LEFT JOIN wallet c ON c.id = f.counterparty`;
  await duck.run("SET disabled_optimizers = 'join_order,build_side_probe_side'");
  await copyCanonical(duck, 'trades', query, path, true);
  await duck.run("SET disabled_optimizers = ''");
  const [order] = await duck.rows<{ sound: boolean | null }>(
    `SELECT bool_and(seq = file_row_number) AS sound FROM read_parquet(${quote(path)}, file_row_number = true)`,
  );
  if (order?.sound === false) await copyCanonical(duck, 'trades', query, path);
}
