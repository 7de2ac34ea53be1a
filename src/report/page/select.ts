/** What of a model stands in the first screen. All choices are made here, from the model alone. */

import type { ForestFigure } from '../../contract/figure.ts';
import type { Check, Finding, Metric } from '../../contract/metrics.ts';
import { compact, count, known, percent, plural } from '../draw/format.ts';
import type { ReportModel } from '../model.ts';
import type { Verdict } from './icons.ts';

export type ModelMetric = ReportModel['metrics'][number];

/** One claim of the strip under the answer. */
export interface Claim {
  readonly what: string;
  readonly value: string;
  readonly detail: string;
  readonly verdict: Verdict;
  readonly href: string;
}

/** The model that a metric measures. */
export function modelOf(metric: ModelMetric): string {
  return metric.model ?? metric.stage;
}

export function verdictOfFinding(verdict: Finding['verdict']): Verdict {
  return verdict === 'yes' ? 'pass' : verdict === 'no' ? 'fail' : 'undecided';
}

/** True where a number describes a model, its trend over folds included: pooled, or the stage is one task. */
export function isPooled(metric: ModelMetric): boolean {
  return metric.part === '';
}

/** Does the interval leave its baseline on the good side? `null` where there is no baseline or no interval. */
export function beatsBaseline(metric: Metric): boolean | null {
  const base = metric.baseline?.value;
  if (!known(base) || !known(metric.low) || !known(metric.high)) return null;
  return metric.goal === 'maximize' ? metric.low > base : metric.high < base;
}

const KEY_FIGURES = 6;

/**
 * Up to six metrics for the first screen: of the test set (validation where nothing was tested), pooled over folds,
 * the one that the answer rests on first, then one of each name, then the rest; unknown ones
 * only where room is left.
 */
export function keyMetrics(model: ReportModel): ModelMetric[] {
  const pooled = model.metrics.filter(isPooled);
  const tested = pooled.filter((metric) => metric.set === 'test');
  const pool = tested.length > 0 ? tested : pooled.filter((metric) => metric.set === 'validation');
  const answer = model.findings[0]?.metric;
  const rank = (metric: ModelMetric): number => (known(metric.value) ? (metric.name === answer ? 0 : 1) : 2);
  const ordered = pool.toSorted((a, b) => rank(a) - rank(b));
  const chosen: ModelMetric[] = [];
  for (const fresh of [true, false, undefined]) {
    for (const metric of ordered) {
      if (chosen.length >= KEY_FIGURES || chosen.includes(metric)) continue;
      if (fresh !== undefined && !known(metric.value)) continue;
      if (fresh === true && chosen.some((other) => other.name === metric.name)) continue;
      chosen.push(metric);
    }
  }
  return chosen;
}

/** The forest plot that draws the answer: of section `answer`, the answering stage's own before others, else the metrics that the finding names. */
export function answerForest(model: ReportModel): { figure: ForestFigure; stage: string; made: boolean } | undefined {
  const finding = model.findings[0];
  const drawn = model.figures.flatMap(({ figure, stage }) =>
    figure.section === 'answer' && figure.kind === 'forest' ? [{ figure, stage, made: false }] : [],
  );
  const answering = drawn.find(({ stage }) => stage === finding?.stage) ?? drawn[0];
  if (answering !== undefined) return answering;
  if (finding === undefined) return undefined;
  const metrics = model.metrics.filter(
    (metric) => isPooled(metric) && metric.set === 'test' && metric.name === finding.metric,
  );
  const first = metrics[0];
  if (first === undefined) return undefined;
  const rows: ForestFigure['rows'][number][] = [];
  for (const metric of metrics.slice(0, 6)) {
    const name = [modelOf(metric), metric.target].filter((part) => part !== undefined).join(', ');
    rows.push({
      label: name,
      role: metric.stage === finding.stage ? 'this' : 'other',
      n: metric.n,
      value: metric.value,
      low: metric.low ?? null,
      high: metric.high ?? null,
      ...(metric.why === undefined ? {} : { why: metric.why }),
    });
    if (metric.baseline === undefined) continue;
    const { label, value, low, high } = metric.baseline;
    rows.push({
      label: `baseline: ${label}`,
      role: 'baseline',
      n: metric.n,
      value,
      low: low ?? null,
      high: high ?? null,
    });
  }
  return {
    made: true,
    stage: finding.stage,
    figure: {
      id: 'answer',
      section: 'answer',
      kind: 'forest',
      title: `${first.label}, against the baseline`,
      subtitle: 'test set, mean and 95 % interval; n rows',
      caption: 'Estimates and intervals from the table of metrics.',
      unit: first.unit ?? '',
      zero: metrics[0]?.baseline?.value ?? 0,
      rows,
    },
  };
}

function leaks(checks: readonly Check[]): Claim {
  const failed = checks.filter((check) => check.verdict === 'fail');
  const open = checks.filter((check) => check.verdict === 'undecided');
  const what = 'Leaks checked';
  const href = '#checks';
  if (checks.length === 0) {
    return {
      what,
      href: '#data',
      value: 'Not checked',
      detail: 'no stage of this run checks for leaks',
      verdict: 'undecided',
    };
  }
  const passed = checks.length - failed.length - open.length;
  return {
    what,
    href,
    value: `${passed} of ${checks.length} pass`,
    detail:
      failed.length > 0
        ? `fails: ${failed.map((check) => check.name).join(', ')}`
        : open.length > 0
          ? `undecided: ${open.map((check) => check.name).join(', ')}`
          : checks
              .slice(0, 3)
              .map((check) => check.name)
              .join(', '),
    verdict: failed.length > 0 ? 'fail' : open.length > 0 ? 'undecided' : 'pass',
  };
}

function trials(model: ReportModel): Claim {
  const tried = model.sweeps.reduce((sum, sweep) => sum + sweep.trials.length, 0);
  const lost = model.sweeps.reduce((sum, sweep) => sum + sweep.trials.filter((trial) => !known(trial.score)).length, 0);
  const replicates = Math.max(1, ...model.sweeps.map((sweep) => sweep.replicates));
  if (tried === 0) {
    return {
      what: 'Trials tried',
      value: '1',
      detail: 'no sweep, so nothing was picked',
      verdict: 'pass',
      href: '#stages',
    };
  }
  return {
    what: 'Trials tried',
    value: count(tried),
    detail: `the winner is the best of ${count(tried)}${replicates > 1 ? `, ${replicates} replicates each` : ''}${lost > 0 ? `; ${count(lost)} failed` : ''}`,
    verdict: lost > 0 ? 'undecided' : 'note',
    href: '#sweep',
  };
}

function completeness(model: ReportModel): Claim {
  const what = 'Run complete';
  const tasks = model.stages.reduce((sum, stage) => sum + stage.tasks, 0);
  const done = model.stages.reduce((sum, stage) => sum + stage.done, 0);
  if (!model.run.complete || model.failed.length > 0) {
    const detail = model.failed.length > 0 ? plural(model.failed.length, 'task') : 'unfinished';
    return {
      what,
      value: `No, ${count(done)} of ${count(tasks)} tasks`,
      detail: model.failed.length > 0 ? `${detail} failed` : 'the run has not finished',
      verdict: 'fail',
      href: model.failed.length > 0 ? '#failed' : '#stages',
    };
  }
  const { commit, dirty } = model.provenance.git;
  const detail =
    commit === null
      ? 'code not under git'
      : dirty
        ? 'with uncommitted changes in the code'
        : `code ${commit.slice(0, 8)}`;
  return {
    what,
    value: `Yes, ${plural(tasks, 'task')}`,
    detail,
    verdict: commit === null || dirty ? 'undecided' : 'pass',
    href: '#make-again',
  };
}

function rejected(model: ReportModel): Claim | undefined {
  if (model.quality.length === 0) return undefined;
  const read = model.quality.reduce((sum, quality) => sum + quality.rowsRead, 0);
  const lost = model.quality.reduce((sum, q) => sum + q.rejected.reduce((inner, row) => inner + row.count, 0), 0);
  const twice = model.quality.reduce((sum, quality) => sum + quality.duplicates.count, 0);
  const share = read > 0 ? lost / read : 0;
  return {
    what: 'Rows rejected',
    value: lost === 0 ? 'None' : `${percent(share)}`,
    detail: `${lost === 0 ? '' : `${compact(lost)} `}of ${compact(read)} read${twice > 0 ? `; ${compact(twice)} duplicates` : ''}`,
    verdict: share > 0.01 ? 'undecided' : 'pass',
    href: '#data',
  };
}

function absent(model: ReportModel): Claim {
  const n = model.absent.length;
  return {
    what: 'Stages absent',
    value: n === 0 ? 'None' : count(n),
    detail:
      n === 0
        ? `all ${count(model.stages.length)} stages could run here`
        : model.absent.map((stage) => stage.stage).join(', '),
    verdict: n === 0 ? 'pass' : 'undecided',
    href: n === 0 ? '#stages' : '#absent',
  };
}

/** The strip: five claims at most, each with its evidence behind the link. */
export function claims(model: ReportModel): Claim[] {
  return [leaks(model.checks), trials(model), completeness(model), rejected(model), absent(model)].filter(
    (claim) => claim !== undefined,
  );
}
