/** Rows around known centres, and frames of them. */
import type { Points } from '../../src/models/feature-space.ts';
import { makeRng } from '../../src/random/rng.ts';
import type { Frame, FrameColumn } from '../../src/tables/frame.ts';

/** `rows` points in turn around each centre, with standard deviation 1. */
export function blobs(centres: readonly (readonly number[])[], rows: number, seed = 1): Points {
  const rng = makeRng('blobs', seed);
  const columns = centres[0]?.length ?? 0;
  const values = new Float64Array(rows * columns);
  for (let i = 0; i < rows; i++)
    for (let c = 0; c < columns; c++)
      values[i * columns + c] = (centres[i % centres.length]?.[c] as number) + rng.normal();
  return { rows, columns, values };
}

/** The rows `order[0], order[1], ...` of points. */
export function reordered({ columns, values }: Points, order: readonly number[]): Points {
  return {
    rows: order.length,
    columns,
    values: Float64Array.from(order.flatMap((row) => Array.from(values.subarray(row * columns, (row + 1) * columns)))),
  };
}

/** A frame of wallets on one day; features are named f0, f1, ... and `kinds` is a category of role info. */
export function frameOf(points: Points, kinds: readonly string[] | undefined, more: FrameColumn[] = []): Frame {
  const { rows, columns, values } = points;
  const labels = kinds === undefined ? [] : [...new Set(kinds)].sort((a, b) => (a < b ? -1 : 1));
  return {
    rows,
    columns: [
      {
        name: 'wallet',
        role: 'id',
        type: 'category',
        labels: Array.from({ length: rows }, (_, i) => `0x${String(i).padStart(4, '0')}`),
        codes: Int32Array.from({ length: rows }, (_, i) => i),
      },
      { name: 'asOf', role: 'time', type: 'number', values: new Float64Array(rows).fill(Date.UTC(2025, 5, 1)) },
      ...Array.from(
        { length: columns },
        (_, c): FrameColumn => ({
          name: `f${c}`,
          role: 'feature',
          unit: 'USD',
          type: 'number',
          values: Float64Array.from({ length: rows }, (_, i) => values[i * columns + c] as number),
        }),
      ),
      ...(kinds === undefined
        ? []
        : [
            {
              name: 'kind',
              role: 'info' as const,
              type: 'category' as const,
              labels,
              codes: Int32Array.from(kinds, (kind) => labels.indexOf(kind)),
            },
          ]),
      ...more,
    ],
  };
}
