/** Rows that are ranked against each other: a query is all rows of one date, one event, one market. */
import { FathomError } from '../../errors.ts';
import { columnNamed, columnsOf, type Frame } from '../../tables/frame.ts';

/** The query of every row of a frame, numbered in ascending order of what the column holds; -1 where it is missing. */
export interface Queries {
  readonly column: string;
  readonly of: Int32Array;
  readonly count: number;
}

/** @param name column that names the query; the frame's time if left out */
export function readQueries(frame: Frame, name: string | undefined): Queries {
  const column = name === undefined ? columnsOf(frame, 'time')[0] : columnNamed(frame, name);
  if (column === undefined)
    throw new FathomError('experiment', 'ranking needs to know which rows are ranked against each other', {
      hint: 'set `query` to a column, such as the date; the frame has none with the role time',
    });
  const keys = column.type === 'category' ? column.codes : column.values;
  const present = [...new Set(keys)].filter((key) => !Number.isNaN(key) && (column.type === 'number' || key >= 0));
  const numbers = new Map(present.sort((a, b) => a - b).map((key, i) => [key, i]));
  return { column: column.name, of: Int32Array.from(keys, (key) => numbers.get(key) ?? -1), count: numbers.size };
}

/** Rows query by query, and within a query in the order of the frame, as XGBoost wants them. */
export function orderByQuery(rows: Uint32Array, queries: Queries): Uint32Array {
  for (const row of rows)
    if ((queries.of[row] as number) < 0)
      throw new FathomError(
        'data',
        `"${queries.column}" is missing in row ${row}, so nothing says what to rank it with`,
      );
  return rows.slice().sort((a, b) => (queries.of[a] as number) - (queries.of[b] as number) || a - b);
}

/**
 * Cuts numbers into `count` grades within each query: 0 for the lowest, equally many rows each, equal numbers in one
 * grade (that of their middle rank). NaN stays NaN.
 */
export function gradesOf(values: Float64Array, queries: Queries, count: number): Float64Array {
  const rowsOf: number[][] = Array.from({ length: queries.count }, () => []);
  values.forEach((value, row) => {
    if (!Number.isNaN(value)) rowsOf[queries.of[row] as number]?.push(row);
  });
  const grades = new Float64Array(values.length).fill(Number.NaN);
  for (const rows of rowsOf) {
    rows.sort((a, b) => (values[a] as number) - (values[b] as number));
    for (let start = 0; start < rows.length; ) {
      let end = start;
      while (end < rows.length && values[rows[end] as number] === values[rows[start] as number]) end++;
      const middle = (start + end) / 2;
      for (let i = start; i < end; i++)
        grades[rows[i] as number] = Math.min(count - 1, Math.floor((count * middle) / rows.length));
      start = end;
    }
  }
  return grades;
}

/** One weight a query: XGBoost weighs queries, not rows, so the rows of one must agree. */
export function weightsByQuery(weights: Float32Array, ordered: Uint32Array, queries: Queries): Float32Array {
  const byQuery: number[] = [];
  let last = -1;
  ordered.forEach((row, i) => {
    const query = queries.of[row] as number;
    const weight = weights[i] as number;
    if (query !== last) byQuery.push(weight);
    else if (weight !== byQuery.at(-1))
      throw new FathomError('data', `the weight differs within a query ("${queries.column}"), as in row ${row}`, {
        hint: 'ranking weighs whole queries: give all rows of one the same weight',
      });
    last = query;
  });
  return Float32Array.from(byQuery);
}
