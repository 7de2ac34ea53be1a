/** What is to be settled, as DuckDB views of what was knowable before a moment, checked. */
import { FathomError } from '../../errors.ts';
import { type Duck, quote } from '../../tables/duck.ts';
import { parquetRelation } from '../../tables/parquet-files.ts';
import { formatMoment } from '../../tables/time.ts';
import { flowKinds } from '../flows.ts';

/** Paths of canonical tables, each a Parquet file or a folder of them. */
export interface SettlementSources {
  readonly markets: string;
  readonly resolutions?: string | undefined;
  readonly flows?: string | undefined;
  readonly feeSchedules?: string | undefined;
}

/** SQL for an amount in whole 1e-6. The product of a DECIMAL(18) would overflow from ten million on. */
export function micros(sql: string): string {
  return `((${sql})::DECIMAL(38,6) * 1000000)::BIGINT`;
}

const empty = {
  moves: `SELECT NULL::VARCHAR AS wallet, NULL::TIMESTAMP AS "time", NULL::VARCHAR AS market, NULL::VARCHAR AS kind,
    NULL::DECIMAL(18,6) AS usd, NULL::DECIMAL(18,6) AS shares0, NULL::DECIMAL(18,6) AS shares1, NULL::VARCHAR AS "transaction" WHERE false`,
  outcomes: `SELECT NULL::VARCHAR AS market, NULL::DOUBLE AS payout0, NULL::DOUBLE AS payout1,
    NULL::TIMESTAMP AS finalAt, NULL::TIMESTAMP AS knowableAt WHERE false`,
  terms: `SELECT NULL::VARCHAR AS market, NULL::TIMESTAMP AS effectiveFrom, NULL::DOUBLE AS rate, NULL::DOUBLE AS exponent,
    NULL::BOOLEAN AS takerOnly, NULL::DOUBLE AS rebateShare WHERE false`,
};

/**
 * Makes the views `listed` (markets), `moves` (flows), `outcomes` (resolutions) and `terms` (fee schedules) of what was
 * knowable strictly before `asOf` (microseconds), and refuses what no settlement can rest on.
 */
export async function openSources(duck: Duck, sources: SettlementSources, asOf: number | undefined): Promise<void> {
  const before = (column: string): string =>
    asOf === undefined ? '' : `WHERE ${column} < TIMESTAMP ${quote(formatMoment(asOf).replace('Z', ''))}`;
  const view = (name: keyof typeof empty, file: string | undefined, column: string): string =>
    `CREATE VIEW ${name} AS FROM ${file === undefined ? `(${empty[name]})` : parquetRelation(file)} ${before(column)};`;
  await duck.run(`CREATE VIEW listed AS FROM ${parquetRelation(sources.markets)};
    ${view('moves', sources.flows, '"time"')} ${view('outcomes', sources.resolutions, 'knowableAt')}
    ${view('terms', sources.feeSchedules, 'effectiveFrom')}`);
  if (sources.flows !== undefined) await checkFlows(duck, sources.flows);
  await checkMarkets(duck, sources);
  if (sources.feeSchedules !== undefined) await checkTerms(duck, sources.feeSchedules);
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

async function checkTerms(duck: Duck, file: string): Promise<void> {
  const millionths = (name: string): string => `abs(${name} * 1e6 - round(${name} * 1e6)) > 1e-6`;
  await refuse(duck, 'terms', file, 'fee schedules', [
    [
      'lack a value in market, effectiveFrom, rate, exponent, takerOnly or rebateShare',
      'market IS NULL OR effectiveFrom IS NULL OR rate IS NULL OR exponent IS NULL OR takerOnly IS NULL OR rebateShare IS NULL',
    ],
    ['have a rate or rebateShare outside 0 to 1', 'NOT (rate BETWEEN 0 AND 1 AND rebateShare BETWEEN 0 AND 1)'],
    ['have an exponent that is not above 0', 'NOT (exponent > 0 AND isfinite(exponent))'],
    ['have a rate or rebateShare finer than a millionth', `${millionths('rate')} OR ${millionths('rebateShare')}`],
  ]);
  const [twice] = await duck.rows<{ market: string }>(
    'SELECT market FROM terms GROUP BY market, effectiveFrom HAVING count(*) > 1 ORDER BY market LIMIT 1',
  );
  if (twice !== undefined)
    throw new FathomError('data', `${file}: market "${twice.market}" has two fee schedules from the same moment on`);
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
