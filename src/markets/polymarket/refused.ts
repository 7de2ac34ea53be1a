/** What was refused of a file, and when that is too much. */
import path from 'node:path';
import type { Quality } from '../../contract/metrics.ts';
import { FathomError, formatPlace } from '../../errors.ts';
import { type Duck, quote } from '../../tables/duck.ts';
import type { RawTable } from './csv.ts';

/** DuckDB's kinds of unreadable records, in our words. */
export const malformedReasons: Readonly<Record<string, string>> = {
  'MISSING COLUMNS': 'wrong number of columns',
  'TOO MANY COLUMNS': 'wrong number of columns',
  'UNQUOTED VALUE': 'unclosed quote',
  'INVALID ENCODING': 'not UTF-8',
  'LINE SIZE OVER MAXIMUM': 'line too long',
};

export interface Refused {
  readonly rows: number;
  readonly byReason: Quality['rejected'];
}

/**
 * Counts the refused rows of a file by reason, the commonest first.
 *
 * @param checked Parquet with `row`, the row of `raw`, and `reason`, null for good rows
 * @param maxRejected the largest share of rows that may be refused; beyond it this stops with one error
 */
export async function countRefused(
  duck: Pick<Duck, 'rows'>,
  raw: RawTable,
  checked: string,
  maxRejected: number,
): Promise<Refused> {
  const found = await duck.rows<{ reason: string; count: number; row: number }>(
    `SELECT reason, count(*)::DOUBLE AS count, min("row")::DOUBLE AS "row" FROM read_parquet(${quote(checked)})
     WHERE reason IS NOT NULL GROUP BY reason ORDER BY reason`,
  );
  const reasons = new Map<string, { count: number; line: number }>();
  for (const { reason, count, row } of found) reasons.set(reason, { count, line: await raw.lineOfRow(row) });
  for (const { record, reason } of raw.malformed) {
    const known = reasons.get(reason);
    if (known === undefined) reasons.set(reason, { count: 1, line: await raw.lineOfRecord(record) });
    else known.count++;
  }
  return summariseRefused(raw.file, raw.rows + raw.malformed.length, reasons, maxRejected);
}

/**
 * Sorts the reasons, the commonest first.
 *
 * @param file the file of the rows, for the places of the first ones
 * @param total rows of the file
 * @param maxRejected the largest share of rows that may be refused; beyond it this stops with one error
 */
export function summariseRefused(
  file: string,
  total: number,
  reasons: ReadonlyMap<string, { readonly count: number; readonly line: number }>,
  maxRejected: number,
): Refused {
  const sorted = [...reasons].sort((a, b) => b[1].count - a[1].count || (a[0] < b[0] ? -1 : 1));
  const rows = sorted.reduce((sum, [, { count }]) => sum + count, 0);
  const commonest = sorted[0];
  if (commonest !== undefined && rows > maxRejected * total) {
    const [reason, { count, line }] = commonest;
    throw new FathomError(
      'data',
      `${rows} of ${total} rows are refused (${percent(rows / total)}, allowed ${percent(maxRejected)}), ` +
        `most often, ${count} times: ${reason}`,
      {
        at: { file, line },
        hint: 'Mend the file, or raise maxRejected if the rest of it may be trusted.',
      },
    );
  }
  return {
    rows,
    byReason: sorted.map(([reason, { count, line }]) => ({
      reason,
      count,
      first: formatPlace({ file: path.basename(file), line }),
    })),
  };
}

function percent(share: number): string {
  return `${Number((share * 100).toPrecision(3))} %`;
}
