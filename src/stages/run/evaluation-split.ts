import type { StageRun } from '../../contract/stage.ts';
import { FathomError } from '../../errors.ts';
import { setNames } from '../../evaluation/hold-out.ts';
import { checkSplits, type LeakRows } from '../../evaluation/leaks.ts';
import { type SplitOptions, splitRows } from '../../evaluation/split.ts';
import { describeFolds, pathsFigure, splitFigures } from '../../evaluation/split-figures.ts';
import type { NamedValues } from '../../evaluation/target-leak.ts';
import { twinsOf } from '../../evaluation/twins.ts';
import {
  columnNamed,
  columnsOf,
  type Frame,
  type FrameColumn,
  numbersOf,
  readFrame,
  textOf,
  writeFrame,
} from '../../tables/frame.ts';
import { parseDuration, parseMoment } from '../../tables/time.ts';
import type { SplitParams } from '../evaluation-split.ts';

const run: StageRun<SplitParams> = async (context) => {
  const { params } = context;
  const artifact = context.input('features');
  const rows = rowsOf(await readFrame(artifact.path, artifact.shared), params);
  const options = optionsOf(params);
  const folds = splitRows(rows, options, context.rng('split'));
  const checks = checkSplits(rows, folds, options);
  const parts = describeFolds(rows, folds);
  await writeFrame(context.outputPath('splits'), {
    rows: rows.count,
    columns: folds.map((codes, i) => ({ name: `fold${i}`, role: 'info', type: 'category', labels: setNames, codes })),
  });
  await context.writeMetrics('metrics', {
    scalars: {
      folds: folds.length,
      rows: rows.count,
      ...Object.fromEntries(parts.map((part) => [`fold${part.fold}.${part.set}`, part.rows])),
    },
    checks,
  });
  const paths = params.scheme === 'combinatorial-purged' ? [pathsFigure(params.folds, params.testBlocks ?? 2)] : [];
  await context.writeFigures('figures', [...splitFigures(parts, checks, options), ...paths]);
};

export default run;

function optionsOf(params: SplitParams): SplitOptions {
  const { boundaries, trainSpan } = params;
  if (params.scheme !== 'walk-forward' && (boundaries ?? trainSpan) !== undefined)
    throw new FathomError(
      'experiment',
      `\`boundaries\` and \`trainSpan\` belong to walk-forward, not to ${params.scheme}`,
    );
  if (params.scheme !== 'combinatorial-purged' && params.testBlocks !== undefined)
    throw new FathomError('experiment', `\`testBlocks\` belongs to combinatorial-purged, not to ${params.scheme}`);
  const moments = boundaries?.map((text) => parseMoment(text) / 1000);
  const span = trainSpan === undefined ? undefined : milliseconds(trainSpan);
  return {
    scheme: params.scheme,
    folds: params.folds,
    ...(params.testBlocks === undefined ? {} : { testBlocks: params.testBlocks }),
    validationFraction: params.validationFraction,
    purge: params.purge,
    embargo: milliseconds(params.embargo),
    disjointGroups: params.disjointGroups,
    minTrainRows: params.minTrainRows,
    minTestRows: params.minTestRows,
    ...(moments === undefined ? {} : { boundaries: moments }),
    ...(span === undefined ? {} : { trainFrom: (testFrom: number) => testFrom - span }),
  };
}

function milliseconds(span: string): number {
  return span === '0d' ? 0 : parseDuration(span) / 1000;
}

/** Roles to what a splitter reads. */
function rowsOf(frame: Frame, params: SplitParams): LeakRows {
  const one = (role: FrameColumn['role']): FrameColumn | undefined => columnsOf(frame, role)[0];
  const time = one('time');
  const id = one('id');
  const [group] = params.group === undefined ? columnsOf(frame, 'group') : [columnNamed(frame, params.group)];
  const ends = columnsOf(frame, 'labelEnd').map(numbersOf);
  const texts = (column: FrameColumn): string[] => Array.from({ length: frame.rows }, (_, row) => textOf(column, row));
  const named = (role: FrameColumn['role']): NamedValues[] =>
    columnsOf(frame, role).map((c) => ({ name: c.name, values: c.type === 'number' ? c.values : c.codes }));
  const features = named('feature');
  return {
    count: frame.rows,
    ...(time === undefined ? {} : { time: numbersOf(time) }),
    ...(id === undefined ? {} : { id: texts(id) }),
    ...(group === undefined ? {} : { group: texts(group) }),
    ...(ends.length === 0 ? {} : { labelEnd: latest(ends, frame.rows) }),
    ...(params.label === undefined ? {} : { stratum: strata(columnNamed(frame, params.label), frame.rows, texts) }),
    ...(features.length === 0
      ? {}
      : {
          twin: twinsOf(
            features.map(({ values }) => values),
            frame.rows,
          ),
        }),
    features,
    targets: named('label'),
  };
}

/** A row is judged until the last of its labels is known; unknown as soon as one of them is. */
function latest(ends: readonly ArrayLike<number>[], rows: number): Float64Array {
  return Float64Array.from({ length: rows }, (_, row) => Math.max(...ends.map((values) => values[row] as number)));
}

function strata(column: FrameColumn, rows: number, texts: (column: FrameColumn) => string[]): string[] {
  const classes = texts(column);
  const distinct = new Set(classes).size;
  if (distinct > 50)
    throw new FathomError(
      'data',
      `column "${column.name}" has ${distinct} different values in ${rows} rows: too many for classes`,
      {
        hint: 'name a column of classes in `label`, or leave it out',
      },
    );
  return classes;
}
