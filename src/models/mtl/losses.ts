/** Losses summed over batches: each head's mean over its present targets, then weighted. */
import { firstOutputs, type NetworkShape } from './shape.ts';

export interface LossSums {
  /** Per output column. */
  readonly losses: Float64Array;
  readonly counts: Float64Array;
}

export function emptySums(outputs: number): LossSums {
  return { losses: new Float64Array(outputs), counts: new Float64Array(outputs) };
}

/** Adds what the network has just measured. */
export function addSums(
  sums: LossSums,
  { losses, counts }: { readonly losses: Float32Array; readonly counts: Float32Array },
): void {
  for (let c = 0; c < losses.length; c++) {
    sums.losses[c] = (sums.losses[c] as number) + (losses[c] as number);
    sums.counts[c] = (sums.counts[c] as number) + (counts[c] as number);
  }
}

/** Mean loss of every head; null where no target is present. */
export function headMeans(shape: NetworkShape, { losses, counts }: LossSums): (number | null)[] {
  const firsts = firstOutputs(shape);
  return shape.heads.map((head, h) => {
    let loss = 0;
    let count = 0;
    for (let c = firsts[h] as number; c < (firsts[h] as number) + head.outputs; c++) {
      loss += losses[c] as number;
      count += counts[c] as number;
    }
    if (head.kind === 'multiclass') count /= head.outputs;
    return count === 0 ? null : loss / count;
  });
}

/** Sum of weight times mean over the heads that have targets; null if none has. */
export function weightedLoss(means: readonly (number | null)[], weights: readonly number[]): number | null {
  if (means.every((mean) => mean === null)) return null;
  return means.reduce<number>((sum, mean, h) => sum + (mean === null ? 0 : mean * (weights[h] ?? 1)), 0);
}
