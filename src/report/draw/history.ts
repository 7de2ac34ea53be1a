import type { ReportSweep } from '../model.ts';
import { count, estimate, known, plain } from './format.ts';
import { markup, type Piece } from './markup.ts';
import { axisScale } from './scale.ts';
import { circle, type Drawing, line, type Mark, path, pathThrough, text, textWidth, xAxis, yAxis } from './svg.ts';

export const HISTORY_HEIGHT = 300;
const TOP = 22;
const FOOT = 40;
/** Strip below the plot where trials without a score stand. */
const FAILED = 26;

/** Best score up to and including each trial, in trial order; null before the first score. */
export function bestSoFar(sweep: ReportSweep): (number | null)[] {
  let best: number | null = null;
  return sweep.trials.map((trial) => {
    if (known(trial.score) && (best === null || isBetter(sweep, trial.score, best))) best = trial.score;
    return best;
  });
}

export function isBetter(sweep: ReportSweep, a: number, b: number): boolean {
  return sweep.goal === 'maximize' ? a > b : a < b;
}

/** Each trial's score with the spread of its replicates, and the best so far as a stepped line. */
export function drawHistory(sweep: ReportSweep, width: number): Drawing {
  const height = HISTORY_HEIGHT;
  const failed = sweep.trials.some((trial) => !known(trial.score));
  const bottom = height - FOOT;
  const floor = bottom - (failed ? FAILED : 0);
  const values = sweep.trials.flatMap((trial) => [trial.score, ...trial.values]);
  const y = axisScale({ scale: 'linear' }, values, [floor, TOP + 8]);
  const left = Math.max(...y.ticks.map((tick) => textWidth(tick.label)), failed ? textWidth('failed') : 12) + 12;
  const right = width - 14;
  const numbers = sweep.trials.map((trial) => trial.trial);
  const x = axisScale({ scale: 'linear' }, numbers, [left + 8, right], {
    n: Math.max(2, Math.min(sweep.trials.length, Math.round((right - left) / 80))),
    nice: false,
  });
  const goal = sweep.goal === 'maximize' ? 'higher is better' : 'lower is better';
  const pieces: Piece[] = [yAxis(y, left, right), xAxis(x, bottom, right), line(left, bottom, right, bottom, 'axis')];
  pieces.push(text(0, 10, `${sweep.metric}, ${goal}`, { kind: 'hint', room: width }));
  pieces.push(text(right, height - 4, 'trial, in the order they were drawn', { kind: 'hint', anchor: 'end' }));
  if (failed) pieces.push(text(left - 8, bottom - 4, 'failed', { anchor: 'end' }));

  const best = bestSoFar(sweep);
  const steps: [number, number][] = [];
  sweep.trials.forEach((trial, i) => {
    const value = best[i];
    const before = i > 0 ? best[i - 1] : null;
    if (known(before)) steps.push([x.at(trial.trial), y.at(before)]);
    if (known(value)) steps.push([x.at(trial.trial), y.at(value)]);
  });
  const dense = sweep.trials.length > 200;
  const marks: Mark[] = sweep.trials.map((trial, i) => {
    const at = x.at(trial.trial);
    const spread = trial.values.filter(known);
    const won = sweep.winner === i;
    if (spread.length > 1) {
      pieces.push(line(at, y.at(Math.min(...spread)), at, y.at(Math.max(...spread)), 'role-baseline spread'));
    }
    if (known(trial.score)) {
      if (!won) pieces.push(circle(at, y.at(trial.score), dense ? 2.2 : 3, 'role-baseline dot'));
    } else {
      const cross = `M${at - 3} ${bottom - 12}l6 6m0 -6l-6 6`;
      pieces.push(path(cross, 'role-cost cross'));
    }
    return {
      x: at,
      y: known(trial.score) ? y.at(trial.score) : bottom - 8,
      title: `Trial ${trial.trial}${won ? `, best of ${count(sweep.trials.length)}` : ''}`,
      lines: [
        [sweep.metric, known(trial.score) ? estimate(trial.score) : 'failed or missing'],
        ...(spread.length > 1
          ? ([['replicates', trial.values.map((value) => estimate(value)).join(', ')]] as const)
          : []),
        ...Object.entries(trial.params).map(([name, value]): [string, string] => [name, paramText(value)]),
      ],
    };
  });
  pieces.push(path(pathThrough(steps), 'role-this curve'));
  const winner = sweep.winner === null ? undefined : sweep.trials[sweep.winner];
  if (winner !== undefined && known(winner.score)) {
    const at = x.at(winner.trial);
    pieces.push(circle(at, y.at(winner.score), 5.5, 'role-this dot'));
    const label = `trial ${winner.trial}, best of ${count(sweep.trials.length)}`;
    const toLeft = at + textWidth(label) + 14 > right;
    const above = sweep.goal === 'maximize' ? -9 : 18;
    pieces.push(
      text(toLeft ? at + 6 : at - 6, y.at(winner.score) + above, label, {
        kind: 'ink strong-text halo',
        anchor: toLeft ? 'end' : 'start',
      }),
    );
  }
  return { width, height, body: markup`${pieces}`, marks };
}

/** A swept value as text: numbers formatted, lists and objects as JSON. */
export function paramText(value: unknown): string {
  if (value === null || value === undefined) return '\u2013';
  if (typeof value === 'number') return plain(value);
  return typeof value === 'string' ? value : JSON.stringify(value);
}
