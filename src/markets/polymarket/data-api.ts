/**
 * Fills as the venue's data API lists them: one row is one wallet's fill. Times have no zone, there is no transaction,
 * no role, no counterparty and no order of the outcomes; prices carry up to 19 decimals.
 */
import { FathomError } from '../../errors.ts';
import { type Duck, quote } from '../../tables/duck.ts';
import { categorySql } from '../categories.ts';
import * as check from './checks.ts';
import type { RawTable } from './csv.ts';

export const dataApiColumns = [
  'timestamp',
  'title',
  'size',
  'price',
  'side',
  'asset',
  'conditionId',
  'proxyWallet',
  'outcome',
] as const;

/** Pairs of outcomes whose order is the same in every market; other pairs (teams) come in an order of their own. */
const outcomeIndex = `CASE lower(outcome) WHEN 'yes' THEN 0 WHEN 'no' THEN 1 WHEN 'up' THEN 0 WHEN 'down' THEN 1
  WHEN 'over' THEN 0 WHEN 'under' THEN 1 END`;

/** Writes `checked`: `row`, `reason`, `fingerprint` and the fields of a fill. */
export async function checkDataApi(duck: Duck, raw: RawTable, timeZone: string, checked: string): Promise<void> {
  const zone = quote(timeZone);
  const local = check.naiveTime('timestamp');
  const moment = `timezone(${zone}, ${local})`;
  const price = check.exact('price', 20, 19);
  const reason = check.firstReason([
    check.timeOutside('timestamp', local),
    {
      reason: 'timestamp: the clocks of the time zone skip it',
      when: `NOT coalesce(timezone(${zone}, ${moment}) = ${local}, false)`,
    },
    ...check.badAmount('size'),
    check.zeroAmount('size'),
    ...check.notNumber('price'),
    check.priceOutside('price'),
    { reason: 'price: more than 19 decimals', when: `(${price}) IS NULL` },
    check.notOneOf('side', ['BUY', 'SELL']),
    check.notToken('asset'),
    check.notHash('conditionId'),
    check.notAddress('proxyWallet'),
    check.absent('title'),
    check.absent('outcome'),
  ]);
  const fields = dataApiColumns.map((name) => `coalesce("${name}", '')`).join(', ');
  await duck.run(`COPY (SELECT file_row_number AS "row", ${reason} AS reason,
      md5_number(concat_ws(chr(31), ${fields})) AS fingerprint,
      timezone('UTC', ${moment}) AS time,
      coalesce(timezone(${zone}, ${moment} - INTERVAL 1 HOUR) = ${local}
        OR timezone(${zone}, ${moment} + INTERVAL 1 HOUR) = ${local}, false) AS "repeated",
      lower(conditionId) AS market, lower(conditionId) AS event, asset AS token, title, outcome,
      (${outcomeIndex})::INTEGER AS outcomeIndex, lower(proxyWallet) AS wallet, NULL::VARCHAR AS counterparty,
      NULL::VARCHAR AS role, side,
      CASE WHEN (${price}) BETWEEN 0 AND 1 AND (${check.amount('size')}) > 0
        THEN ${check.fromMillionths(check.productInMillionths(check.amount('size'), price))} END AS usd,
      ${check.amount('size')} AS shares, NULL::VARCHAR AS "transaction"
    FROM read_parquet(${quote(raw.parquet)}, file_row_number = true))
    TO ${quote(checked)} (FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1)`);
  await refuseContradictions(duck, raw, checked);
}

/** A token is one outcome of one market; a file that says otherwise is damaged or was cut inside a field. */
async function refuseContradictions(duck: Duck, raw: RawTable, checked: string): Promise<void> {
  const [found] = await duck.rows<{ row: number; token: string; what: string }>(
    `WITH good AS (SELECT "row", token, market || ' ' || outcome AS what FROM read_parquet(${quote(checked)})
       WHERE reason IS NULL),
     firsts AS (SELECT token, arg_min(what, "row") AS what FROM good GROUP BY token)
     SELECT good."row"::DOUBLE AS "row", good.token, good.what
     FROM good JOIN firsts ON firsts.token = good.token AND firsts.what <> good.what ORDER BY good."row" LIMIT 1`,
  );
  if (found === undefined) return;
  const line = await raw.lineOfRow(found.row);
  const cut = line === raw.survey.lines && !raw.survey.endsInLineBreak;
  throw new FathomError(
    'data',
    cut
      ? 'the last line is cut: its outcome is not the one that its token has above'
      : `token ${found.token.slice(0, 12)}... stands for two outcomes or markets: the file contradicts itself`,
    { at: { file: raw.file, line }, hint: 'Copy or download the file again.' },
  );
}

/** A query for the canonical markets: all that the fills tell of them. */
export function dataApiMarkets(checked: string): string {
  const good = `(SELECT * FROM read_parquet(${quote(checked)}) WHERE reason IS NULL)`;
  const of = (column: string, index: number): string => `max(${column}) FILTER (outcomeIndex = ${index})`;
  return `SELECT market, market AS event, question, NULL::VARCHAR AS slug, ${categorySql('question')} AS category,
      outcome0, outcome1, token0, token1, NULL::TIMESTAMP AS createdAt, NULL::TIMESTAMP AS closedAt
    FROM (SELECT market, arg_min(title, "row") AS question, ${of('outcome', 0)} AS outcome0, ${of('outcome', 1)} AS outcome1,
      ${of('token', 0)} AS token0, ${of('token', 1)} AS token1 FROM ${good} GROUP BY market)`;
}
