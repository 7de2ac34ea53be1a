/** Checks what is to be settled and numbers wallets, markets and tokens, so that one pass can work on plain numbers. */
import { FathomError } from '../../errors.ts';
import { type Duck, quote } from '../../tables/duck.ts';
import { formatMoment } from '../../tables/time.ts';
import { flowKinds } from '../flows.ts';

/** Paths of the canonical Parquet tables. */
export interface SettlementSources {
  readonly trades: string;
  readonly markets: string;
  readonly resolutions?: string | undefined;
  readonly flows?: string | undefined;
}

export interface Sizes {
  readonly wallets: number;
  readonly markets: number;
  readonly tokens: number;
  /** Fills and flows together. */
  readonly events: number;
  readonly flows: number;
}

/** SQL for an amount in whole 1e-6. The product of a DECIMAL(18) would overflow from ten million on. */
export function micros(sql: string): string {
  return `((${sql})::DECIMAL(38,6) * 1000000)::BIGINT`;
}

const noFlows = `SELECT NULL::VARCHAR AS wallet, NULL::TIMESTAMP AS "time", NULL::VARCHAR AS market, NULL::VARCHAR AS kind,
  NULL::DECIMAL(18,6) AS usd, NULL::DECIMAL(18,6) AS shares0, NULL::DECIMAL(18,6) AS shares1, NULL::VARCHAR AS "transaction" WHERE false`;
const noResolutions = `SELECT NULL::VARCHAR AS market, NULL::DOUBLE AS payout0, NULL::DOUBLE AS payout1,
  NULL::TIMESTAMP AS finalAt, NULL::TIMESTAMP AS knowableAt WHERE false`;

/** What a row is in: its token, or its outcome where a source names no tokens; empty if it names neither. */
const nameOf = `coalesce(t.token, 'outcome ' || t.outcomeIndex, '')`;

/**
 * Makes the views `fills`, `moves` (flows) and `outcomes` (resolutions) of what was knowable strictly before `asOf`
 * (microseconds), the tables `wallet_ids`, `market_ids` and `token_ids`, each numbered
 * in the order of its names, and `numbered`: the fills by those numbers, amounts in 1e-6, times in microseconds.
 */
export async function numberAll(duck: Duck, sources: SettlementSources, asOf: number | undefined): Promise<Sizes> {
  const file = (name: string): string => `SELECT * FROM read_parquet(${quote(name)})`;
  const before = (column: string): string =>
    asOf === undefined ? '' : `WHERE ${column} < TIMESTAMP ${quote(formatMoment(asOf).replace('Z', ''))}`;
  await duck.run(`CREATE VIEW fills AS FROM (${file(sources.trades)}) ${before('"time"')};
    CREATE VIEW moves AS FROM (${sources.flows === undefined ? noFlows : file(sources.flows)}) ${before('"time"')};
    CREATE VIEW listed AS ${file(sources.markets)};
    CREATE VIEW outcomes AS FROM (${sources.resolutions === undefined ? noResolutions : file(sources.resolutions)}) ${before('knowableAt')}`);
  await checkFills(duck, sources.trades);
  if (sources.flows !== undefined) await checkFlows(duck, sources.flows);
  await checkMarkets(duck, sources);
  await duck.run(`CREATE TABLE wallet_ids AS SELECT wallet, (row_number() OVER (ORDER BY wallet) - 1)::INTEGER AS id
      FROM (SELECT wallet FROM fills UNION SELECT wallet FROM moves);
    CREATE TABLE market_ids AS SELECT market, (row_number() OVER (ORDER BY market) - 1)::INTEGER AS id
      FROM (SELECT market FROM fills UNION SELECT market FROM moves WHERE market IS NOT NULL);
    CREATE TABLE names AS SELECT t.market, ${nameOf} AS name, min(t.token) AS token,
        count(DISTINCT ${indexOf}) AS indexes, max(${indexOf}) AS outcomeIndex
      FROM fills t LEFT JOIN listed m USING (market) GROUP BY t.market, name`);
  const [torn] = await duck.rows<{ market: string; name: string }>(
    'SELECT market, name FROM names WHERE indexes > 1 ORDER BY market, name LIMIT 1',
  );
  if (torn !== undefined)
    throw new FathomError(
      'data',
      `${sources.trades}: token "${torn.name}" of market "${torn.market}" is both outcomes`,
    );
  await duck.run(`CREATE TABLE token_ids AS SELECT d.market, k.id AS marketId, d.outcomeIndex,
        coalesce(d.token, CASE d.outcomeIndex WHEN 0 THEN m.token0 WHEN 1 THEN m.token1 END) AS token, d.name,
        (row_number() OVER (ORDER BY d.market, d.outcomeIndex NULLS LAST, d.name) - 1)::INTEGER AS id
      FROM (SELECT market, outcomeIndex, CASE WHEN outcomeIndex IS NULL THEN name END AS name, min(token) AS token
          FROM (SELECT market, outcomeIndex, name, token FROM names
            UNION ALL SELECT market, unnest([0, 1]), NULL, NULL FROM (SELECT DISTINCT market FROM moves WHERE market IS NOT NULL))
          GROUP BY ALL) d
        JOIN market_ids k USING (market) LEFT JOIN listed m USING (market);
    CREATE TABLE name_ids AS SELECT n.market, n.name, k.marketId, k.id FROM names n JOIN token_ids k
      ON k.market = n.market AND k.outcomeIndex IS NOT DISTINCT FROM n.outcomeIndex
        AND (n.outcomeIndex IS NOT NULL OR k.name = n.name)`);
  // Long names are joined once; from here on all is numbers.
  await duck.run(`CREATE TABLE numbered AS SELECT w.id AS wallet, k.marketId, k.id AS token, epoch_us(t."time") AS "time", t.seq,
      t.side = 'BUY' AS buy, ${micros('t.usd')} AS usd, ${micros('t.shares')} AS shares, ${micros('t.fee')} AS fee,
      CASE t.role WHEN 'taker' THEN 0 WHEN 'maker' THEN 1 END AS role
    FROM fills t JOIN wallet_ids w USING (wallet) JOIN name_ids k ON k.market = t.market AND k.name = ${nameOf}`);
  const [sizes] = await duck.rows<Sizes>(
    `SELECT (SELECT count(*) FROM wallet_ids)::DOUBLE AS wallets, (SELECT count(*) FROM market_ids)::DOUBLE AS markets,
       (SELECT count(*) FROM token_ids)::DOUBLE AS tokens,
       ((SELECT count(*) FROM numbered) + (SELECT count(*) FROM moves))::DOUBLE AS events,
       (SELECT count(*) FROM moves)::DOUBLE AS flows`,
  );
  return sizes as Sizes;
}

const indexOf = `coalesce(t.outcomeIndex, CASE t.token WHEN m.token0 THEN 0 WHEN m.token1 THEN 1 END)`;

async function checkFills(duck: Duck, file: string): Promise<void> {
  await refuse(duck, 'fills', file, 'trades', [
    [
      'lack a value in seq, time, wallet, market, side, usd or shares',
      `seq IS NULL OR "time" IS NULL OR wallet IS NULL OR market IS NULL OR usd IS NULL OR shares IS NULL OR side IS NULL`,
    ],
    ['have a side that is neither BUY nor SELL', `side NOT IN ('BUY', 'SELL')`],
    ['have an outcomeIndex that is neither 0 nor 1', 'outcomeIndex NOT IN (0, 1)'],
    ['have a negative amount', 'usd < 0 OR shares < 0'],
  ]);
  const [found] = await duck.rows<{ repeated: number; back: number; largest: number }>(
    `SELECT count(*) FILTER (seq = beforeSeq)::DOUBLE AS repeated, count(*) FILTER ("time" < beforeTime)::DOUBLE AS back,
       (SELECT coalesce(max(total), 0)::DOUBLE FROM (SELECT sum(usd + shares + abs(coalesce(fee, 0))) AS total FROM fills GROUP BY wallet)) AS largest
     FROM (SELECT seq, "time", lag(seq) OVER (ORDER BY seq) AS beforeSeq, lag("time") OVER (ORDER BY seq) AS beforeTime FROM fills)`,
  );
  if (found === undefined) return;
  if (found.repeated > 0) throw new FathomError('data', `${file}: ${found.repeated} trades repeat a seq`);
  if (found.back > 0) throw new FathomError('data', `${file}: seq does not follow time`);
  exactUpTo(file, found.largest);
}

async function checkFlows(duck: Duck, file: string): Promise<void> {
  const kinds = flowKinds.map((kind) => quote(kind)).join(', ');
  await refuse(duck, 'moves', file, 'flows', [
    ['lack a value in wallet, time, kind or usd', 'wallet IS NULL OR "time" IS NULL OR kind IS NULL OR usd IS NULL'],
    [`have a kind that is none of ${flowKinds.join(', ')}`, `kind NOT IN (${kinds})`],
    ['name no market though tokens move', `market IS NULL AND kind NOT IN ('reward', 'rebate')`],
    [
      'do not say how many tokens move (only redemptions need not)',
      `kind IN ('split', 'merge', 'conversion') AND (shares0 IS NULL OR shares1 IS NULL)`,
    ],
    [
      'split for anything but cash, or merge into anything but cash',
      `kind = 'split' AND NOT (usd = -shares0 AND shares0 = shares1 AND shares0 >= 0)
      OR kind = 'merge' AND NOT (usd = -shares0 AND shares0 = shares1 AND shares0 <= 0)`,
    ],
    [
      'redeem for less than nothing or for tokens received',
      `kind = 'redeem' AND (usd < 0 OR coalesce(shares0 > 0, false) OR coalesce(shares1 > 0, false))`,
    ],
  ]);
  const [found] = await duck.rows<{ largest: number }>(
    `SELECT coalesce(max(total), 0)::DOUBLE AS largest FROM (SELECT
       sum(abs(usd) + abs(coalesce(shares0, 0)) + abs(coalesce(shares1, 0))) AS total FROM moves GROUP BY wallet)`,
  );
  exactUpTo(file, found?.largest ?? 0);
}

/** Sums are doubles of halves of 1e-6, exact below 2^53. Fills and flows may each take half of that. */
function exactUpTo(file: string, usd: number): void {
  const most = Math.floor(Number.MAX_SAFE_INTEGER / 4e6);
  if (usd > most)
    throw new FathomError(
      'data',
      `${file}: one wallet moves ${Math.round(usd)} USD and tokens; sums stay exact up to ${most}`,
      {
        hint: 'settle a shorter time, or check the units of usd and shares',
      },
    );
}

async function checkMarkets(duck: Duck, sources: SettlementSources): Promise<void> {
  for (const [view, name, file] of [
    ['listed', 'markets', sources.markets],
    ['outcomes', 'resolutions', sources.resolutions ?? ''],
  ] as const) {
    const [twice] = await duck.rows<{ market: string }>(
      `SELECT market FROM ${view} GROUP BY market HAVING count(*) > 1 ORDER BY market LIMIT 1`,
    );
    if (twice !== undefined)
      throw new FathomError('data', `${file}: market "${twice.market}" has several rows among the ${name}`);
  }
  await refuse(duck, 'outcomes', sources.resolutions ?? '', 'resolutions', [
    [
      'pay anything but 0, 0.5 or 1 that add up to 1',
      'NOT coalesce(payout0 IN (0, 0.5, 1) AND payout0 + payout1 = 1, false)',
    ],
  ]);
}

async function refuse(
  duck: Duck,
  view: string,
  file: string,
  rows: string,
  wrong: readonly (readonly [words: string, condition: string])[],
): Promise<void> {
  const counts = wrong.map(([, condition], i) => `count(*) FILTER (${condition})::DOUBLE AS c${i}`).join(', ');
  const [found] = await duck.rows<Record<string, number>>(`SELECT ${counts} FROM ${view}`);
  wrong.forEach(([words], i) => {
    const count = found?.[`c${i}`] ?? 0;
    if (count > 0)
      throw new FathomError('data', `${file}: ${count} ${rows} ${words}`, {
        hint: 'the stage that made them has to reject or mend such rows',
      });
  });
}
