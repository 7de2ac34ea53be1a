/** Outside files into our Parquet, strictly: nothing is rounded, guessed or dropped in silence. */
import path from 'node:path';
import { FathomError, formatPlace, type Place } from '../errors.ts';
import type { ColumnSpec } from './columns.ts';
import { conversionOf, storedTypes } from './conversion.ts';
import type { ColumnDescription, Reading } from './dataset.ts';
import { copyToParquet, type Duck, identifier } from './duck.ts';
import { loadRaw, type Raw } from './raw.ts';

export interface Rejected {
  readonly reason: string;
  readonly count: number;
  /** `file:line` of the first, with the text that was wrong. */
  readonly first: string;
}

/** What became of the rows. */
export interface ImportReport {
  readonly rowsRead: number;
  readonly rowsKept: number;
  readonly rejected: readonly Rejected[];
  readonly duplicates: { readonly count: number; readonly policy: 'keep' | 'drop-exact' };
  /** Sums of columns with a unit, with duplicates and without them. */
  readonly totals: readonly { label: string; keep: number; dropExact: number; unit: string }[];
  /** First and last time of the column of role time, ISO 8601. */
  readonly span: { readonly from: string; readonly to: string } | undefined;
  /** Missing values by column, where there are any. */
  readonly missing: Readonly<Record<string, number>>;
  readonly columns: readonly ColumnSpec[];
}

/** Imports `file` to `output` (Parquet with roles, rows in the order of the file). */
export async function importTable(
  duck: Duck,
  file: string,
  reading: Reading,
  output: string,
  scratch: string,
): Promise<ImportReport> {
  const raw = await loadRaw(duck, file, reading, scratch);
  const columns = withId(raw.columns, reading.idColumn);
  const conversions = columns.map((column, i) => conversionOf(column, `c${i}`, reading.timeZone));
  const prefixed = conversions.map(({ reason }, i) => `${i} || '|' || ${reason}`);
  await duck
    .run(
      `CREATE TABLE typed AS SELECT rowid AS "row", coalesce(${prefixed.join(', ')}) AS reason,
         ${conversions.map(({ value }, i) => `(CASE WHEN (${conversions[i]?.reason}) IS NULL THEN ${value} END)::${storedTypes[(columns[i] as ColumnDescription).type]} AS v${i}`).join(', ')}
       FROM raw`,
    )
    .catch((error: unknown) => {
      if (error instanceof Error && error.message.includes('Unknown TimeZone'))
        throw new FathomError('data', `there is no time zone "${reading.timeZone}"`, { hint: 'e.g. America/New_York' });
      throw error;
    });
  const rejected = await rejectedRows(duck, raw, columns);
  const [count] = await duck.rows<{ rows: number }>('SELECT count(*)::DOUBLE AS "rows" FROM typed');
  const rowsRead = (count?.rows ?? 0) + raw.rejected.reduce((sum, { count }) => sum + count, 0);
  if (rowsRead === 0) throw new FathomError('data', 'the file has no rows', { at: { file, line: 1 } });
  refuseTooMany(rejected, rowsRead, reading.maxRejected ?? 0.001);
  const policy = reading.duplicates ?? 'keep';
  const values = columns.map((_, i) => `v${i}`).join(', ');
  await duck.run(
    `CREATE VIEW good AS SELECT * FROM typed WHERE reason IS NULL;
     CREATE VIEW distinct_rows AS SELECT * FROM good QUALIFY row_number() OVER (PARTITION BY ${values} ORDER BY "row") = 1`,
  );
  const kept = policy === 'keep' ? 'good' : 'distinct_rows';
  const [sizes] = await duck.rows<{ good: number; distinct: number }>(
    'SELECT (SELECT count(*) FROM good)::DOUBLE AS good, (SELECT count(*) FROM distinct_rows)::DOUBLE AS "distinct"',
  );
  const good = sizes?.good ?? 0;
  if (good === 0) throw new FathomError('data', 'the file has no good row', { at: rejected[0]?.at ?? { file } });
  const duplicates = good - (sizes?.distinct ?? 0);
  const specs = columns.map(specOf);
  const numbered = !columns.some((column) => column.role === 'id');
  const all: ColumnSpec[] = numbered
    ? [{ name: 'row', role: 'id', description: 'Number of the row in the file, from 0' }, ...specs]
    : specs;
  const named = columns.map(({ name }, i) => `v${i} AS ${identifier(name)}`);
  const selected = numbered ? ['"row"::BIGINT AS "row"', ...named] : named;
  await copyToParquet(duck, `SELECT ${selected.join(', ')} FROM ${kept} ORDER BY ${kept}."row"`, output, all);
  return {
    rowsRead,
    rowsKept: policy === 'keep' ? good : good - duplicates,
    rejected: rejected.map(({ reason, count, first }) => ({ reason, count, first })),
    duplicates: { count: duplicates, policy },
    totals: duplicates === 0 ? [] : await totals(duck, columns),
    span: await spanOf(duck, columns, kept),
    missing: await missingValues(duck, columns, kept),
    columns: all,
  };
}

/** Gives the id its role; the row number serves where there is none. */
function withId(columns: readonly ColumnDescription[], idColumn: string | undefined): readonly ColumnDescription[] {
  const named = columns.map((column) => column.name);
  const lower = named.map((name) => name.toLowerCase());
  const alike = named.find((_, i) => lower.indexOf(lower[i] as string) !== i);
  if (alike !== undefined)
    throw new FathomError(
      'data',
      `two columns are called "${alike}" but for capitals, which DuckDB does not tell apart`,
      {
        hint: 'rename one in the file',
      },
    );
  if (idColumn !== undefined && !named.includes(idColumn))
    throw new FathomError('data', `idColumn names "${idColumn}", which is no column`, {
      hint: `columns are ${named.join(', ')}`,
    });
  const result =
    idColumn === undefined
      ? columns
      : columns.map((column): ColumnDescription => {
          if (column.name === idColumn) return { ...column, role: 'id' };
          return column.role === 'id' ? { ...column, role: 'info' } : column;
        });
  for (const role of ['id', 'time', 'labelEnd'] as const) {
    const several = result.filter((column) => column.role === role).map((column) => column.name);
    if (several.length > 1) throw new FathomError('data', `several columns have role ${role}: ${several.join(', ')}`);
  }
  if (!result.some((column) => column.role === 'id') && named.includes('row'))
    throw new FathomError('data', 'a column is called "row", as the row number would be', {
      hint: 'set idColumn: row, or name another column in idColumn',
    });
  return result;
}

function specOf(column: ColumnDescription): ColumnSpec {
  const { name, role, unit, description, type } = column;
  return {
    name,
    role,
    // A time is stored as a time, whatever it was counted in.
    ...(unit === undefined || type === 'time' ? {} : { unit }),
    ...(description === undefined ? {} : { description }),
  };
}

interface RejectedAt extends Rejected {
  readonly at: Place;
}

/** Bad rows by their first reason, the most frequent first. */
async function rejectedRows(duck: Duck, raw: Raw, columns: readonly ColumnDescription[]): Promise<RejectedAt[]> {
  const found = await duck.rows<{ reason: string; count: number; row: number }>(
    `SELECT reason, count(*)::DOUBLE AS "count", min("row")::DOUBLE AS "row" FROM typed
     WHERE reason IS NOT NULL GROUP BY reason ORDER BY reason`,
  );
  const places = found.length === 0 ? new Map<number, Place>() : await raw.placesOf(found.map(({ row }) => row));
  const result: RejectedAt[] = raw.rejected.map((r) => ({ ...r, first: shortPlace(r.at) }));
  for (const { reason, count, row } of found) {
    const [index, words] = reason.split('|') as [string, string];
    const [text] = await duck.rows<{ text: string | null }>(`SELECT c${index} AS "text" FROM raw WHERE rowid = ${row}`);
    const at = places.get(row) as Place;
    const shown = text?.text == null ? 'nothing' : `"${text.text.slice(0, 40)}"`;
    const column = (columns[Number(index)] as ColumnDescription).name;
    result.push({ reason: `${column}: ${words}`, count, first: `${shortPlace(at)} ${shown}`, at });
  }
  return result.sort((a, b) => b.count - a.count || (a.reason < b.reason ? -1 : 1));
}

/** Without the folder, so that equal files give equal reports. */
const shortPlace = (at: Place): string => formatPlace({ ...at, file: path.basename(at.file) });

function refuseTooMany(rejected: readonly RejectedAt[], rowsRead: number, share: number): void {
  const bad = rejected.reduce((sum, { count }) => sum + count, 0);
  const [worst] = rejected;
  if (worst === undefined || bad <= share * rowsRead) return;
  const list = rejected.slice(0, 5).map(({ reason, count, first }) => `${reason} (${count}, first ${first})`);
  throw new FathomError('data', `${bad} of ${rowsRead} rows are bad: ${list.join('; ')}`, {
    at: worst.at,
    hint: `correct the file or its description, list tokens for missing values in \`missing\`, or allow more than maxRejected: ${share}`,
  });
}

/** Sums in the order of the rows: DuckDB's own order of adding doubles changes from run to run. */
async function totals(duck: Duck, columns: readonly ColumnDescription[]): Promise<ImportReport['totals']> {
  const summed = columns.flatMap((column, i) =>
    column.unit !== undefined && (column.type === 'number' || column.type === 'integer') ? [{ column, i }] : [],
  );
  const list = summed.slice(0, 6);
  const sums = list.map(({ i }) => `coalesce(sum(v${i}::DOUBLE ORDER BY "row"), 0)::DOUBLE AS s${i}`);
  const [keep] = await duck.rows<Record<string, number>>(
    `SELECT count(*)::DOUBLE AS n ${sums.map((s) => `, ${s}`).join('')} FROM good`,
  );
  const [drop] = await duck.rows<Record<string, number>>(
    `SELECT count(*)::DOUBLE AS n ${sums.map((s) => `, ${s}`).join('')} FROM distinct_rows`,
  );
  return [
    { label: 'Rows', keep: keep?.['n'] ?? 0, dropExact: drop?.['n'] ?? 0, unit: 'rows' },
    ...list.map(({ column, i }) => ({
      label: `Sum of ${column.name}`,
      keep: keep?.[`s${i}`] ?? 0,
      dropExact: drop?.[`s${i}`] ?? 0,
      unit: column.unit as string,
    })),
  ];
}

async function spanOf(duck: Duck, columns: readonly ColumnDescription[], kept: string): Promise<ImportReport['span']> {
  const i = columns.findIndex((column) => column.role === 'time' && column.type === 'time');
  if (i === -1) return undefined;
  const iso = (what: string): string => `strftime(${what}(v${i}), '%Y-%m-%dT%H:%M:%S.%gZ')`;
  const [span] = await duck.rows<{ from: string; to: string }>(
    `SELECT ${iso('min')} AS "from", ${iso('max')} AS "to" FROM ${kept}`,
  );
  return span;
}

async function missingValues(
  duck: Duck,
  columns: readonly ColumnDescription[],
  kept: string,
): Promise<Readonly<Record<string, number>>> {
  const counts = columns.map((_, i) => `count(*) FILTER (v${i} IS NULL)::DOUBLE AS v${i}`);
  const [row] = await duck.rows<Record<string, number>>(`SELECT ${counts.join(', ')} FROM ${kept}`);
  const named = columns.map((column, i): [string, number] => [column.name, row?.[`v${i}`] ?? 0]);
  return Object.fromEntries(named.filter(([, count]) => count > 0));
}
