/** What both ways of t-SNE share: its options, and the schedule of its gradient descent. */
import type { Plane } from './matrix.ts';

export interface TsneOptions {
  /** Effective number of neighbours of a row. Reduced to (rows - 1) / 3 where there are too few rows. */
  readonly perplexity: number;
  readonly iterations: number;
  /**
   * In the units of the original program, whose gradient leaves out the factor 4. `auto`: rows over the exaggeration in
   * force, at least 200 (Belkina et al., Nature Communications 2019).
   */
  readonly learningRate: number | 'auto';
  /** How the push of all points is summed; `auto`: interpolation from 2,000 rows on, where it wins. */
  readonly repulsion: 'auto' | 'barnes-hut' | 'interpolation';
  /** Barnes-Hut accuracy; 0 is exact. */
  readonly theta: number;
  /** Affinities are multiplied by this for the first `exaggerationIterations`, which pulls clusters apart. */
  readonly exaggeration: number;
  readonly exaggerationIterations: number;
}

export const tsneDefaults: TsneOptions = {
  perplexity: 30,
  iterations: 1000,
  learningRate: 'auto',
  repulsion: 'auto',
  theta: 0.5,
  exaggeration: 12,
  exaggerationIterations: 250,
};

/** Gradient descent that can be stopped and resumed. */
export interface TsneOptimiser {
  /** Iterations done. */
  readonly iteration: number;
  step(): void;
  /** All that changes from iteration to iteration. */
  snapshot(): Uint8Array;
  /** Goes back to a snapshot; one of another size is ignored, as it belongs to other data. */
  restore(snapshot: Uint8Array): void;
  /** Kullback-Leibler divergence of the map from the affinities, in nats. */
  divergence(): number;
  /** Where the points are now. */
  readonly points: Plane;
}

/** No step of a point is longer, so that a large learning rate cannot throw points away. */
export const LONGEST_STEP = 5;

/** Interpolation beats the tree from here on. */
const INTERPOLATED_ROWS = 2000;

export function repulsionFor(rows: number, { repulsion }: TsneOptions): 'barnes-hut' | 'interpolation' {
  if (repulsion !== 'auto') return repulsion;
  return rows >= INTERPOLATED_ROWS ? 'interpolation' : 'barnes-hut';
}

/** Exaggeration, momentum and learning rate of an iteration, counted from 0. */
export function scheduleAt(
  iteration: number,
  rows: number,
  options: TsneOptions,
): { readonly exaggeration: number; readonly momentum: number; readonly learningRate: number } {
  const early = iteration < options.exaggerationIterations;
  const exaggeration = early ? options.exaggeration : 1;
  const learningRate = options.learningRate === 'auto' ? Math.max(200, rows / exaggeration) : options.learningRate;
  return { exaggeration, momentum: early ? 0.5 : 0.8, learningRate };
}
