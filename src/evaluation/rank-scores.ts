/** Scores that read the order of predictions. Orders are sorted once; one evaluation costs O(rows). */
import type { ScoredRows, Scorer } from './scores.ts';

/** Row numbers in ascending order of the values; equal values stay in row order. */
function orderOf(values: Float64Array): Uint32Array {
  const order = Uint32Array.from(values, (_, i) => i);
  return order.sort((a, b) => (values[a] as number) - (values[b] as number) || a - b);
}

/** 1 where a run of equal values ends, along the order. */
function tieEnds(values: Float64Array, order: Uint32Array): Uint8Array {
  return Uint8Array.from(order, (row, k) => (values[order[k + 1] ?? -1] === values[row] ? 0 : 1));
}

function sortedRows({ actual, predicted, cluster }: ScoredRows): {
  positive: Uint8Array;
  cluster: Int32Array;
  last: Uint8Array;
} {
  const order = orderOf(predicted);
  return {
    positive: Uint8Array.from(order, (row) => (actual[row] === 1 ? 1 : 0)),
    cluster: Int32Array.from(order, (row) => cluster[row] as number),
    last: tieEnds(predicted, order),
  };
}

/** Mann-Whitney: the share of (positive, negative) pairs in which the positive is predicted higher; a tie counts half. */
export function areaUnderRoc(rows: ScoredRows): Scorer {
  const { positive, cluster, last } = sortedRows(rows);
  let pairs = 0;
  return {
    score(counts) {
      let positives = 0;
      let negatives = 0;
      let wins = 0;
      let tiedPositives = 0;
      let tiedNegatives = 0;
      for (let k = 0; k < cluster.length; k++) {
        const count = counts[cluster[k] as number] as number;
        if (positive[k] === 1) tiedPositives += count;
        else tiedNegatives += count;
        if (last[k] === 0) continue;
        wins += tiedPositives * (negatives + tiedNegatives / 2);
        positives += tiedPositives;
        negatives += tiedNegatives;
        tiedPositives = 0;
        tiedNegatives = 0;
      }
      pairs = positives * negatives;
      return pairs > 0 ? wins / pairs : NaN;
    },
    weight: () => pairs,
  };
}

/** Sum over thresholds of precision times the recall gained there; equal predictions share one threshold. */
export function averagePrecision(rows: ScoredRows): Scorer {
  const { positive, cluster, last } = sortedRows(rows);
  let positives = 0;
  return {
    score(counts) {
      positives = 0;
      let drawn = 0;
      let sum = 0;
      let tied = 0;
      for (let k = cluster.length - 1; k >= 0; k--) {
        const count = counts[cluster[k] as number] as number;
        drawn += count;
        if (positive[k] === 1) tied += count;
        // Walking down, a run of ties ends where the next lower row ends a run of its own.
        if (k > 0 && last[k - 1] === 0) continue;
        positives += tied;
        if (drawn > 0) sum += tied * (positives / drawn);
        tied = 0;
      }
      return positives > 0 && positives < drawn ? sum / positives : NaN;
    },
    weight: () => positives,
  };
}

/** Values by rank: filled anew for each resample. */
interface Ranked {
  readonly order: Uint32Array;
  readonly last: Uint8Array;
  readonly ranks: Float64Array;
}

function ranked(values: Float64Array): Ranked {
  const order = orderOf(values);
  return { order, last: tieEnds(values, order), ranks: new Float64Array(values.length) };
}

/** Fills in the mid-ranks of the drawn sample; returns its size. */
function rankDrawn({ order, last, ranks }: Ranked, cluster: Int32Array, counts: Int32Array): number {
  let rows = 0;
  let start = 0;
  let tied = 0;
  for (let k = 0; k < order.length; k++) {
    tied += counts[cluster[order[k] as number] as number] as number;
    if (last[k] === 0) continue;
    const rank = rows + (tied + 1) / 2;
    for (let j = start; j <= k; j++) ranks[order[j] as number] = rank;
    rows += tied;
    tied = 0;
    start = k + 1;
  }
  return rows;
}

/** Spearman: the correlation of mid-ranks in the drawn sample. */
export function rankCorrelation({ actual, predicted, cluster }: ScoredRows): Scorer {
  const x = ranked(predicted);
  const y = ranked(actual);
  let rows = 0;
  return {
    score(counts) {
      rankDrawn(x, cluster, counts);
      rows = rankDrawn(y, cluster, counts);
      const middle = (rows + 1) / 2;
      let xx = 0;
      let yy = 0;
      let xy = 0;
      for (let i = 0; i < cluster.length; i++) {
        const count = counts[cluster[i] as number] as number;
        const dx = (x.ranks[i] as number) - middle;
        const dy = (y.ranks[i] as number) - middle;
        xx += count * dx * dx;
        yy += count * dy * dy;
        xy += count * dx * dy;
      }
      return xx > 0 && yy > 0 ? xy / Math.sqrt(xx * yy) : NaN;
    },
    weight: () => rows,
  };
}

/**
 * Gini correlation: the covariance of what happened with the rank of the prediction, as a part of its covariance with
 * its own rank. 1 for the right order, 0 where the mean of what happened does not depend on the prediction, whatever
 * its shape does. Source: Schechtman and Yitzhaki (1987), Communications in Statistics: Theory and Methods 16.
 */
export function giniCorrelation({ actual, predicted, cluster }: ScoredRows): Scorer {
  const x = ranked(predicted);
  const y = ranked(actual);
  let rows = 0;
  return {
    score(counts) {
      rankDrawn(x, cluster, counts);
      rows = rankDrawn(y, cluster, counts);
      const middle = (rows + 1) / 2;
      let varied = false;
      let byPrediction = 0;
      let byItself = 0;
      for (let i = 0; i < cluster.length; i++) {
        const count = counts[cluster[i] as number] as number;
        const dx = (x.ranks[i] as number) - middle;
        // Ranks around their middle sum to 0, so the mean of the values need not be taken off.
        byPrediction += count * (actual[i] as number) * dx;
        byItself += count * (actual[i] as number) * ((y.ranks[i] as number) - middle);
        if (count > 0 && dx !== 0) varied = true;
      }
      return varied && byItself > 0 ? byPrediction / byItself : NaN;
    },
    weight: () => rows,
  };
}
