/** Clusters beside what rows are known to be: the adjusted Rand index with its interval, and the answer in words. */
import type { Finding, Metric } from '../../contract/metrics.ts';
import { bootstrap, clustersOf, percentileInterval, wholeSample } from '../../evaluation/bootstrap.ts';
import { interval, written } from '../../evaluation/words.ts';
import { adjustedRandScorer } from '../../models/clusters/agreement.ts';
import type { Rng } from '../../random/rng.ts';
import type { Taken, Truth } from './grouping.ts';

/** From here on two partitions agree well enough to stand for each other (Steinley 2004: below it, poorly). */
const GOOD = 0.65;
/** From here on the agreement is worth calling one in part. */
const PARTLY = 0.2;
/** A kind is told apart if some cluster and it have this much of both in common. */
const APART = 0.8;
/** Below this many wallets an interval is too short to conclude from. */
const FEWEST = 10;

export interface TruthResult {
  readonly metric: Metric;
  readonly finding: Finding;
  readonly sentence: string;
}

/**
 * @param labels cluster of each row taken; rows whose truth is not known are left out
 * @param aside what else to say of the clusters, e.g. their number and silhouette
 */
export function compareWithTruth(
  taken: Taken,
  labels: Int32Array,
  truth: Truth,
  options: { readonly resamples: number; readonly rng: Rng; readonly aside: string },
): TruthResult {
  const known = Array.from(truth.codes.keys()).filter((i) => (truth.codes[i] as number) >= 0);
  const subjects = clustersOf(known.map((i) => taken.subjects.of[i] as number));
  const scorer = adjustedRandScorer(
    known.map((i) => labels[i] as number),
    known.map((i) => truth.codes[i] as number),
    subjects.of,
  );
  const value = scorer.score(wholeSample(subjects.count));
  const [draws] = bootstrap([scorer], subjects.count, options.rng, options.resamples);
  const bounds = percentileInterval(draws ?? new Float64Array(0), subjects.count);
  const estimate = Number.isNaN(value)
    ? { value: null, why: `${truth.name} is not known of two rows` }
    : { value, ...bounds };
  const { low = null, high = null } = estimate as { low?: number | null; high?: number | null };
  const chance = { label: 'chance', value: 0 };
  const n = known.length;
  const sentence = `adjusted Rand index ${written(value)}${low === null ? '' : ` (95 % interval ${interval(low, high)})`}`;
  const { verdict, headline } = verdictOf(low, high, subjects.count);
  return {
    sentence,
    metric: {
      name: 'adjustedRand',
      label: 'Adjusted Rand index',
      goal: 'maximize',
      set: 'train',
      target: truth.name,
      n,
      clusters: subjects.count,
      ...estimate,
      baseline: chance,
    },
    finding: {
      verdict,
      headline,
      sentence:
        `${options.aside} Beside ${truth.name} they reach an ${sentence}, where 1 is the same partition, ` +
        `0 is chance, and below ${GOOD} agreement is poor.${kindsApart(labels, truth)}`,
      metric: 'Adjusted Rand index',
      estimate,
      n,
      baseline: chance,
    },
  };
}

/** `yes` above 0.65, `no` below it with the whole interval; an agreement in part is said to be one. */
function verdictOf(low: number | null, high: number | null, subjects: number): Pick<Finding, 'verdict' | 'headline'> {
  if (low === null || high === null || subjects < FEWEST) return { verdict: 'undecided', headline: 'Not shown.' };
  if (low >= GOOD) return { verdict: 'yes', headline: 'Yes.' };
  if (high >= GOOD) return { verdict: 'undecided', headline: 'Not shown.' };
  return { verdict: 'no', headline: low >= PARTLY ? 'Only in part.' : 'No.' };
}

/**
 * Which kinds have a cluster of their own: 2 n / (a + b) of at least 0.8 for some cluster, n rows in both, a of the kind,
 * b in the cluster (Dice's coefficient). Empty for fewer than three kinds, where the index says it all.
 */
function kindsApart(labels: Int32Array, truth: Truth): string {
  const [apart, mixed]: [string[], string[]] = [[], []];
  const clusters = [...new Set(labels)].filter((label) => label >= 0);
  const known = Array.from(truth.codes.keys()).filter((i) => (truth.codes[i] as number) >= 0);
  for (const [code, kind] of truth.labels.entries()) {
    const ofKind = known.filter((i) => truth.codes[i] === code);
    const overlaps = clusters.map((cluster) => {
      const both = ofKind.filter((i) => labels[i] === cluster).length;
      return (2 * both) / (ofKind.length + known.filter((i) => labels[i] === cluster).length);
    });
    (overlaps.some((overlap) => overlap >= APART) ? apart : mixed).push(kind);
  }
  if (truth.labels.length < 3 || mixed.length === 0) return '';
  return ` With a cluster of their own: ${apart.join(', ') || 'none'}; without: ${mixed.join(', ')}.`;
}
