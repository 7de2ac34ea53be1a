/** Recorded sets with known classes, from the folder that FATHOM_SHARED names. */
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import type { Points } from '../../src/models/feature-space.ts';
import { sharedFile } from '../support/shared.ts';

/** Rows of numbers, the class in the last column. */
export function recorded(file: string): { points: Points; classes: number[] } {
  const bytes = readFileSync(sharedFile('data', 'ml', ...file.split('/')));
  const lines = (file.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString().trim().split('\n');
  // Some have a first line that is no row: sizes and names of classes, or names of columns.
  const rows = lines.map((line) => line.split(',').map(Number)).filter((row) => row.every((x) => !Number.isNaN(x)));
  const columns = (rows[0]?.length ?? 1) - 1;
  return {
    points: { rows: rows.length, columns, values: Float64Array.from(rows.flatMap((row) => row.slice(0, columns))) },
    classes: rows.map((row) => row[columns] as number),
  };
}
