/** What a comparison answers, in words that carry the numbers of its figures. */

import type { Finding } from '../contract/metrics.ts';
import { normalQuantile } from '../random/rng.ts';
import { ALPHA, type ModelComparison, type TargetComparison } from './compare.ts';
import { FEWEST_BLOCKS } from './sampling.ts';
import { scoreInfo } from './score-info.ts';
import type { ScoreName } from './scores.ts';
import { counted, interval, signed, written } from './words.ts';

export type Verdict = Finding['verdict'];

export interface FindingOptions {
  /** A gain below this would not matter, in the unit of the metric; undefined for the default of the metric. */
  readonly smallestGain: number | undefined;
  /** What the clusters are, in the plural: "wallets". */
  readonly clusterName: string;
}

/** Below this many clusters a percentile interval is too short to answer anything. */
const FEWEST_CLUSTERS = 10;

const absoluteSmallest: Partial<Record<ScoreName, number>> = {
  auc: 0.02,
  averagePrecision: 0.02,
  accuracy: 0.02,
  spearman: 0.05,
  gini: 0.05,
  r2: 0.02,
};

/** The stated smallest gain, else 0.02 (Spearman and Gini 0.05) for scores and 2 % of the baseline for errors. */
function smallestGainOf(metric: ScoreName, one: ModelComparison, stated: number | undefined): number {
  return stated ?? absoluteSmallest[metric] ?? 0.02 * Math.abs(one.baseline.value ?? 0);
}

/**
 * `yes`: the corrected interval of the gain lies above 0. `probably`: only the uncorrected one does. `no`: the whole
 * interval lies below the smallest gain that would matter. Else, or with too few clusters or stretches of time,
 * `undecided`.
 */
export function verdictOf(
  { gain, clusters, blocks = FEWEST_BLOCKS }: Pick<ModelComparison, 'gain' | 'clusters' | 'blocks'>,
  smallest: number,
): Verdict {
  if (gain.low === null || gain.high === null || clusters < FEWEST_CLUSTERS || blocks < FEWEST_BLOCKS)
    return 'undecided';
  if (gain.correctedLow !== null && gain.correctedLow > 0) return 'yes';
  if (gain.low > 0) return 'probably';
  return gain.high < smallest ? 'no' : 'undecided';
}

const headlines: Readonly<Record<Verdict, string>> = {
  yes: 'Yes.',
  probably: 'Probably.',
  undecided: 'Not shown.',
  no: 'No.',
};

export function againstOf(one: ModelComparison): string {
  return one.gain.overChance ? 'chance' : `the baseline (${one.baselineLabel})`;
}

/** The finding as a title: it follows the verdict. */
export function titleOf(comparison: TargetComparison, options: FindingOptions): string {
  const { metric, target, best } = comparison;
  const verdict = verdictOf(best, smallestGainOf(metric, best, options.smallestGain));
  const verb = scoreInfo[metric].ranks ? 'rank' : 'predict';
  const rest = `${target} better than ${againstOf(best)}`;
  if (verdict === 'yes') return `${best.model} ${verb}s ${rest}`;
  if (verdict === 'probably') return `${best.model} probably ${verb}s ${rest}`;
  if (verdict === 'undecided')
    return comparison.models.length === 1
      ? `${best.model} is not shown to ${verb} ${rest}`
      : `No model is shown to ${verb} ${rest}`;
  const worse = best.gain.high !== null && best.gain.high < 0;
  return `${best.model} ${verb}s ${target} ${worse ? 'worse' : 'no better'} than ${againstOf(best)}`;
}

export function findingOf(comparison: TargetComparison, options: FindingOptions): Finding {
  const { metric, best, models } = comparison;
  const { label } = scoreInfo[metric];
  const smallest = smallestGainOf(metric, best, options.smallestGain);
  const verdict = verdictOf(best, smallest);
  const what = best.source.kind === 'multiclass' && metric === 'auc' ? `${label}, mean over classes` : label;
  const decides = decidesOf(comparison, verdict, smallest, options);
  return {
    verdict,
    headline: headlines[verdict],
    sentence: [
      `${titleOf(comparison, options)}.`,
      scoreSentence(best, what, options),
      gainSentence(comparison, verdict, smallest),
      models.length > 1 ? rivalSentence(best, models.length) : '',
    ]
      .filter((part) => part !== '')
      .join(' '),
    metric: what,
    estimate: best.score,
    n: best.n,
    baseline: best.gain.overChance ? { value: 0, label: 'chance' } : { ...best.baseline, label: best.baselineLabel },
    ...(decides === undefined ? {} : { decides }),
  };
}

function scoreSentence(best: ModelComparison, what: string, { clusterName }: FindingOptions): string {
  const times = best.blocks === undefined ? '' : ` in ${counted(best.blocks, 'stretches of time')}`;
  const on = `On ${counted(best.n, 'test rows')} of ${counted(best.clusters, clusterName)}${times}`;
  if (best.score.value === null)
    return `${on}, the ${lower(what)} of ${best.model} is undefined: ${best.score.why ?? 'unknown'}.`;
  const range =
    best.score.low === null
      ? (best.score.why ?? 'no interval')
      : `95 % interval ${interval(best.score.low, best.score.high)}`;
  const beside = best.gain.overChance
    ? 'chance reaches 0'
    : `${best.baselineLabel} reaches ${written(best.baseline.value)}`;
  return `${on}, the ${lower(what)} of ${best.model} is ${written(best.score.value)} (${range}); ${beside}.`;
}

function gainSentence({ best, comparisons }: TargetComparison, verdict: Verdict, smallest: number): string {
  const { gain } = best;
  if (gain.value === null) return '';
  if (gain.low === null || gain.high === null)
    return `The gain is ${signed(gain.value)}, without an interval: ${gain.why ?? 'unknown'}.`;
  const corrected =
    comparisons > 1
      ? `, or ${interval(gain.correctedLow, gain.correctedHigh)} with Holm's correction for ${comparisons} comparisons`
      : '';
  const matters =
    verdict === 'no'
      ? `, below the ${written(smallest)} that would matter`
      : gain.low > 0 && gain.high < smallest
        ? `, though less than the ${written(smallest)} that would matter`
        : '';
  return `The gain is ${signed(gain.value)} (${interval(gain.low, gain.high)}${corrected})${matters}.`;
}

function rivalSentence({ versus, model }: ModelComparison, models: number): string {
  if (versus === undefined || versus.value === null) return '';
  const range = versus.low === null ? '' : ` (${interval(versus.low, versus.high)})`;
  const sure = versus.low !== null && versus.low > 0 ? '' : ', which is not told apart';
  return `${model} is the best of ${models} models here, ${signed(versus.value)}${range} from ${versus.model}${sure}.`;
}

/**
 * How many clusters would decide it: the standard error shrinks with the square root of their number. Where stretches of
 * time count too, both would have to grow.
 */
function decidesOf(
  { best, comparisons }: TargetComparison,
  verdict: Verdict,
  smallest: number,
  { clusterName }: FindingOptions,
): string | undefined {
  const { gain, clusters, blocks } = best;
  if (verdict === 'yes' || verdict === 'no') return undefined;
  if (blocks !== undefined && blocks < FEWEST_BLOCKS)
    return `At least ${FEWEST_BLOCKS} stretches of time, each as long as a label: the intervals see that ${clusterName} differ, not that ${blocks === 1 ? 'this one stretch of time could have gone otherwise' : `these ${blocks} stretches do`}.`;
  if (clusters < FEWEST_CLUSTERS)
    return `At least ${FEWEST_CLUSTERS} ${clusterName}: with ${clusters} no interval can be trusted.`;
  if (gain.value === null || gain.standardError === null || gain.low === null)
    return `Test rows on which the score is defined: ${gain.why ?? best.score.why ?? 'unknown'}.`;
  if (gain.standardError === 0) return undefined;
  // Two-sided at Holm's first level, with power 0.8.
  const z = normalQuantile(1 - ALPHA / comparisons / 2) + normalQuantile(0.8);
  const spread = z * gain.standardError;
  const needed = (distance: number): number => Math.ceil(clusters * (spread / distance) ** 2);
  const show = gain.value > 0 ? needed(gain.value) : Infinity;
  const rule = gain.value < smallest ? needed(smallest - gain.value) : Infinity;
  const more = (total: number): string =>
    blocks === undefined
      ? `About ${counted(roundUp(Math.max(1, total - clusters)), `more ${clusterName}`)} (now ${clusters})`
      : `About ${written(total / clusters)} times as many ${clusterName} in as much more time (now ${clusters} in ${blocks} stretches)`;
  if (show <= rule) return `${more(show)} would show it, if the gain stays at ${signed(gain.value)}.`;
  if (Number.isFinite(rule))
    return `${more(rule)} would rule out a gain of ${written(smallest)}, if it stays at ${signed(gain.value)}.`;
  return undefined;
}

/** Two significant digits, upwards: the estimate has no more. */
function roundUp(count: number): number {
  const unit = 10 ** Math.max(0, String(count).length - 2);
  return Math.ceil(count / unit) * unit;
}

function lower(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}
