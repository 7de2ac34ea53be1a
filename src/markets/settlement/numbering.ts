/**
 * Numbers for all that fills and flows name. Facts number what is traded by first appearance; wallets, markets and
 * tokens that only flows name follow in the order of the flows. Cutting off the future changes no number of the first
 * kind, and with a moment `asOf` numbers are given as if the later fills and flows had never been.
 */
import { FathomError } from '../../errors.ts';
import { factFiles, factTable } from '../../facts/layout.ts';
import type { ColumnSpec } from '../../tables/columns.ts';
import { copyToParquet, type Duck, quote } from '../../tables/duck.ts';
import { flowOrder } from '../flows.ts';

export interface Sizes {
  readonly wallets: number;
  readonly markets: number;
  /** Tokens with a name or an outcome. */
  readonly tokens: number;
  /** Wallets that the fills name: the flows' own come after them. */
  readonly filling: number;
  readonly flows: number;
}

const file = (name: string): string => `read_parquet(${quote(name)})`;

/**
 * Makes the tables `numbered_wallets` (only if there are flows), `numbered_markets` and `numbered_tokens`.
 *
 * Tokens of one market and outcome are one, however the source names them: `standsFor` is the first of them.
 *
 * @param facts folder of facts
 */
export async function numberAll(duck: Duck, facts: string, asOf: number | undefined): Promise<Sizes> {
  const files = factFiles(facts);
  const known = await knownBefore(duck, facts, asOf);
  await duck.run(`CREATE TABLE placed_moves AS SELECT *, row_number() OVER (ORDER BY ${flowOrder.map((name) => `"${name}"`).join(', ')}) AS place FROM moves;
    CREATE TABLE numbered_wallets AS WITH trading AS (SELECT wallet AS id, address AS name FROM ${file(files.wallets)} WHERE wallet < ${known.wallets})
      SELECT id, name FROM trading WHERE name IN (SELECT wallet FROM moves)
      UNION ALL SELECT (${known.wallets} + row_number() OVER (ORDER BY min(place)) - 1)::INTEGER, wallet FROM placed_moves
        WHERE wallet NOT IN (SELECT name FROM trading) GROUP BY wallet;
    CREATE TABLE numbered_markets AS WITH trading AS (SELECT market AS id, name, eventName FROM ${file(files.markets)} WHERE market < ${known.markets}),
        every AS (SELECT * FROM trading UNION ALL
          SELECT (${known.markets} + row_number() OVER (ORDER BY min(place)) - 1)::INTEGER, market, NULL FROM placed_moves
          WHERE market IS NOT NULL AND market NOT IN (SELECT name FROM trading) GROUP BY market)
      SELECT e.id, e.name, coalesce(m.event, e.eventName, e.name) AS event FROM every e LEFT JOIN listed m ON m.market = e.name`);
  // What a fill tells of its token counts from then on only.
  const told =
    asOf === undefined
      ? `SELECT token, outcome FROM ${file(files.tokens)}`
      : `SELECT token, min((flags >> 1) & 3) FILTER ((flags >> 1) & 3 < 2)::INTEGER AS outcome FROM ${factTable(facts)}
         WHERE "time" < ${asOf} GROUP BY token`;
  await duck.run(`CREATE TABLE traded_tokens AS SELECT t.token AS id, t.market, t.name, o.outcome AS told,
        CASE t.name WHEN m.token0 THEN 0 WHEN m.token1 THEN 1 END AS listed
      FROM ${file(files.tokens)} t JOIN numbered_markets k ON k.id = t.market JOIN (${told}) o ON o.token = t.token
        LEFT JOIN listed m ON m.market = k.name WHERE t.token < ${known.tokens}`);
  const [torn] = await duck.rows<{ token: string; market: string }>(
    `SELECT t.name AS token, k.name AS market FROM traded_tokens t JOIN numbered_markets k ON k.id = t.market
     WHERE told <> listed ORDER BY t.id LIMIT 1`,
  );
  if (torn !== undefined)
    throw new FathomError('data', `token "${torn.token}" of market "${torn.market}" is both outcomes`, {
      hint: 'the trades call it one outcome, the list of markets the other',
    });
  await duck.run(`CREATE TABLE numbered_tokens AS WITH traded AS (SELECT id, market, name, coalesce(told, listed)::INTEGER AS outcome FROM traded_tokens),
        moved AS (SELECT k.id AS market, unnest([0, 1]) AS outcome FROM numbered_markets k
          WHERE k.name IN (SELECT market FROM moves WHERE kind NOT IN ('reward', 'rebate'))),
        every AS (SELECT * FROM traded UNION ALL
          SELECT (${known.tokens} + row_number() OVER (ORDER BY market, outcome) - 1)::INTEGER, market, NULL, outcome
          FROM moved WHERE (market, outcome) NOT IN (SELECT (market, outcome) FROM traded WHERE outcome IS NOT NULL)),
        standing AS (SELECT *, CASE WHEN outcome IS NULL THEN id ELSE min(id) OVER same END AS standsFor,
          CASE WHEN outcome IS NULL THEN name ELSE min(name) OVER same END AS token
          FROM every WINDOW same AS (PARTITION BY market, outcome))
      SELECT s.id, s.market, s.outcome, s.standsFor,
        coalesce(s.token, CASE s.outcome WHEN 0 THEN m.token0 WHEN 1 THEN m.token1 END) AS name
      FROM standing s JOIN numbered_markets k ON k.id = s.market LEFT JOIN listed m ON m.market = k.name`);
  const [sizes] = await duck.rows<Sizes>(
    `SELECT greatest(${known.wallets}, (SELECT coalesce(max(id) + 1, 0) FROM numbered_wallets))::DOUBLE AS wallets,
       (SELECT count(*) FROM numbered_markets)::DOUBLE AS markets, (SELECT count(*) FROM numbered_tokens)::DOUBLE AS tokens,
       ${known.wallets}::DOUBLE AS filling, (SELECT count(*) FROM placed_moves)::DOUBLE AS flows`,
  );
  return sizes as Sizes;
}

interface Known {
  readonly wallets: number;
  readonly markets: number;
  readonly tokens: number;
}

/** How many wallets, markets and tokens the fills before a moment name; their numbers are the first ones. */
async function knownBefore(duck: Duck, facts: string, asOf: number | undefined): Promise<Known> {
  const files = factFiles(facts);
  const count = (name: string): string => `(SELECT count(*) FROM ${file(name)})::DOUBLE`;
  const [known] = await duck.rows<Known>(
    asOf === undefined
      ? `SELECT ${count(files.wallets)} AS wallets, ${count(files.markets)} AS markets, ${count(files.tokens)} AS tokens`
      : `SELECT coalesce(1 + greatest(max(wallet), max(counterparty)), 0)::DOUBLE AS wallets,
           coalesce(1 + max(market), 0)::DOUBLE AS markets, coalesce(1 + max(token), 0)::DOUBLE AS tokens
         FROM ${factTable(facts)} WHERE "time" < ${asOf}`,
  );
  return known as Known;
}

const nameColumns: Readonly<Record<'wallets' | 'markets' | 'tokens', readonly ColumnSpec[]>> = {
  wallets: [
    { name: 'wallet', role: 'id', description: 'Number of the wallet in the ledger' },
    { name: 'address', role: 'info' },
  ],
  markets: [
    { name: 'market', role: 'id', description: 'Number of the market in the ledger' },
    { name: 'name', role: 'info', description: 'Id of the market' },
  ],
  tokens: [
    { name: 'token', role: 'id', description: 'Number of the token in the ledger' },
    { name: 'market', role: 'info', description: 'Number of its market' },
    { name: 'outcomeIndex', role: 'info', description: '0 or 1; null if the source does not tell' },
    { name: 'name', role: 'info', description: 'Id of the token; null if the source does not tell' },
  ],
};

/** Writes what the numbers stand for: wallets.parquet, markets.parquet and tokens.parquet in a folder. */
export async function writeNames(duck: Duck, facts: string, sizes: Sizes, folder: string): Promise<void> {
  const path = (name: string): string => `${folder}/${name}.parquet`;
  await copyToParquet(
    duck,
    `SELECT wallet, address FROM (SELECT wallet, address FROM ${file(factFiles(facts).wallets)} WHERE wallet < ${sizes.filling}
       UNION ALL SELECT id, name FROM numbered_wallets WHERE id >= ${sizes.filling}) ORDER BY wallet`,
    path('wallets'),
    nameColumns.wallets,
  );
  await copyToParquet(
    duck,
    'SELECT id AS market, name FROM numbered_markets ORDER BY id',
    path('markets'),
    nameColumns.markets,
  );
  await copyToParquet(
    duck,
    'SELECT id AS token, market, outcome AS outcomeIndex, name FROM numbered_tokens ORDER BY id',
    path('tokens'),
    nameColumns.tokens,
  );
}
