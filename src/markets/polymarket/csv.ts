/** Reads a CSV file as text, every record accounted for. */
import path from 'node:path';
import { FathomError } from '../../errors.ts';
import { type Duck, identifier, quote } from '../../tables/duck.ts';
import { malformedReasons } from './refused.ts';
import { type Survey, surveyCsv } from './survey.ts';

/** A CSV file in a temporary Parquet file of strings. */
export interface RawTable {
  readonly file: string;
  /** The file without its folders: what artifacts say, so that equal data give equal bytes wherever they lie. */
  readonly name: string;
  readonly survey: Survey;
  /**
   * Parquet with the columns as VARCHAR (an empty field is null), in file order; `file_row_number` counts the records
   * that could be read.
   */
  readonly parquet: string;
  readonly rows: number;
  /** Records that are not rows of the format at all, by their number (the header is 1). */
  readonly malformed: readonly { readonly record: number; readonly reason: string }[];
  /** The line, from 1, on which a row of `parquet` begins. */
  lineOfRow(row: number): Promise<number>;
  /** The line, from 1, on which the n-th record of the file begins. */
  lineOfRecord(record: number): Promise<number>;
}

/** Small groups of rows, so that small files too are written, and read again, by several threads. */
const ROW_GROUP_ROWS = 16_384;

/** Most texts differ from each other: listing those of a group takes longer than all else. */
const NO_DICTIONARY = 'DICTIONARY_SIZE_LIMIT 1';

/**
 * Reads `file` into `parquet`. Stops where the file cannot be what it should be: see `surveyCsv`, a last line that is
 * cut, and lines that a stray quote has swallowed.
 */
export async function readCsv(
  duck: Duck,
  file: string,
  columns: readonly string[],
  parquet: string,
): Promise<RawTable> {
  const survey = await surveyCsv(file, columns);
  await duck.run('DROP TABLE IF EXISTS reject_errors; DROP TABLE IF EXISTS reject_scans');
  const types = columns.map((name) => `${quote(name)}: 'VARCHAR'`).join(', ');
  // All columns are read in this one pass, because what is rejected depends on the columns that a query reads.
  await duck.run(`COPY (SELECT * FROM read_csv(${quote(file)}, header = true, auto_detect = false, delim = ',',
      quote = '"', escape = '"', columns = {${types}}, store_rejects = true, rejects_limit = 0, null_padding = false,
      compression = ${quote(file.endsWith('.gz') ? 'gzip' : 'none')}))
    TO ${quote(parquet)} (FORMAT parquet, COMPRESSION lz4_raw, ROW_GROUP_SIZE ${ROW_GROUP_ROWS}, ${NO_DICTIONARY})`);
  const lineBreaks = columns
    .map((name) => `coalesce(len(${identifier(name)}) - len(replace(${identifier(name)}, chr(10), '')), 0)`)
    .join(' + ');
  const [counted] = await duck.rows<{ rows: number }>(
    `SELECT count(*)::DOUBLE AS "rows" FROM read_parquet(${quote(parquet)})`,
  );
  const { rows } = counted as { rows: number };
  // A short record appears once for each column it lacks.
  const rejected = await duck.rows<{ record: number; kind: string }>(
    'SELECT line::DOUBLE AS record, min(error_type::VARCHAR) AS kind FROM reject_errors GROUP BY record ORDER BY record',
  );
  const malformed = rejected.map(({ record, kind }) => ({
    record,
    reason: malformedReasons[kind] ?? kind.toLowerCase(),
  }));
  // Records take at least a line each: with as many records as lines no field holds a line break.
  let breaks = 0;
  if (1 + rows + malformed.length !== survey.lines) {
    const [summed] = await duck.rows<{ breaks: number }>(
      `SELECT coalesce(sum(${lineBreaks}), 0)::DOUBLE AS breaks FROM read_parquet(${quote(parquet)})`,
    );
    breaks = (summed as { breaks: number }).breaks;
  }

  const lineOfRecord = async (record: number): Promise<number> => {
    const rowsBefore = record - 2 - malformed.filter((bad) => bad.record < record).length;
    let line = record;
    if (breaks > 0) {
      const [before] = await duck.rows<{ breaks: number }>(
        `SELECT coalesce(sum(${lineBreaks}), 0)::DOUBLE AS breaks
         FROM read_parquet(${quote(parquet)}, file_row_number = true) WHERE file_row_number < ${rowsBefore}`,
      );
      line += (before as { breaks: number }).breaks;
    }
    for (const blank of survey.blank) if (blank <= line) line++;
    return line;
  };
  const lineOfRow = (row: number): Promise<number> => {
    let record = row + 2;
    for (const bad of malformed) if (bad.record <= record) record++;
    return lineOfRecord(record);
  };

  const last = malformed.at(-1);
  if (last !== undefined && !survey.endsInLineBreak && last.record === 1 + rows + malformed.length)
    throw new FathomError('data', 'the last line is cut: the file is not complete', {
      at: { file, line: await lineOfRecord(last.record) },
      hint: 'Copy or download the file again.',
    });
  const accounted = 1 + rows + malformed.length + breaks;
  // Blank lines inside quotes are line breaks of a field too; they are not in `lines`.
  if (accounted < survey.lines || accounted > survey.lines + survey.blank.length) {
    const open = malformed.find((bad) => bad.reason === 'unclosed quote') ?? malformed[0];
    throw new FathomError('data', `${survey.lines - accounted} lines are in no row: a quote is opened and not closed`, {
      at: open === undefined ? { file } : { file, line: await lineOfRecord(open.record) },
    });
  }
  return { file, name: path.basename(file), survey, parquet, rows, malformed, lineOfRow, lineOfRecord };
}
