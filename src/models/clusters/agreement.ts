/** How far two partitions of the same rows agree: the adjusted Rand index. */
import type { Scorer } from '../../evaluation/scores.ts';

/**
 * Adjusted Rand index (Hubert, Arabie 1985): pairs of rows on which two partitions agree, corrected for chance. 1 for
 * the same partition whatever its numbers, 0 on average for an unrelated one. NaN for fewer than two rows.
 * @param a non-negative cluster numbers
 */
export function adjustedRandIndex(a: ArrayLike<number>, b: ArrayLike<number>): number {
  const rows = Int32Array.from({ length: a.length }, (_, i) => i);
  return adjustedRandScorer(a, b, rows).score(new Int32Array(a.length).fill(1));
}

/**
 * The index for resamples of whole clusters (wallets). A row drawn twice is no pair with itself: that would count as
 * agreement for nothing.
 * @param cluster of each row, an index of the counts of a resample
 */
export function adjustedRandScorer(a: ArrayLike<number>, b: ArrayLike<number>, cluster: Int32Array): Scorer {
  const left = numbered(a);
  const right = numbered(b);
  return {
    score(counts) {
      const cells = new PairCounter(left.count * right.count);
      const byLeft = new PairCounter(left.count);
      const byRight = new PairCounter(right.count);
      const all = new PairCounter(1);
      for (let i = 0; i < cluster.length; i++) {
        const weight = counts[cluster[i] as number] as number;
        if (weight === 0) continue;
        const l = left.of[i] as number;
        const r = right.of[i] as number;
        cells.add(l * right.count + r, weight);
        byLeft.add(l, weight);
        byRight.add(r, weight);
        all.add(0, weight);
      }
      const total = all.pairs();
      if (!(total > 0)) return NaN;
      const [x, y] = [byLeft.pairs(), byRight.pairs()];
      const expected = (x / total) * y;
      const most = (x + y) / 2;
      // Both of one cluster, or both of single rows: the same partition.
      return most === expected ? 1 : (cells.pairs() - expected) / (most - expected);
    },
    weight: () => 1,
  };
}

/** Pairs of different rows within cells, from sums of weights and of their squares. */
class PairCounter {
  readonly #sums: Float64Array;
  readonly #squares: Float64Array;

  constructor(cells: number) {
    this.#sums = new Float64Array(cells);
    this.#squares = new Float64Array(cells);
  }

  add(cell: number, weight: number): void {
    this.#sums[cell] = (this.#sums[cell] as number) + weight;
    this.#squares[cell] = (this.#squares[cell] as number) + weight * weight;
  }

  pairs(): number {
    let pairs = 0;
    for (let c = 0; c < this.#sums.length; c++)
      pairs += ((this.#sums[c] as number) * (this.#sums[c] as number) - (this.#squares[c] as number)) / 2;
    return pairs;
  }
}

function numbered(labels: ArrayLike<number>): { of: Int32Array; count: number } {
  const numbers = new Map<number, number>();
  const of = Int32Array.from({ length: labels.length }, (_, i) => {
    const label = labels[i] as number;
    const number = numbers.get(label) ?? numbers.size;
    numbers.set(label, number);
    return number;
  });
  return { of, count: numbers.size };
}
