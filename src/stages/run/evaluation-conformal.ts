import type { ForestFigure, LineFigure } from '../../contract/figure.ts';
import type { StageRun } from '../../contract/stage.ts';
import { FathomError } from '../../errors.ts';
import {
  type ConformalRow,
  type Coverage,
  conformalRows,
  coverageOf,
  coverages,
  isHeld,
} from '../../evaluation/coverage.ts';
import { foldsWithValidation } from '../../evaluation/held-out.ts';
import { counted, interval, written } from '../../evaluation/words.ts';
import { writeParquet } from '../../tables/parquet.ts';
import type { ConformalParams } from '../evaluation-conformal.ts';
import { readHeldOut } from './held-out.ts';

/** Promises drawn beside what was measured. */
const LEVELS = [0.5, 0.6, 0.7, 0.8, 0.9, 0.95];

const run: StageRun<ConformalParams> = async (context) => {
  const { target, confidence, scale, resamples } = context.params;
  const folds = foldsWithValidation(await readHeldOut(context.inputs('predictions')), target);
  const judged = folds.flatMap(({ validation, test }) => [...validation, ...test]);
  if (folds.every(({ test }) => test.length === 0))
    throw new FathomError('data', `there are no test rows of "${target}" whose outcome is known`);
  const spread = judged.every((row) => row.spread !== null);
  if (scale === 'spread' && !spread)
    throw new FathomError('data', 'the predictions carry no spread to scale intervals by', {
      hint: 'connect evaluation.ensemble, or set `scale: constant`',
    });
  const scaled = spread && scale !== 'constant';
  const rows = conformalRows(folds, confidence, scaled).sort((a, b) => a.fold - b.fold || a.row - b.row);
  await writeIntervals(context.outputPath('intervals'), rows);
  const rng = (purpose: string) => context.rng(purpose);
  const measured = coverages(rows, rng, resamples);
  const all = measured[0] as Coverage;
  const timed = rows.every(({ time }) => time !== null);
  await context.writeMetrics('metrics', {
    scalars: {
      promised: confidence,
      coverage: all.value,
      medianWidth: Number.isFinite(all.medianWidth) ? all.medianWidth : null,
      ...Object.fromEntries(measured.slice(1).map(({ label, value }) => [`coverage.${label}`, value])),
    },
    notes: [
      ...(timed
        ? [
            'The promise assumes that test rows are exchangeable with validation rows; rows in time are not, so the measured coverage counts.',
          ]
        : []),
      ...(rows.some(({ half }) => half === Infinity)
        ? [`Some folds have too few validation rows to promise ${percent(confidence)}: their intervals have no end.`]
        : []),
    ],
  });
  const byLevel = LEVELS.map((level) =>
    coverageOf(String(level), conformalRows(folds, level, scaled), rng(`level ${level}`), resamples),
  );
  const width = scaled ? 'widths scaled by the spread of the ensemble' : 'one width a fold';
  await context.writeFigures('figures', [
    forest(target, confidence, measured, width),
    line(target, byLevel, rows.length, width),
  ]);
};

export default run;

async function writeIntervals(path: string, rows: readonly ConformalRow[]): Promise<void> {
  const role = 'info' as const;
  const finite = (value: number): number | null => (Number.isFinite(value) ? value : null);
  await writeParquet(path, [
    { name: 'fold', role, type: 'INT32', values: rows.map((r) => r.fold) },
    { name: 'row', role, type: 'INT32', values: rows.map((r) => r.row), description: 'Row in the frame, from 0' },
    { name: 'id', role: 'id', type: 'STRING', values: rows.map((r) => r.id) },
    { name: 'group', role: 'group', type: 'STRING', values: rows.map((r) => r.group) },
    { name: 'actual', role, type: 'DOUBLE', values: rows.map((r) => r.actual) },
    { name: 'predicted', role, type: 'DOUBLE', values: rows.map((r) => r.predicted) },
    {
      name: 'low',
      role,
      type: 'DOUBLE',
      values: rows.map((r) => finite(r.predicted - r.half)),
      description: 'Null: no end',
    },
    {
      name: 'high',
      role,
      type: 'DOUBLE',
      values: rows.map((r) => finite(r.predicted + r.half)),
      description: 'Null: no end',
    },
    {
      name: 'held',
      role,
      type: 'INT32',
      values: rows.map((r) => Number(isHeld(r))),
      description: '1 if low ≤ actual ≤ high',
    },
  ]);
}

function forest(target: string, confidence: number, measured: readonly Coverage[], width: string): ForestFigure {
  const all = measured[0] as Coverage;
  const short = all.high !== null && all.high < confidence;
  return {
    kind: 'forest',
    id: 'coverage',
    section: 'models',
    title: `Intervals that promise ${percent(confidence)} of ${target} ${short ? 'hold only' : 'hold'} ${percent(all.value)}`,
    subtitle: `Share of outcomes inside, by fold and by how many rows a group has; ${counted(all.rows, 'test rows')}, 95 % interval ${interval(all.low, all.high)}; median width ${written(Number.isFinite(all.medianWidth) ? all.medianWidth : null)}`,
    caption: `Split conformal intervals from errors on the validation rows of each fold, ${width}. The promise holds for exchangeable rows.`,
    method: 'Conformal intervals',
    unit: 'share inside',
    zero: confidence,
    rows: measured.map(({ label, rows, value, low, high }, i) => ({
      label,
      role: i === 0 ? ('this' as const) : ('other' as const),
      n: rows,
      value,
      low,
      high,
    })),
  };
}

function line(target: string, byLevel: readonly Coverage[], rows: number, width: string): LineFigure {
  const worst = byLevel.reduce((a, b, i) =>
    Math.abs(b.value - (LEVELS[i] as number)) > Math.abs(a.value - Number(a.label)) ? b : a,
  );
  return {
    kind: 'line',
    id: 'coverage-by-promise',
    section: 'models',
    title: `What intervals hold is at most ${percent(Math.abs(worst.value - Number(worst.label)))} off what they promise`,
    subtitle: `Measured against promised share of ${target} inside, 95 % intervals, ${counted(rows, 'test rows')}`,
    caption: `Split conformal intervals at several levels, ${width}. Below the diagonal they promise too much.`,
    method: 'Conformal intervals',
    x: { label: 'Promised', scale: 'linear' },
    y: { label: 'Measured', scale: 'linear' },
    reference: 'diagonal',
    series: [
      {
        label: 'intervals',
        role: 'this',
        x: LEVELS,
        y: byLevel.map(({ value }) => value),
        low: byLevel.map(({ low }) => low),
        high: byLevel.map(({ high }) => high),
      },
    ],
  };
}

function percent(value: number): string {
  return `${(100 * value).toFixed(1).replace(/\.0$/, '')} %`;
}
