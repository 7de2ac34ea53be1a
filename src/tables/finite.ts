/** Where stored numbers become features and labels: null is missing, NaN and infinity are faults of whoever wrote them. */
import pl from 'nodejs-polars';
import { FathomError } from '../errors.ts';
import type { Relation } from './relation.ts';

/**
 * Refuses a NaN or an infinity in the given columns, by column and row. In a frame NaN stands for what is missing, so
 * this is the last place where the two can be told apart.
 *
 * @param key columns that name a row in the message
 */
export function refuseNonFinite(relation: Relation, names: readonly string[], key: readonly string[]): void {
  const { data } = relation;
  const floating = [...new Set(names)].filter((name) =>
    (data.getColumn(name).dtype as { variant: string }).variant.startsWith('Float'),
  );
  if (floating.length === 0 || data.height === 0) return;
  // One vectorised pass: comparisons with null are null, which a sum passes over.
  const sums = data.select(...floating.map((name) => pl.col(name).isFinite().not().cast(pl.Float64).sum())).row(0) as (
    | number
    | null
  )[];
  const faulty = floating.flatMap((name, i) => {
    const count = sums[i] ?? 0;
    return count === 0 ? [] : [{ name, count }];
  });
  const [first] = faulty;
  if (first === undefined) return;
  const values = data.getColumn(first.name).toArray() as (number | null)[];
  const row = values.findIndex((value) => value !== null && !Number.isFinite(value));
  const spec = relation.columns.find(({ name }) => name === first.name);
  const [subject] = data
    .select(...key)
    .slice(row, 1)
    .toRecords() as [Record<string, unknown>];
  const who = key.map((name) => `${name} ${shown(subject[name])}`).join(', ');
  const list = faulty.map(({ name, count }) => `${name} ${count}`).join(', ');
  const total = faulty.reduce((sum, { count }) => sum + count, 0);
  throw new FathomError(
    'data',
    `${spec?.role ?? 'column'} "${first.name}" is ${values[row]} in row ${row} of the ${relation.name} (${who})${total === 1 ? '' : `; ${total} values are NaN or infinite: ${list}`}`,
    {
      hint: 'write null where a value is not known: null is missing, NaN and infinity are errors of what computed them; `clip` may bound an infinite feature',
    },
  );
}

function shown(value: unknown): string {
  if (value instanceof Date) return value.toISOString().replace('T00:00:00.000Z', '');
  return typeof value === 'string' ? `"${value}"` : String(value);
}
