/** Any file as a DuckDB table of texts, one column a declared column, before anything is believed of it. */
import { access } from 'node:fs/promises';
import path from 'node:path';
import { FathomError, fromSystemError, type Place } from '../errors.ts';
import { arrowToParquet } from './arrow.ts';
import type { ColumnSpec } from './columns.ts';
import type { ColumnDescription, Reading } from './dataset.ts';
import { columnsOfParquet, type Duck, identifier, quote } from './duck.ts';
import { checkPacked, findLines, firstRecord } from './lines.ts';

/** The table `raw` in DuckDB has the VARCHAR columns `c0`, `c1`, ... in the order of `columns`; `rowid` is the row. */
export interface Raw {
  readonly columns: readonly ColumnDescription[];
  /** Records that could not be split into columns, with the place of the first. */
  readonly rejected: readonly { readonly reason: string; readonly count: number; readonly at: Place }[];
  /** Places of rows in the file. */
  placesOf(rows: readonly number[]): Promise<ReadonlyMap<number, Place>>;
}

type Format = 'csv' | 'parquet' | 'arrow' | 'jsonl';

const extensions: Readonly<Record<string, Format>> = {
  csv: 'csv',
  tsv: 'csv',
  txt: 'csv',
  parquet: 'parquet',
  arrow: 'arrow',
  feather: 'arrow',
  ipc: 'arrow',
  jsonl: 'jsonl',
  ndjson: 'jsonl',
};

/** Reads a file into `raw`. `scratch` is for what has to be converted on the way. */
export async function loadRaw(duck: Duck, file: string, reading: Reading, scratch: string): Promise<Raw> {
  await access(file).catch((error: unknown) => {
    throw fromSystemError(error, 'reading a table');
  });
  const extension = path.extname(file.replace(/\.gz$/, '')).slice(1).toLowerCase();
  const format = reading.format ?? extensions[extension];
  if (format === 'csv' || format === 'jsonl')
    await checkPacked(file).catch((error: unknown) => {
      throw new FathomError('data', `${file}: cannot be unpacked to its end`, {
        hint: 'the file may be truncated: get it again in full',
        cause: error,
      });
    });
  switch (format) {
    case 'csv':
      return loadCsv(duck, file, reading, reading.delimiter ?? (extension === 'tsv' ? '\t' : ','));
    case 'jsonl':
      return loadJsonLines(duck, file, reading);
    case 'parquet':
      return loadParquet(duck, file, file, reading);
    case 'arrow': {
      const converted = path.join(scratch, 'converted.parquet');
      return loadParquet(duck, file, await arrowToParquet(file, converted), reading);
    }
    default:
      throw new FathomError('data', `${file}: the extension does not say what it holds`, {
        hint: 'set format to csv, parquet, arrow or jsonl',
      });
  }
}

/** Runs SQL that reads the file; what DuckDB says of a broken one becomes an error of ours. */
async function reading(duck: Duck, file: string, sql: string): Promise<void> {
  try {
    await duck.run(sql);
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    if (/reached an invalid state/.test(text))
      throw new FathomError('data', `${file}: some lines end in CR LF and others in LF`, {
        hint: 'rewrite it with one kind of line end (dos2unix)',
      });
    throw new FathomError('data', `${file}: cannot be read to its end: ${text.split('\n')[0]}`, {
      hint: 'the file may be truncated, or not of this format',
      cause: error,
    });
  }
}

function declared(file: string, reading: Reading, found: readonly string[] | undefined): readonly ColumnDescription[] {
  if (reading.columns !== undefined) return reading.columns;
  const names = found === undefined ? '' : `: ${found.map((name) => `{name: ${name}}`).join(', ')}`;
  throw new FathomError('data', `${file}: nothing says what its columns are`, {
    hint: `name a dataset description, or list columns${names}`,
  });
}

/** The names of a file against the declared ones; every difference stops the import. */
function checkNames(at: Place, columns: readonly ColumnDescription[], found: readonly string[]): void {
  const twice = found.find((name, i) => found.indexOf(name) !== i);
  if (twice !== undefined) throw new FathomError('data', `column "${twice}" stands there twice`, { at });
  const names = columns.map((column) => column.name);
  const absent = names.filter((name) => !found.includes(name));
  const surplus = found.filter((name) => !names.includes(name));
  if (absent.length === 0 && surplus.length === 0) return;
  const list = (items: readonly string[]): string =>
    items
      .slice(0, 8)
      .map((name) => `"${name}"`)
      .join(', ');
  const parts = [
    ...(absent.length > 0 ? [`${absent.length} declared columns are missing: ${list(absent)}`] : []),
    ...(surplus.length > 0 ? [`${surplus.length} columns are not declared: ${list(surplus)}`] : []),
  ];
  throw new FathomError('data', parts.join('; '), {
    at,
    hint:
      absent.length === names.length
        ? 'if this line does not name the columns, set header: skip (it is to be passed over) or header: false (it is data)'
        : 'correct the description: it names every column of the file (a column of no use has role info)',
  });
}

const reasons: Readonly<Record<string, string>> = {
  'MISSING COLUMNS': 'too few fields',
  'TOO MANY COLUMNS': 'too many fields',
  'INVALID ENCODING': 'not UTF-8',
  'LINE SIZE OVER MAXIMUM': 'too long a line',
};

async function loadCsv(duck: Duck, file: string, options: Reading, delimiter: string): Promise<Raw> {
  const first = await firstRecord(file, delimiter);
  if (first === undefined) throw new FathomError('data', 'the file is empty', { at: { file, line: 1 } });
  const header = options.header ?? true;
  const columns = declared(file, options, header === true ? first : undefined);
  if (header === true) checkNames({ file, line: 1 }, columns, first);
  else if (header === false && first.length !== columns.length)
    throw new FathomError('data', `${columns.length} columns are declared and the first line has ${first.length}`, {
      at: { file, line: 1 },
      hint: 'header: false takes the columns by their order; set header: skip if the first line is to be passed over',
    });
  const names = header === true ? first : columns.map((column) => column.name);
  // The columns of the file, numbered as the description has them: names might differ in case alone.
  const types = names.map((name) => `c${columns.findIndex((column) => column.name === name)}: 'VARCHAR'`).join(', ');
  await reading(
    duck,
    file,
    `CREATE TABLE raw AS SELECT ${columns.map((_, i) => `c${i}`).join(', ')} FROM read_csv(${quote(file)},
       auto_detect = false, header = false, skip = ${header === false ? 0 : 1}, delim = ${quote(delimiter)}, quote = '"',
       escape = '"', columns = {${types}}, store_rejects = true, rejects_table = 'rejects', rejects_scan = 'scans', rejects_limit = 0)`,
  );
  const bad = await duck.rows<{ line: number; type: string }>(
    'SELECT line::DOUBLE AS line, arg_min(error_type::VARCHAR, column_idx) AS "type" FROM rejects GROUP BY line ORDER BY line',
  );
  const lines = (rows: readonly number[]) =>
    findLines(file, delimiter, {
      skipped: header === false ? 0 : 1,
      rejected: new Set(bad.map((reject) => reject.line)),
      rows,
      columns: columns.length,
    });
  const rejected = new Map<string, { count: number; at: Place }>();
  if (bad.length > 0) {
    const places = await lines([]);
    for (const { line, type } of bad) {
      const at = { file, line: places.ofOrdinal(line) ?? line };
      if (type === 'UNQUOTED VALUE')
        throw new FathomError('data', 'a quote is opened here and never closed, or closed in the middle of a field', {
          at,
          hint: 'the file may be truncated; a quote inside a quoted field is written twice',
        });
      if (type === 'MISSING COLUMNS' && line === places.last && places.cut)
        throw new FathomError('data', 'the file ends in the middle of this line', { at, hint: 'get it again in full' });
      const reason = reasons[type] ?? type.toLowerCase();
      const known = rejected.get(reason);
      rejected.set(reason, { count: (known?.count ?? 0) + 1, at: known?.at ?? at });
    }
  }
  return {
    columns,
    rejected: [...rejected].map(([reason, rest]) => ({ reason, ...rest })),
    placesOf: async (rows) => {
      const found = await lines(rows);
      return new Map(rows.map((row) => [row, place(file, found.ofRow(row))]));
    },
  };
}

const place = (file: string, line: number | undefined): Place => (line === undefined ? { file } : { file, line });

async function loadJsonLines(duck: Duck, file: string, options: Reading): Promise<Raw> {
  await reading(
    duck,
    file,
    `CREATE TABLE lines AS SELECT l, CASE WHEN l IS NULL THEN NULL WHEN json_valid(l) THEN json_type(l) = 'OBJECT' ELSE false END AS good FROM read_csv(${quote(file)},
       auto_detect = false, header = false, delim = '\u0001', quote = '', escape = '', columns = {l: 'VARCHAR'}, max_line_size = 67108864)`,
  );
  const [count] = await duck.rows<{ lines: number; bad: number; first: number | null; last: number | null }>(
    `SELECT count(*) FILTER (l IS NOT NULL)::DOUBLE AS "lines", count(*) FILTER (NOT good)::DOUBLE AS bad,
       min(rowid) FILTER (NOT good)::DOUBLE AS "first", max(rowid) FILTER (l IS NOT NULL)::DOUBLE AS "last" FROM lines`,
  );
  if (count === undefined || count.lines === 0)
    throw new FathomError('data', 'the file is empty', { at: { file, line: 1 } });
  const [ending] = await duck.rows<{ good: boolean }>(`SELECT good FROM lines WHERE rowid = ${count.last}`);
  if (ending?.good === false)
    throw new FathomError('data', 'the last line is no JSON object', {
      at: { file, line: (count.last ?? 0) + 1 },
      hint: 'the file may be truncated: get it again in full',
    });
  const keys = await duck.rows<{ key: string; row: number }>(
    `SELECT "key", min("row")::DOUBLE AS "row" FROM (SELECT unnest(CASE WHEN good THEN json_keys(l) END) AS "key", rowid AS "row" FROM lines WHERE good)
     GROUP BY "key" ORDER BY "row", "key"`,
  );
  const columns = declared(
    file,
    options,
    keys.map(({ key }) => key),
  );
  const surplus = keys.find(({ key }) => !columns.some((column) => column.name === key));
  checkNames(
    { file, line: (surplus?.row ?? 0) + 1 },
    columns,
    keys.map(({ key }) => key),
  );
  const pointer = (name: string): string => quote(`/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`);
  await duck.run(
    `CREATE TABLE raw AS SELECT ${columns.map(({ name }, i) => `l ->> ${pointer(name)} AS c${i}`).join(', ')}, rowid AS line
     FROM lines WHERE good ORDER BY rowid`,
  );
  const first = { file, line: (count.first ?? 0) + 1 };
  return {
    columns,
    rejected: count.bad === 0 ? [] : [{ reason: 'no JSON object', count: count.bad, at: first }],
    placesOf: async (rows) => {
      if (rows.length === 0) return new Map();
      const found = await duck.rows<{ row: number; line: number }>(
        `SELECT rowid::DOUBLE AS "row", line::DOUBLE AS line FROM raw WHERE rowid IN (${rows.join(', ')})`,
      );
      return new Map(found.map(({ row, line }) => [row, { file, line: line + 1 }]));
    },
  };
}

async function loadParquet(duck: Duck, file: string, parquet: string, options: Reading): Promise<Raw> {
  const source = `read_parquet(${quote(parquet)})`;
  await reading(duck, file, `CREATE VIEW source AS SELECT * FROM ${source}`);
  const found = await duck.rows<{ name: string; type: string }>(
    'SELECT column_name AS "name", column_type AS "type" FROM (DESCRIBE source)',
  );
  const columns = options.columns ?? inferred(found, await columnsOfParquet(duck, parquet));
  checkNames(
    { file },
    columns,
    found.map(({ name }) => name),
  );
  const texts = columns.map((column, i) => {
    const type = found.find(({ name }) => name === column.name)?.type ?? '';
    return `${textOf(column, type, options.timeZone)} AS c${i}`;
  });
  await reading(duck, file, `CREATE TABLE raw AS SELECT ${texts.join(', ')} FROM source`);
  return {
    columns,
    rejected: [],
    placesOf: async (rows) => new Map(rows.map((row) => [row, { file, line: row + 1 }])),
  };
}

/** Columns of a typed file that nobody has described. */
function inferred(
  found: readonly { name: string; type: string }[],
  specs: readonly ColumnSpec[] | undefined,
): readonly ColumnDescription[] {
  return found.map(({ name, type }) => {
    const kind = kindOf(type);
    const spec = specs?.find((s) => s.name === name);
    const fallback = kind === 'text' || kind === 'time' ? 'info' : 'feature';
    return { role: fallback, ...spec, name, type: kind, missing: [] };
  });
}

function kindOf(type: string): ColumnDescription['type'] {
  if (/^(TIMESTAMP|DATE)/.test(type)) return 'time';
  if (/^(DOUBLE|FLOAT|DECIMAL|HUGEINT|UHUGEINT|UBIGINT)/.test(type)) return 'number';
  if (/INT/.test(type)) return 'integer';
  return type === 'BOOLEAN' ? 'boolean' : 'text';
}

/**
 * Text that holds all of a typed value; a time without a zone is UTC unless one is given. What models learn from or
 * predict has null for missing, so NaN stays what it is there, to be refused as in a text file unless `missing` lists it;
 * in other columns it is missing.
 */
function textOf({ name, role, type: kind }: ColumnDescription, type: string, timeZone: string | undefined): string {
  const column = identifier(name);
  const zone = timeZone === undefined ? "|| 'Z'" : '';
  const withMicroseconds = (value: string): string => `strftime(${value}, '%Y-%m-%dT%H:%M:%S.%f')`;
  if (type === 'DOUBLE' || type === 'FLOAT') {
    const learned = kind !== 'text' && (role === 'feature' || role === 'label' || role === 'weight');
    return `CASE WHEN NOT isnan(${column}) THEN ${column}::DOUBLE::VARCHAR WHEN ${learned} AND isnan(${column}) THEN 'NaN' END`;
  }
  if (type === 'TIMESTAMP WITH TIME ZONE') return `${withMicroseconds(`${column}::TIMESTAMP`)} || 'Z'`;
  if (type === 'TIMESTAMP_NS') return `strftime(${column}, '%Y-%m-%dT%H:%M:%S.%n') ${zone}`;
  if (type.startsWith('TIMESTAMP')) return `${withMicroseconds(`${column}::TIMESTAMP`)} ${zone}`;
  if (type === 'DATE') return `strftime(${column}, '%Y-%m-%dT00:00:00') ${zone}`;
  return `${column}::VARCHAR`;
}
