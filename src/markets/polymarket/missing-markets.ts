/** Markets of poly_data version 1 that stand in a file of their own, because a trade named them later. */
import { FathomError } from '../../errors.ts';
import { type Duck, quote } from '../../tables/duck.ts';
import type { RawTable } from './csv.ts';
import { polyDataMarkets } from './poly-data.ts';

/** A file of markets and its rows as `checkPolyDataMarkets` wrote them. */
export interface CheckedMarkets {
  readonly raw: RawTable;
  readonly checked: string;
}

/**
 * A query for the markets of both files; one that stands in both comes from the first. Stops where they disagree: a
 * token in both must be the same outcome of the same market, and a market in both must have the same tokens.
 */
export async function mergeMissingMarkets(
  duck: Pick<Duck, 'rows'>,
  main: CheckedMarkets,
  missing: CheckedMarkets,
): Promise<string> {
  const good = ({ checked }: CheckedMarkets): string =>
    `(SELECT * FROM read_parquet(${quote(checked)}) WHERE reason IS NULL AND occurrence = 1)`;
  const tokens = (file: CheckedMarkets): string =>
    `(SELECT "row", market, 0 AS i, token0 AS token FROM ${good(file)} UNION ALL SELECT "row", market, 1, token1 FROM ${good(file)})`;
  const [found] = await duck.rows<{ row: number; other: number; what: string }>(
    `SELECT b."row"::DOUBLE AS "row", a."row"::DOUBLE AS other,
       'token ' || b.token || ' stands for two outcomes or markets' AS what
     FROM ${tokens(main)} a JOIN ${tokens(missing)} b
       ON a.token = b.token AND (a.market <> b.market OR a.i <> b.i)
     UNION ALL SELECT b."row"::DOUBLE, a."row"::DOUBLE, 'market ' || b.market || ' has two pairs of tokens'
     FROM ${good(main)} a JOIN ${good(missing)} b ON a.market = b.market AND (a.token0 <> b.token0 OR a.token1 <> b.token1)
     ORDER BY "row", what LIMIT 1`,
  );
  if (found !== undefined)
    throw new FathomError(
      'data',
      `${found.what}; the other one is ${main.raw.file}:${await main.raw.lineOfRow(found.other)}`,
      {
        at: { file: missing.raw.file, line: await missing.raw.lineOfRow(found.row) },
        hint: 'One of the two files is wrong: find out which, and take the market out of it.',
      },
    );
  return `${polyDataMarkets(main.checked)} UNION ALL SELECT * FROM (${polyDataMarkets(missing.checked)})
    WHERE market NOT IN (SELECT market FROM (${polyDataMarkets(main.checked)}))`;
}
