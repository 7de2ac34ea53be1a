/** Normalised discounted cumulative gain (Järvelin and Kekäläinen 2002, ACM TOIS 20): is the best of a query on top? */
import type { DataSet, Metric } from '../../contract/metrics.ts';
import { bootstrap, percentileInterval } from '../../evaluation/bootstrap.ts';
import type { Scorer } from '../../evaluation/scores.ts';
import type { Rng } from '../../random/rng.ts';

/** Weight of a place, from 0. */
const discount = (place: number): number => 1 / Math.log2(place + 2);

/**
 * NDCG of one query: Σ (2^grade - 1) / log2(place + 1) in the order of the scores, over the same in the best order.
 * Rows with equal scores share the mean of their places, so a constant score is worth what a random order is worth on
 * average. NaN where no grade is above 0: every order is as good.
 *
 * @param top only the first places count; all if left out
 */
export function ndcg(grades: ArrayLike<number>, scores: ArrayLike<number>, top = grades.length): number {
  const gain = (row: number): number => 2 ** (grades[row] as number) - 1;
  const rows = Array.from({ length: grades.length }, (_, row) => row);
  const ideal = rows.map(gain).sort((a, b) => b - a);
  const best = ideal.slice(0, top).reduce((sum, value, place) => sum + value * discount(place), 0);
  if (best === 0) return Number.NaN;
  rows.sort((a, b) => (scores[b] as number) - (scores[a] as number) || a - b);
  let sum = 0;
  for (let start = 0; start < rows.length && start < top; ) {
    let end = start;
    let gains = 0;
    let discounts = 0;
    for (; end < rows.length && scores[rows[end] as number] === scores[rows[start] as number]; end++) {
      gains += gain(rows[end] as number);
      if (end < top) discounts += discount(end);
    }
    sum += (gains / (end - start)) * discounts;
    start = end;
  }
  return sum / best;
}

/** NDCG of each query. `queryOf` holds numbers in any order. */
export function ndcgByQuery(
  grades: ArrayLike<number>,
  scores: ArrayLike<number>,
  queryOf: ArrayLike<number>,
  top?: number,
): Float64Array {
  const rowsOf = new Map<number, number[]>();
  for (let row = 0; row < grades.length; row++) {
    const rows = rowsOf.get(queryOf[row] as number) ?? [];
    rows.push(row);
    rowsOf.set(queryOf[row] as number, rows);
  }
  return Float64Array.from(
    [...rowsOf].sort(([a], [b]) => a - b),
    ([, rows]) =>
      ndcg(
        rows.map((row) => grades[row] as number),
        rows.map((row) => scores[row] as number),
        top,
      ),
  );
}

export function meanOfDefined(values: Float64Array): number {
  const defined = values.filter((value) => !Number.isNaN(value));
  return defined.reduce((sum, value) => sum + value, 0) / defined.length;
}

/** Mean NDCG over queries beside that of the baseline, with intervals that resample whole queries. */
export function measureNdcg(options: {
  readonly target: string;
  readonly set: DataSet;
  readonly grades: ArrayLike<number>;
  readonly scores: ArrayLike<number>;
  readonly baseline: { readonly label: string; readonly predicted: ArrayLike<number> };
  readonly queryOf: ArrayLike<number>;
  readonly top: number | undefined;
  readonly rng: Rng;
  readonly resamples: number;
}): { value: number | null; metrics: Metric[] } {
  const { target, set, grades, scores, baseline, queryOf, top, rng, resamples } = options;
  const model = ndcgByQuery(grades, scores, queryOf, top);
  const beside = ndcgByQuery(grades, baseline.predicted, queryOf, top);
  const gain = model.map((value, i) => value - (beside[i] as number));
  const meanIn = (values: Float64Array): Scorer => ({
    score: (counts) => {
      let [sum, weight] = [0, 0];
      values.forEach((value, i) => {
        if (Number.isNaN(value)) return;
        sum += value * (counts[i] as number);
        weight += counts[i] as number;
      });
      return sum / weight;
    },
    weight: () => values.length,
  });
  const queries = model.length;
  const draws = bootstrap([model, beside, gain].map(meanIn), queries, rng, resamples);
  const estimate = (values: Float64Array, i: number) => {
    const value = meanOfDefined(values);
    if (Number.isNaN(value)) return { value: null, low: null, high: null, why: 'no query has a grade above 0' };
    return { value, ...percentileInterval(draws[i] as Float64Array, queries) };
  };
  const places = top === undefined ? '' : ` of the first ${top}`;
  const common = { goal: 'maximize' as const, set, target, n: grades.length, clusters: queries };
  const metrics: Metric[] = [
    {
      name: 'ndcg',
      label: `Normalised discounted cumulative gain${places}`,
      ...common,
      ...estimate(model, 0),
      baseline: { label: baseline.label, ...estimate(beside, 1) },
    },
    {
      name: 'ndcgGain',
      label: `Gain in normalised discounted cumulative gain${places}`,
      ...common,
      ...estimate(gain, 2),
    },
  ];
  return { value: metrics[0]?.value ?? null, metrics };
}
