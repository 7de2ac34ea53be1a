import { count, decimalsOf, estimate, fixed, interval, known, withUnit } from '../draw/format.ts';
import { type Markup, markup, type Piece } from '../draw/markup.ts';
import type { ReportModel } from '../model.ts';
import { blocksOf, type Entry, figureGrid } from './figures.ts';
import { glyph } from './icons.ts';
import type { Chapter, Page } from './page.ts';
import { beatsBaseline, isPooled, type ModelMetric, modelOf } from './select.ts';
import { type RichCell, richTable, unknown } from './tables.ts';

const sets = ['test', 'validation', 'train'] as const;

/** What the models reach on each set, beside what their baselines reach there. */
export function modelsChapter(model: ReportModel, page: Page): Chapter | undefined {
  const figures = figureGrid(page, blocksOf(model, 'models'));
  if (model.metrics.length === 0 && figures.entries.length === 0) return missing(model);
  const entries: Entry[] = [];
  const pooled = ordered(model.metrics.filter(isPooled));
  const parts = ordered(model.metrics.filter((metric) => !isPooled(metric)));
  let tables: Piece = null;
  if (model.metrics.length > 0) {
    const id = page.anchor('metrics');
    entries.push({ id, name: 'Metrics' });
    tables = markup`<div class="block" id="${id}"><h3>How good is each model, and against what?</h3>
<p class="sub">95 % intervals, resampled by cluster; baselines on the same rows</p>
${pooled.length > 0 && metricsTable(pooled, false)}
${parts.length > 0 && markup`<details${pooled.length === 0 && markup` open`}><summary>By fold or part, ${count(parts.length)} rows</summary>${metricsTable(parts, true)}</details>`}</div>`;
  }
  const judged = pooled.filter((metric) => metric.set === 'test').map(beatsBaseline);
  const lost = judged.some((better) => better === false);
  const won = judged.some((better) => better === true);
  return {
    id: 'models',
    name: 'Models',
    lead: lead(pooled),
    verdict: lost ? 'undecided' : won ? 'pass' : undefined,
    entries: [...entries, ...figures.entries],
    body: markup`${tables}${figures.body}`,
  };
}

/** A run that meant to train and has nothing to show keeps the chapter, and says so. */
function missing(model: ReportModel): Chapter | undefined {
  const trained = model.stages.filter((stage) => stage.use.startsWith('train.'));
  if (trained.length === 0) return undefined;
  const done = trained.reduce((sum, stage) => sum + stage.done, 0);
  const tasks = trained.reduce((sum, stage) => sum + stage.tasks, 0);
  return {
    id: 'models',
    name: 'Models',
    lead: 'No model was measured.',
    verdict: 'fail',
    entries: [],
    body: markup`<p class="text">${count(done)} of ${count(tasks)} training tasks are done, and none has left metrics. <a href="#stages">Stages</a></p>`,
  };
}

function ordered(metrics: readonly ModelMetric[]): ModelMetric[] {
  return metrics.toSorted((a, b) => sets.indexOf(a.set) - sets.indexOf(b.set));
}

function lead(pooled: readonly ModelMetric[]): string {
  const test = pooled.filter((metric) => metric.set === 'test');
  if (test.length === 0) return 'No model was measured on a test set.';
  const judged = test.map(beatsBaseline).filter((better) => better !== null);
  if (judged.length === 0) return 'On the test set no metric has both an interval and a baseline to be held against.';
  const won = judged.filter((better) => better).length;
  if (won === judged.length && won > 1) {
    return `On the test set all ${count(won)} metrics are better than their baseline, intervals included.`;
  }
  if (won === 0) {
    return `On the test set none of ${count(judged.length)} metrics is better than its baseline, interval included.`;
  }
  return `On the test set ${count(won)} of ${count(judged.length)} metrics ${judged.length === 1 || won === 1 ? 'is' : 'are'} better than the baseline, interval included.`;
}

function metricsTable(metrics: readonly ModelMetric[], parts: boolean): Markup {
  const targets = metrics.some((metric) => metric.target !== undefined);
  const rows = metrics.map((metric): RichCell[] => {
    const decimals = known(metric.value) ? decimalsOf(metric.value) : 3;
    const base = metric.baseline;
    const better = beatsBaseline(metric);
    const gain = known(metric.value) && known(base?.value) ? metric.value - base.value : null;
    return [
      { content: modelOf(metric) },
      ...(parts ? [{ content: metric.part }] : []),
      ...(targets ? [{ content: metric.target ?? '' }] : []),
      { content: metric.label, kind: 'wrap' },
      { content: metric.set, sort: sets.indexOf(metric.set) },
      {
        content: known(metric.value) ? withUnit(estimate(metric.value), metric.unit) : unknown(metric.why),
        sort: metric.value,
        kind: 'strong',
      },
      { content: interval(metric.value, metric.low, metric.high), sort: metric.low ?? null, kind: 'soft' },
      {
        content:
          base === undefined
            ? unknown('no baseline was measured')
            : known(base.value)
              ? markup`${fixed(base.value, decimals)}<span class="under">${base.label}</span>`
              : unknown(base.why),
        sort: base?.value ?? null,
      },
      {
        content: [
          better !== null && glyph(better ? 'pass' : 'undecided'),
          ' ',
          gain === null ? unknown('no baseline to subtract') : fixed(gain, decimals, true),
        ],
        sort: gain,
      },
      { content: count(metric.n), sort: metric.n },
      {
        content: metric.clusters === undefined ? unknown('not clustered') : count(metric.clusters),
        sort: metric.clusters ?? null,
      },
    ];
  });
  return richTable(
    parts ? 'Metrics by part' : 'Metrics',
    [
      { name: 'Model', align: 'left' },
      ...(parts ? [{ name: 'Part', align: 'left' as const }] : []),
      ...(targets ? [{ name: 'Target', align: 'left' as const }] : []),
      { name: 'Metric', align: 'left' },
      { name: 'Set', align: 'left' },
      { name: 'Estimate', align: 'right' },
      { name: '95 % interval', align: 'right' },
      { name: 'Baseline', align: 'right' },
      { name: 'Difference', align: 'right' },
      { name: 'Rows', align: 'right' },
      { name: 'Clusters', align: 'right' },
    ],
    rows,
    'tall sticky-first',
  );
}
