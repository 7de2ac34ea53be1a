/** Whether intervals hold as often as they promise: over all rows, by fold, and by group. */
import type { Rng } from '../random/rng.ts';
import { quantile, wholeSample } from './bootstrap.ts';
import { fitConformal } from './conformal.ts';
import { byFold, type JudgedRow, samplingOfRows } from './held-out.ts';
import { type Draws, intervalOf, resample } from './sampling.ts';
import { meanOfValues } from './scores.ts';

export interface ConformalRow extends JudgedRow {
  /** Infinity where too few validation rows can promise anything. */
  readonly half: number;
}

export interface Coverage {
  readonly label: string;
  readonly rows: number;
  readonly value: number;
  readonly low: number | null;
  readonly high: number | null;
  readonly medianWidth: number;
}

/** Test rows with half-widths fitted on the validation rows of their fold. */
export function conformalRows(
  folds: readonly { readonly validation: readonly JudgedRow[]; readonly test: readonly JudgedRow[] }[],
  confidence: number,
  scaled: boolean,
): ConformalRow[] {
  return folds.flatMap(({ validation, test }) => {
    const half = fitConformal(validation, confidence, scaled);
    return test.map((row) => ({ ...row, half: half(row) }));
  });
}

export function isHeld({ actual, predicted, half }: ConformalRow): boolean {
  return Math.abs(actual - predicted) <= half;
}

/** Share of rows whose interval held what happened, with its own interval by group and time. */
export function coverageOf(label: string, rows: readonly ConformalRow[], rng: Rng, resamples: number): Coverage {
  const sampling = samplingOfRows(rows);
  const held = Float64Array.from(rows, (row) => Number(isHeld(row)));
  const scorer = meanOfValues(held, sampling.of, sampling.units);
  const value = scorer.score(wholeSample(sampling.units));
  const [draws] = resample([scorer], sampling, rng, resamples);
  const { low, high } = intervalOf(value, draws as Draws, 0.95, [0, 1]);
  const widths = rows.map(({ half }) => 2 * half).sort((a, b) => a - b);
  return { label, rows: rows.length, value, low, high, medianWidth: quantile(widths, 0.5) };
}

/** Coverage of all rows, of each fold, and of groups by how many rows they have: those of few, some and many. */
export function coverages(rows: readonly ConformalRow[], rng: (purpose: string) => Rng, resamples: number): Coverage[] {
  const of = (label: string, list: readonly ConformalRow[]): Coverage =>
    coverageOf(label, list, rng(`coverage ${label}`), resamples);
  const sizes = new Map<string, number>();
  for (const { group } of rows) sizes.set(group, (sizes.get(group) ?? 0) + 1);
  const sorted = [...sizes.values()].sort((a, b) => a - b);
  const [few, many] = [quantile(sorted, 1 / 3), quantile(sorted, 2 / 3)];
  const sizeOf = ({ group }: ConformalRow): number => sizes.get(group) as number;
  const thirds = [
    ['groups with few rows', rows.filter((row) => sizeOf(row) <= few)],
    ['groups with some rows', rows.filter((row) => sizeOf(row) > few && sizeOf(row) <= many)],
    ['groups with many rows', rows.filter((row) => sizeOf(row) > many)],
  ] as const;
  return [
    of('all test rows', rows),
    ...byFold(rows).map(([fold, list]) => of(`fold ${fold}`, list)),
    ...thirds.filter(([, list]) => list.length > 0).map(([label, list]) => of(label, list)),
  ];
}
