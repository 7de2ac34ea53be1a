/** Snapshots of the data API in, canonical positions and leaderboard out, with an account of every row. */
import path from 'node:path';
import type { Figure } from '../../contract/figure.ts';
import type { MetricsFile, Quality } from '../../contract/metrics.ts';
import { FathomError } from '../../errors.ts';
import type { Duck } from '../../tables/duck.ts';
import { type CanonicalTable, canonicalColumns } from '../canonical.ts';
import { rejectionFigure } from '../describe.ts';
import { jsonRecords } from '../records/json.ts';
import { jsonLinesSql, writeJsonLines } from '../records/json-lines.ts';
import { Tally } from '../records/tally.ts';
import { microsecondsOf } from '../records/times.ts';
import { copyCanonical } from '../write-canonical.ts';
import { positionOf, type Reason, rankOf } from './rows.ts';

export interface SnapshotFiles {
  readonly positions: readonly string[];
  readonly leaderboard: readonly string[];
  /** ISO time with a zone. */
  readonly capturedAt: string;
  readonly maxRejected: number;
}

export interface SnapshotPaths {
  readonly positions: string;
  readonly leaderboard: string;
  /** A folder for temporary files. */
  readonly scratch: string;
}

/** Imports what files there are. Stops with one `FathomError` if they cannot be trusted. */
export async function importSnapshots(
  duck: Duck,
  options: SnapshotFiles,
  paths: SnapshotPaths,
): Promise<{ metrics: MetricsFile; figures: Figure[] }> {
  const capturedAt = microsecondsOf(options.capturedAt);
  if (capturedAt === undefined)
    throw new FathomError('data', `capturedAt: no time of the venue: ${options.capturedAt}`);
  const quality: Quality[] = [];
  const scalars: Record<string, number> = { rejected: 0, duplicates: 0 };
  const snapshot = async (
    table: 'positions' | 'leaderboard',
    reader: Reader,
    keyOf: (row: Record<string, unknown>) => string,
  ): Promise<void> => {
    const lines = path.join(paths.scratch, `${table}.jsonl`);
    const found = await readFiles(options[table], reader, keyOf, lines, options.maxRejected);
    quality.push(...found);
    scalars[table] = found.reduce((sum, { rowsKept }) => sum + rowsKept, 0);
    await copyCanonical(duck, table, rowsSql(table, lines, capturedAt), paths[table]);
  };
  if (options.positions.length > 0)
    await snapshot('positions', positionOf, (row) => `${row['wallet']} ${row['token']}`);
  if (options.leaderboard.length > 0) await snapshot('leaderboard', rankOf, (row) => String(row['wallet']));
  for (const { rejected, duplicates } of quality) {
    scalars['rejected'] = rejected.reduce((sum, { count }) => sum + count, scalars['rejected'] as number);
    scalars['duplicates'] = (scalars['duplicates'] as number) + duplicates.count;
  }
  const figures = quality.map(rejectionFigure).filter((figure) => figure !== undefined);
  return {
    metrics: {
      scalars,
      quality,
      notes: [`Amounts of USD are the venue's own, as of ${options.capturedAt}; no feature is made of them.`],
    },
    figures: figures.map((figure, i) => (i === 0 ? figure : { ...figure, id: `${figure.id}-${i + 1}` })),
  };
}

type Reader = (raw: unknown) => Reason | Record<string, unknown>;

/** Reads pages of one snapshot. They may overlap: a row repeated alike counts once, one that differs is refused. */
async function readFiles(
  files: readonly string[],
  reader: Reader,
  keyOf: (row: Record<string, unknown>) => string,
  target: string,
  maxRejected: number,
): Promise<Quality[]> {
  const rows = writeJsonLines(target);
  const seen = new Map<string, string>();
  const quality: Quality[] = [];
  for (const file of files) {
    const tally = new Tally();
    let again = 0;
    for await (const { line, value } of jsonRecords(file)) {
      tally.rows++;
      const row = reader(value);
      if (isReason(row)) {
        tally.refuse(row.reason, line);
        continue;
      }
      const key = keyOf(row);
      const content = JSON.stringify(row);
      const known = seen.get(key);
      if (known === content) again++;
      else if (known !== undefined) tally.refuse('row: differs from an earlier one of the same snapshot', line);
      else {
        seen.set(key, content);
        await rows.write(row);
      }
    }
    const name = path.basename(file);
    quality.push({
      source: name,
      rowsRead: tally.rows,
      rowsKept: tally.rows - tally.refused - again,
      rejected: await tally.rejected({ file, name, lineOf: async (line) => line }, maxRejected),
      duplicates: { count: again, policy: 'a row repeated alike counts once' },
      facts: tally.rows === 0 ? [{ label: 'The feed is empty', value: 1 }] : [],
    });
  }
  await rows.close();
  return quality;
}

const isReason = (row: Reason | Record<string, unknown>): row is Reason => typeof row['reason' as never] === 'string';

/** Rows of JSON lines in the columns of a canonical table; decimals come as whole millionths. */
function rowsSql(table: CanonicalTable, lines: string, capturedAt: number): string {
  const columns = canonicalColumns[table].filter(({ name }) => name !== 'asOf');
  const types = columns.map(({ name, type }) => [name, type.startsWith('DECIMAL') ? 'BIGINT' : type] as const);
  const values = columns.map(({ name, type }) =>
    type.startsWith('DECIMAL') ? `("${name}"::DECIMAL(18, 0) * 0.000001::DECIMAL(7, 6)) AS "${name}"` : `"${name}"`,
  );
  return `SELECT make_timestamp(${capturedAt}) AS "asOf", ${values.join(', ')} FROM ${jsonLinesSql(lines, Object.fromEntries(types))}`;
}
