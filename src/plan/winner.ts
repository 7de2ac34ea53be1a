/** Which trial won a sweep. */

import type { MetricsFile } from '../contract/metrics.ts';
import { FathomError } from '../errors.ts';
import type { Task } from './types.ts';

export interface SweepTask {
  readonly task: Task;
  /** Null if the task failed. */
  readonly metrics: MetricsFile | null;
}

export interface TrialScore {
  readonly trial: number;
  /** Mean over the tasks of the trial; null if any of them failed or did not report the metric. */
  readonly score: number | null;
  /** Mean over folds, one a replicate. */
  readonly replicates: readonly (number | null)[];
}

/** Scores of all trials, in order. */
export function scoreTrials(tasks: readonly SweepTask[], metric: string): TrialScore[] {
  const byTrial = new Map<number, Map<number, (number | null)[]>>();
  for (const { task, metrics } of tasks) {
    const { trial = 0, replicate = 0 } = task.coordinates;
    const replicates = byTrial.get(trial) ?? new Map<number, (number | null)[]>();
    byTrial.set(trial, replicates);
    replicates.set(replicate, [...(replicates.get(replicate) ?? []), metrics?.scalars[metric] ?? null]);
  }
  return [...byTrial]
    .sort(([a], [b]) => a - b)
    .map(([trial, replicates]) => {
      const means = [...replicates].sort(([a], [b]) => a - b).map(([, values]) => mean(values));
      return { trial, score: mean(means), replicates: means };
    });
}

/**
 * The best trial by the mean of its metric. Ties go to the earlier trial. Given the tasks of one fold only, it chooses
 * by that fold's validation alone: a choice that used later folds would have seen this fold's test period.
 *
 * @param of "fold 1", for the error that is returned if no trial can win; empty if the tasks are all there are
 */
export function chooseWinners(
  tasks: readonly SweepTask[],
  metric: { readonly name: string; readonly goal: 'maximize' | 'minimize' },
  of = '',
): { winner: number; scores: readonly TrialScore[] } | FathomError {
  const scores = scoreTrials(tasks, metric.name);
  const sign = metric.goal === 'maximize' ? 1 : -1;
  let best: TrialScore | undefined;
  for (const one of scores)
    if (
      one.score !== null &&
      (best?.score === undefined || best.score === null || sign * one.score > sign * best.score)
    )
      best = one;
  if (best === undefined) return noWinner(tasks, metric.name, of);
  return { winner: best.trial, scores };
}

function noWinner(tasks: readonly SweepTask[], metric: string, of: string): FathomError {
  const none = `the sweep has no winner${of === '' ? '' : ` in ${of}`}`;
  const reported = tasks.find(({ metrics }) => metrics !== null)?.metrics;
  if (reported === undefined || reported === null) return new FathomError('task', `${none}: every trial failed`);
  const names = Object.keys(reported.scalars);
  if (!names.includes(metric))
    return new FathomError('experiment', `sweep.metric.name: no trial reports "${metric}"`, {
      hint: `it reports ${names.join(', ')}`,
    });
  return new FathomError('task', `${none}: "${metric}" is undefined in every trial`);
}

function mean(values: readonly (number | null)[]): number | null {
  let sum = 0;
  for (const value of values) {
    if (value === null) return null;
    sum += value;
  }
  return values.length === 0 ? null : sum / values.length;
}
