import { count, decimalsOf, estimate, fixed, known, plural } from '../draw/format.ts';
import { drawHistory, HISTORY_HEIGHT, isBetter, paramText } from '../draw/history.ts';
import { type Markup, markup, type Piece } from '../draw/markup.ts';
import { svgElement } from '../draw/svg.ts';
import type { ReportModel, ReportSweep } from '../model.ts';
import { blocksOf, type Entry, figureGrid } from './figures.ts';
import type { Chapter, Page } from './page.ts';
import { richTable } from './tables.ts';

/** Rows of the leaderboard that stand in the file. */
const LEADERS = 20;
const PARALLEL_HEIGHT = 360;

/** What was tried, what came of it, and how far the winner is owed to the number of tries. */
export function sweepChapter(model: ReportModel, page: Page): Chapter | undefined {
  const figures = figureGrid(page, blocksOf(model, 'sweep'));
  if (model.sweeps.length === 0 && figures.entries.length === 0) return undefined;
  const entries: Entry[] = [];
  const sweeps = model.sweeps.map((sweep) => oneSweep(sweep, page, entries, model.sweeps.length > 1));
  const failed = model.sweeps.some((sweep) => sweep.trials.some((trial) => !known(trial.score)));
  return {
    id: 'sweep',
    name: 'Sweep',
    lead: model.sweeps.map(lead).join(' '),
    verdict: failed ? 'undecided' : undefined,
    entries: [...entries, ...figures.entries],
    body: markup`${sweeps}${figures.body}`,
  };
}

function median(values: readonly number[]): number | null {
  const sorted = values.toSorted((a, b) => a - b);
  const half = sorted.length / 2;
  const [low, high] = [sorted[Math.ceil(half) - 1], sorted[Math.floor(half)]];
  return low === undefined || high === undefined ? null : (low + high) / 2;
}

function lead(sweep: ReportSweep): string {
  const scores = sweep.trials.map((trial) => trial.score).filter(known);
  const winner = sweep.winner === null ? undefined : sweep.trials[sweep.winner];
  const n = count(sweep.trials.length);
  if (winner === undefined || !known(winner.score)) return `None of ${n} trials of ${sweep.stage} has won yet.`;
  const middle = median(scores);
  const best = estimate(winner.score);
  const beside = known(middle) ? `; the median trial reaches ${fixed(middle, decimalsOf(winner.score))}` : '';
  return `The best of ${n} trials of ${sweep.stage} scores ${best}${beside}.`;
}

function oneSweep(sweep: ReportSweep, page: Page, entries: Entry[], several: boolean): Markup {
  const id = (part: string): string => page.anchor(`${part}-${sweep.stage}`);
  const [history, parallel, trials] = [id('history'), id('parallel'), id('trials')];
  const named = (name: string): string => (several ? `${name}, ${sweep.stage}` : name);
  entries.push({ id: history, name: named('History') });
  entries.push({ id: parallel, name: named('Parallel coordinates') });
  entries.push({ id: trials, name: named('Trials') });
  page.embed(history, { sweep });
  const n = sweep.trials.length;
  const failed = sweep.trials.filter((trial) => !known(trial.score)).length;
  const each = [
    sweep.replicates > 1 ? `${plural(sweep.replicates, 'replicate')}` : '',
    sweep.folds > 1 ? `mean over ${plural(sweep.folds, 'fold')}` : '',
  ].filter((text) => text !== '');
  const drawing = svgElement(drawHistory(sweep, 1100), `Score of each of ${n} trials of ${sweep.stage}`);
  return markup`<p class="text">Sampler ${sweep.sampler}; ${sweep.goal === 'maximize' ? 'highest' : 'lowest'} <code>${sweep.metric}</code> wins${each.length > 0 && `; ${each.join(', ')}`}. A score picked as the best of ${count(n)} is flattered by the picking: what to expect of the winner stands in the test metrics, which it was not picked by.${foldChoice(sweep)}${failed > 0 && ` ${plural(failed, 'trial')} failed or ${failed === 1 ? 'is' : 'are'} missing.`}</p>
<div class="grid sweep" data-sweep="${history}">
<figure class="figure span-12" id="${history}"><h3>${historyTitle(sweep)} <a class="anchor" href="#${history}" aria-label="Link to this figure">#</a></h3>
<p class="sub">${sweep.metric} of each trial${sweep.replicates > 1 && ', line from least to largest replicate'}; n = ${count(n)} trials</p>
<div class="legend"><span><svg class="key" viewBox="0 0 22 10" aria-hidden="true"><path d="M0 5H22" class="role-this curve"/></svg>best so far</span><span><svg class="key" viewBox="0 0 22 10" aria-hidden="true"><circle cx="11" cy="5" r="3" class="role-baseline dot"/></svg>a trial</span>${failed > 0 && markup`<span><svg class="key" viewBox="0 0 22 10" aria-hidden="true"><path d="M8 2l6 6m0 -6l-6 6" class="role-cost cross"/></svg>failed</span>`}</div>
<div class="plot" data-history style="height:${HISTORY_HEIGHT}px">${drawing.text.length < 150_000 && drawing}</div>
<figcaption>Mean over replicates and folds. The blue dot is the winner, the best of ${count(n)} tried.</figcaption>
<div class="tools"><button type="button" data-do="trials-csv">Copy CSV</button><button type="button" data-do="svg">Copy SVG</button><button type="button" data-do="link">Copy link</button></div></figure>
<figure class="figure span-12" id="${parallel}"><h3>Which settings go with a good score? <a class="anchor" href="#${parallel}" aria-label="Link to this figure">#</a></h3>
<p class="sub">a line a trial, coloured by score from dark (${sweep.goal === 'maximize' ? 'low' : 'high'}) to bright (${sweep.goal === 'maximize' ? 'high' : 'low'}); thick line: the winner. Move the handles to keep the trials between them</p>
<div class="parallel-wrap"><div class="plot parallel" data-parallel style="height:${PARALLEL_HEIGHT}px;min-width:${(sweep.axes.length + 1) * 92}px"></div></div>
<p class="brushed"><span class="brushed-text" aria-live="polite">${count(n)} trials.</span> <button type="button" class="button small" data-do="open-brushes" disabled>Open all handles</button></p>
<figcaption>${count(n - failed)} trials with a score. Trials without one are left out here and stand last in the table.</figcaption></figure>
<div class="span-12" id="${trials}"><h3>Trials, best first</h3>${leaderboard(sweep)}</div>
</div>`;
}

/** Walking forward, a choice by the mean over folds would have seen the test period of the earlier ones. */
function foldChoice(sweep: ReportSweep): string {
  if (sweep.folds < 2 || sweep.foldWinners.length === 0) return '';
  return ` For the test, each fold chose by its own validation rows alone: ${sweep.foldWinners.map((trial, fold) => `trial ${trial} in fold ${fold}`).join(', ')}.`;
}

function historyTitle(sweep: ReportSweep): string {
  const winner = sweep.winner === null ? undefined : sweep.trials[sweep.winner];
  if (winner === undefined) return 'No trial has won yet';
  const late = sweep.trials.indexOf(winner) / Math.max(1, sweep.trials.length - 1);
  const when = late < 1 / 3 ? 'early' : late > 2 / 3 ? 'late' : 'half-way';
  return `The best of ${count(sweep.trials.length)} trials came ${when}: trial ${winner.trial}`;
}

/** Trials in the order of their scores, those without one last. */
export function ranked(sweep: ReportSweep): number[] {
  const score = (i: number): number | null => sweep.trials[i]?.score ?? null;
  return sweep.trials
    .map((_, i) => i)
    .sort((a, b) => {
      const [left, right] = [score(a), score(b)];
      if (!known(left) || !known(right)) return Number(known(right)) - Number(known(left)) || a - b;
      return left === right ? a - b : isBetter(sweep, left, right) ? -1 : 1;
    });
}

function leaderboard(sweep: ReportSweep): Markup {
  const rows = ranked(sweep)
    .slice(0, LEADERS)
    .map((i) => {
      const trial = sweep.trials[i];
      const won: Piece = i === sweep.winner && markup`<span class="pill pass">winner</span> `;
      return [
        { content: markup`${won}${trial?.trial ?? ''}`, sort: trial?.trial ?? null },
        { content: estimate(trial?.score), sort: trial?.score ?? null },
        ...sweep.axes.map((axis) => ({ content: paramText(trial?.params[axis.name]) })),
      ];
    });
  const height = (Math.min(sweep.trials.length, 12) + 1) * 29 + 2;
  return markup`<div class="trials" data-trials style="height:${height}px">${richTable(
    'Trials, best first',
    [
      { name: 'Trial', align: 'right' },
      { name: sweep.metric, align: 'right' },
      ...sweep.axes.map((axis) => ({ name: axis.name, align: 'right' as const })),
    ],
    rows,
    'fill',
  )}</div>`;
}
