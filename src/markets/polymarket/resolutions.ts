/** Payouts of markets from a file of one's own: neither format of trades has them. */
import path from 'node:path';
import type { Quality } from '../../contract/metrics.ts';
import { FathomError } from '../../errors.ts';
import { type Duck, quote } from '../../tables/duck.ts';
import { copyCanonical } from '../write-canonical.ts';
import * as check from './checks.ts';
import { type RawTable, readCsv } from './csv.ts';
import { refuseSchemaChange } from './csv-rows.ts';
import { countRefused, type Refused } from './refused.ts';

export const resolutionColumns = ['market_id', 'payout1', 'payout2', 'final_at'] as const;

/** Writes `checked`: `row`, `reason` and the canonical fields. A market with two different resolutions stops. */
export async function checkResolutions(duck: Duck, raw: RawTable, checked: string): Promise<void> {
  const market = `coalesce(${check.marketNumber('market_id')},
    CASE WHEN regexp_full_match(market_id, '0x[0-9a-fA-F]{64}') THEN lower(market_id) END)`;
  const time = check.utcTime('final_at');
  const payout = (column: string): string => `try_cast(${column} AS DECIMAL(18, 6))`;
  const reason = check.firstReason([
    { reason: 'market_id: not a market', when: `(${market}) IS NULL` },
    ...check.notNumber('payout1'),
    ...check.notNumber('payout2'),
    {
      reason: 'payouts: not 0, 0.5 or 1 that add up to 1',
      when: `NOT coalesce(${payout('payout1')} IN (0, 0.5, 1) AND ${payout('payout1')} + ${payout('payout2')} = 1, false)`,
    },
    check.timeOutside('final_at', time),
  ]);
  await duck.run(`COPY (SELECT file_row_number AS "row", ${reason} AS reason, ${market} AS market,
      ${payout('payout1')}::DOUBLE AS payout0, ${payout('payout2')}::DOUBLE AS payout1, ${time} AS finalAt
    FROM read_parquet(${quote(raw.parquet)}, file_row_number = true))
    TO ${quote(checked)} (FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1)`);
  const [twice] = await duck.rows<{ row: number; market: string }>(
    `SELECT max("row")::DOUBLE AS "row", market FROM read_parquet(${quote(checked)}) WHERE reason IS NULL
     GROUP BY market HAVING count(DISTINCT (payout0, finalAt)) > 1 ORDER BY "row" LIMIT 1`,
  );
  if (twice !== undefined)
    throw new FathomError('data', `market ${twice.market} has two different resolutions`, {
      at: { file: raw.file, line: await raw.lineOfRow(twice.row) },
    });
}

/**
 * A query for the canonical resolutions of markets of `markets`, a canonical file. A final payout is public on the
 * chain at that moment, so it is knowable from then on.
 */
function resolutionRows(checked: string, markets: string): string {
  return `SELECT market, any_value(payout0) AS payout0, any_value(payout1) AS payout1, NULL::TIMESTAMP AS proposedAt,
      any_value(finalAt) AS finalAt,
      any_value(finalAt) AS knowableAt
    FROM read_parquet(${quote(checked)}) WHERE reason IS NULL
      AND market IN (SELECT market FROM read_parquet(${quote(markets)})) GROUP BY market`;
}

/** What was read of a file of resolutions. */
export interface ImportedResolutions {
  /** The file without its folders. */
  readonly name: string;
  readonly endsInLineBreak: boolean;
  /** Markets with a resolution. */
  readonly kept: number;
  readonly quality: Quality;
}

/**
 * Writes the canonical resolutions of a file.
 *
 * @param paths.markets canonical markets
 * @param paths.resolutions where the resolutions go
 * @param paths.scratch a folder for temporary files
 * @param maxRejected the largest share of rows that may be refused
 */
export async function importResolutions(
  duck: Duck,
  file: string,
  paths: { readonly markets: string; readonly resolutions: string; readonly scratch: string },
  maxRejected: number,
): Promise<ImportedResolutions> {
  const raw = await readCsv(duck, file, resolutionColumns, path.join(paths.scratch, 'raw-resolutions.parquet'));
  const checked = path.join(paths.scratch, 'checked-resolutions.parquet');
  await refuseSchemaChange(raw);
  await checkResolutions(duck, raw, checked);
  const refused = await countRefused(duck, raw, checked, maxRejected);
  await copyCanonical(duck, 'resolutions', resolutionRows(checked, paths.markets), paths.resolutions);
  const [counted] = await duck.rows<{ n: number }>(
    `SELECT count(*)::DOUBLE AS n FROM read_parquet(${quote(paths.resolutions)})`,
  );
  const { n: kept } = counted as { n: number };
  const { endsInLineBreak } = raw.survey;
  return { name: raw.name, endsInLineBreak, kept, quality: resolutionsQuality(raw, refused, kept) };
}

/** The account of one file of resolutions, of which so many markets were kept. */
export function resolutionsQuality(raw: RawTable, refused: Refused, kept: number): Quality {
  const rowsRead = raw.rows + raw.malformed.length;
  return {
    source: raw.name,
    rowsRead,
    rowsKept: kept,
    rejected: refused.byReason,
    duplicates: { count: 0, policy: 'a market repeated alike counts once' },
    facts: [{ label: 'Rows of markets not imported, or repeated', value: rowsRead - refused.rows - kept }],
  };
}
