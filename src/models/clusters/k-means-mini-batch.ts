/** k-means by mini-batches (Sculley, "Web-scale k-means clustering", WWW 2010): for rows too many to go through often. */
import type { Rng } from '../../random/rng.ts';
import type { Points } from '../feature-space.ts';
import { nearestCentre } from './centres.ts';

/** Batches without a lower smoothed inertia before it ends. */
const PATIENCE = 10;

/**
 * Each batch is drawn with replacement; its rows go to their nearest centres, and every centre moves to the mean of all
 * rows that it was ever given. Ends when the inertia of batches, smoothed over about half of the rows, no longer falls.
 * @param onStep called every batch; may throw to stop
 */
export function miniBatchCentres(
  { rows, columns, values }: Points,
  starts: Float64Array,
  { batchRows, maxIterations }: { readonly batchRows: number; readonly maxIterations: number },
  rng: Rng,
  onStep?: () => void,
): { centres: Float64Array; batches: number } {
  const centres = Float64Array.from(starts);
  const given = new Float64Array(centres.length / columns);
  const most = Math.ceil((maxIterations * rows) / batchRows);
  const newest = Math.min(1, (2 * batchRows) / (rows + 1));
  const chosen = new Int32Array(batchRows);
  const labels = new Int32Array(batchRows);
  let smoothed = NaN;
  let least = Infinity;
  let waited = 0;
  let batches = 0;
  while (batches < most && waited < PATIENCE) {
    onStep?.();
    batches++;
    let inertia = 0;
    for (let b = 0; b < batchRows; b++) {
      const row = rng.below(rows);
      const { nearest, squared } = nearestCentre(values, row * columns, centres, columns);
      chosen[b] = row;
      labels[b] = nearest;
      inertia += squared / batchRows;
    }
    for (let b = 0; b < batchRows; b++) {
      const label = labels[b] as number;
      const count = (given[label] as number) + 1;
      given[label] = count;
      const from = (chosen[b] as number) * columns;
      for (let c = 0; c < columns; c++) {
        const at = label * columns + c;
        const centre = centres[at] as number;
        centres[at] = centre + ((values[from + c] as number) - centre) / count;
      }
    }
    smoothed = Number.isNaN(smoothed) ? inertia : smoothed + newest * (inertia - smoothed);
    if (smoothed < least) {
      least = smoothed;
      waited = 0;
    } else waited++;
  }
  return { centres, batches };
}
