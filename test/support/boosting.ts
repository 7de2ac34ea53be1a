/** Frames and splits for tests of boosted trees. */
import { makeRng } from '../../src/random/rng.ts';
import { columnNamed, type Frame, type FrameColumn, numbersOf } from '../../src/tables/frame.ts';

export const setLabels = ['none', 'train', 'validation', 'test', 'purged'] as const;

/** A frame of features with planted signal: labels `good` (0/1), `gain` (a number) and `kind` (three classes). */
export function makeFrame(rows: number, seed = 'boosting'): Frame {
  const rng = makeRng(seed);
  const column = (): Float32Array => Float32Array.from({ length: rows }, () => rng.normal());
  const [a, b, c, d] = [column(), column(), column(), column()];
  for (let i = 0; i < rows; i += 17) b[i] = Number.NaN;
  const signal = Float64Array.from(
    { length: rows },
    (_, i) => 2 * (a[i] as number) + (Number.isNaN(b[i]) ? 0 : (b[i] as number)) + rng.normal(),
  );
  const feature = (name: string, values: Float32Array): FrameColumn => ({
    name,
    role: 'feature',
    type: 'number',
    values,
  });
  return {
    rows,
    columns: [
      {
        name: 'wallet',
        role: 'id',
        type: 'category',
        labels: Array.from({ length: rows }, (_, i) => `w${i}`),
        codes: Int32Array.from({ length: rows }, (_, i) => i),
      },
      feature('a', a),
      feature('b', b),
      feature('c', c),
      feature('d', d),
      { name: 'good', role: 'label', type: 'number', values: signal.map((value) => Number(value > 0)) },
      { name: 'gain', role: 'label', type: 'number', values: signal },
      {
        name: 'kind',
        role: 'label',
        type: 'category',
        labels: ['low', 'middle', 'high'],
        codes: Int32Array.from(signal, (value) => (value < -1 ? 0 : value < 1 ? 1 : 2)),
      },
    ],
  };
}

/** Fold k tests rows i with i mod 5 = k, validates on the next fifth and trains on the others. */
export function makeSplits(rows: number, folds: number): Frame {
  return {
    rows,
    columns: Array.from({ length: folds }, (_, fold) => ({
      name: `fold${fold}`,
      role: 'info' as const,
      type: 'category' as const,
      labels: setLabels,
      codes: Int32Array.from({ length: rows }, (_, i) => (i % 5 === fold ? 3 : i % 5 === (fold + 1) % 5 ? 2 : 1)),
    })),
  };
}

/** The frame with a feature of eight categories that says something of `gain`, and weights in `importance`. */
export function withCategories(frame: Frame): Frame {
  const gain = numbersOf(columnNamed(frame, 'gain'));
  return {
    rows: frame.rows,
    columns: [
      ...frame.columns,
      {
        name: 'venue',
        role: 'feature',
        type: 'category',
        labels: ['e', 'b', 'h', 'a', 'c', 'd', 'g', 'f'],
        codes: Int32Array.from(gain, (value, i) =>
          i % 11 === 0 ? -1 : (Math.abs(Math.floor(2 * value)) + (i % 3)) % 8,
        ),
      },
      { name: 'importance', role: 'info', type: 'number', values: Float64Array.from(gain, (_, i) => 1 + (i % 4)) },
    ],
  };
}

/** The frame with a column of thirty dates, mixed over the rows, and `gain` as four grades within each, by hand. */
export function withQueries(frame: Frame): { ranked: Frame; queries: Int32Array; grades: Float32Array } {
  const gain = numbersOf(columnNamed(frame, 'gain'));
  const queries = Int32Array.from(gain, (_, i) => (i * 7) % 30);
  const grades = Float32Array.from(gain, (value, i) => {
    const peers = [...gain].filter((_, j) => queries[j] === queries[i]);
    const below = peers.filter((other) => other < value).length;
    return Math.min(3, Math.floor((4 * (below + 0.5)) / peers.length));
  });
  const dates = Float64Array.from(queries, (query) => Date.UTC(2024, 0, 1 + query));
  return {
    ranked: {
      rows: frame.rows,
      columns: [...frame.columns, { name: 'date', role: 'time', type: 'number', values: dates }],
    },
    queries,
    grades,
  };
}
