import type { Figure, LineFigure, TableFigure } from '../../contract/figure.ts';
import type { StageContext, StageRun } from '../../contract/stage.ts';
import { FathomError } from '../../errors.ts';
import { quantile } from '../../evaluation/bootstrap.ts';
import { foldsWithValidation, type JudgedRow, samplingOfRows } from '../../evaluation/held-out.ts';
import {
  type ActionRows,
  chooseThreshold,
  estimatesAt,
  type ThresholdGoal,
  type ThresholdScore,
} from '../../evaluation/thresholds.ts';
import { counted, interval, signed, written } from '../../evaluation/words.ts';
import { columnNamed, numbersOf, readFrame } from '../../tables/frame.ts';
import type { ThresholdsParams } from '../evaluation-thresholds.ts';
import { readHeldOut } from './held-out.ts';

/** Thresholds drawn: quantiles of the test predictions. */
const STEPS = 20;

/** Of each row of the frame, USD per USD staked; undefined where nothing says. */
type ProfitOf = (row: JudgedRow) => number;

const run: StageRun<ThresholdsParams> = async (context) => {
  const { params } = context;
  const { target, resamples, leastCoverage } = params;
  const folds = foldsWithValidation(await readHeldOut(context.inputs('predictions')), target);
  const profitOf = await profits(context);
  const goal = params.goal ?? (profitOf === undefined ? 'f1' : 'totalProfit');
  if (goal === 'totalProfit' && profitOf === undefined)
    throw new FathomError('experiment', '`goal: totalProfit` needs `profit` or `price`');
  const rowsOf = (list: readonly JudgedRow[]): ActionRows => actionRows(list, params, profitOf);
  const chosen = folds.map(({ fold, validation, test }) => ({
    fold,
    test,
    validation: validation.length,
    threshold: chooseThreshold(rowsOf(validation), goal, leastCoverage) ?? Infinity,
  }));
  const test = chosen.flatMap((one) => one.test);
  if (test.length === 0) throw new FathomError('data', `there are no test rows of "${target}"`);
  const thresholdOf = chosen.flatMap((one) => one.test.map(() => one.threshold));
  const rows = rowsOf(test);
  const sampling = samplingOfRows(test);
  const at = (threshold: (row: number) => number, purpose: string) =>
    estimatesAt(rows, threshold, sampling, context.rng(purpose), resamples);
  const total = at((row) => thresholdOf[row] as number, 'chosen');
  await context.writeMetrics('metrics', {
    scalars: Object.fromEntries(Object.entries(total).map(([name, { value }]) => [`test.${name}`, value])),
    notes: [
      `Thresholds were chosen for ${goal === 'f1' ? 'F1' : 'total profit'} on validation rows; a row is acted on if its prediction is above, not at, the threshold.`,
      ...(sampling.blocks !== undefined && sampling.blocks < 5
        ? [
            'The test rows lie in fewer than five stretches of time: the intervals do not see what differs between times.',
          ]
        : []),
    ],
  });
  const sorted = test.map(({ predicted }) => predicted).sort((a, b) => a - b);
  const grid = [...new Set(Array.from({ length: STEPS }, (_, i) => quantile(sorted, i / STEPS)))];
  const curve = grid.map((threshold) => at(() => threshold, `threshold ${threshold}`));
  const figures: Figure[] = [
    line(
      'thresholds',
      `What acting above a threshold catches, and how often rightly`,
      'Share',
      ['precision', 'recall', 'coverage'],
      { target, grid, curve, rows: test.length },
    ),
  ];
  if (profitOf !== undefined)
    figures.push(
      line(
        'threshold-profit',
        `At the chosen thresholds acting earns ${signed(total.profit.value)} USD per USD staked (${interval(total.profit.low, total.profit.high)})`,
        'Profit, USD per USD staked',
        ['profit'],
        { target, grid, curve, rows: test.length },
      ),
    );
  await context.writeFigures('figures', [...figures, chosenTable(chosen, rowsOf, total, context, goal)]);
};

export default run;

function actionRows(list: readonly JudgedRow[], { positiveAbove }: ThresholdsParams, profitOf?: ProfitOf): ActionRows {
  const actual = Float64Array.from(list, ({ actual: value, row, target }) => {
    if (positiveAbove !== undefined) return Number(value > positiveAbove);
    if (value !== 0 && value !== 1)
      throw new FathomError('data', `"${target}" is ${value} in row ${row}, neither 0 nor 1`, {
        hint: 'say what counts as positive in `positiveAbove`',
      });
    return value;
  });
  const predicted = Float64Array.from(list, (row) => row.predicted);
  return { actual, predicted, ...(profitOf === undefined ? {} : { profit: Float64Array.from(list, profitOf) }) };
}

async function profits(context: StageContext<ThresholdsParams>): Promise<ProfitOf | undefined> {
  const { profit, price, cost } = context.params;
  if (profit === undefined && price === undefined) return undefined;
  if (profit !== undefined && price !== undefined)
    throw new FathomError('experiment', '`profit` and `price` both say what acting earns; one suffices');
  const features = context.optionalInput('features');
  if (features === undefined)
    throw new FathomError('experiment', '`profit` and `price` name columns of the features, which are not connected', {
      hint: 'add the frame: from: { predictions: ..., features: ... }',
    });
  const values = numbersOf(columnNamed(await readFrame(features.path, features.shared), profit ?? (price as string)));
  return ({ row, actual }) => {
    const value = values[row];
    if (value === undefined)
      throw new FathomError('data', `row ${row} was predicted, but the features have ${values.length} rows`, {
        hint: 'connect the frame that the model was trained on',
      });
    if (profit !== undefined) return value - cost;
    // A share without a price cannot be bought.
    return value > 0 && value < 1 ? actual / value - 1 - cost : NaN;
  };
}

function line(
  id: string,
  title: string,
  label: string,
  scores: readonly ThresholdScore[],
  {
    target,
    grid,
    curve,
    rows,
  }: { target: string; grid: number[]; curve: readonly ReturnType<typeof estimatesAt>[]; rows: number },
): LineFigure {
  return {
    kind: 'line',
    id,
    section: 'models',
    title,
    subtitle: `By threshold on the prediction of ${target}, ${counted(rows, 'test rows')} of all folds, 95 % intervals`,
    caption: `Thresholds at ${grid.length} quantiles of the predictions; acted on strictly above.`,
    method: 'Thresholds',
    x: { label: `Threshold on predicted ${target}`, scale: 'linear' },
    y: { label, scale: 'linear' },
    ...(scores.includes('profit') ? { reference: 'zero' as const } : {}),
    series: scores.map((score, i) => ({
      label: score,
      role: i === 0 ? ('this' as const) : ('other' as const),
      x: grid,
      y: curve.map((one) => one[score].value),
      low: curve.map((one) => one[score].low),
      high: curve.map((one) => one[score].high),
    })),
  };
}

function chosenTable(
  chosen: readonly { fold: number; test: readonly JudgedRow[]; validation: number; threshold: number }[],
  rowsOf: (list: readonly JudgedRow[]) => ActionRows,
  total: ReturnType<typeof estimatesAt>,
  context: StageContext<ThresholdsParams>,
  goal: ThresholdGoal,
): TableFigure {
  const { resamples } = context.params;
  const cells = (one: ReturnType<typeof estimatesAt>): (number | null)[] =>
    (['precision', 'recall', 'coverage', 'profit'] as const).flatMap((name) => [
      one[name].value,
      one[name].low,
      one[name].high,
    ]);
  return {
    kind: 'table',
    id: 'thresholds-chosen',
    section: 'models',
    title: `Above thresholds chosen beforehand, ${written(total.precision.value)} of the rows acted on are positive`,
    subtitle: `Each fold at the threshold that did best on its validation rows (${goal === 'f1' ? 'F1' : 'total profit'}); 95 % intervals`,
    caption: 'An empty threshold acts on nothing: none did well enough. Profit in USD per USD staked, over acted rows.',
    method: 'Thresholds',
    columns: [
      { name: 'fold', align: 'left' },
      { name: 'threshold', align: 'right' },
      { name: 'test rows', align: 'right' },
      ...['precision', 'recall', 'coverage', 'profit'].flatMap((name) =>
        [name, `${name}, from`, `${name}, to`].map((column) => ({ name: column, align: 'right' as const })),
      ),
    ],
    rows: [
      ...chosen
        .filter(({ test }) => test.length > 0)
        .map(({ fold, test, threshold }) => [
          String(fold),
          Number.isFinite(threshold) ? threshold : null,
          test.length,
          ...cells(
            estimatesAt(rowsOf(test), () => threshold, samplingOfRows(test), context.rng(`fold ${fold}`), resamples),
          ),
        ]),
      ['all', null, chosen.reduce((sum, { test }) => sum + test.length, 0), ...cells(total)],
    ],
  };
}
