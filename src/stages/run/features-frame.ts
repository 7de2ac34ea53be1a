import type { StageContext } from '../../contract/stage.ts';
import { buildFrame } from '../../tables/features.ts';
import { columnsOf, type FrameColumn, writeFrame } from '../../tables/frame.ts';
import { readRelation } from '../../tables/relation.ts';
import type { Params } from '../features-frame.ts';

export default async function run(context: StageContext<Params>): Promise<void> {
  const table = await readRelation('table', context.input('table').path);
  const targets = context.optionalInput('targets');
  const truth = context.optionalInput('truth');
  const { frame, rowsRead, rowsWithoutLabel, rowsWithoutTarget } = buildFrame(
    {
      table,
      targets: targets === undefined ? undefined : await readRelation('targets', targets.path),
      truth: truth === undefined ? undefined : await readRelation('truth', truth.path),
    },
    context.params,
  );
  await writeFrame(context.outputPath('frame'), frame);
  const features = columnsOf(frame, 'feature');
  const labels = columnsOf(frame, 'label');
  const counted = [...features, ...labels].map((column) => [column.name, missingIn(column)] as const);
  const constant = features.filter(isConstant).map((column) => column.name);
  await context.writeMetrics('metrics', {
    scalars: {
      rows: frame.rows,
      'rows.read': rowsRead,
      'rows.withoutLabel': rowsWithoutLabel,
      'rows.withoutTarget': rowsWithoutTarget,
      features: features.length,
      labels: labels.length,
      ...Object.fromEntries(counted.filter(([, n]) => n > 0).map(([name, n]) => [`missing.${name}`, n])),
    },
    notes: [
      `${frame.rows} rows, ${features.length} features, ${labels.length} labels; nothing is scaled or filled in here.`,
      ...(labels.length > 0 && context.params.dropRowsWithoutLabel
        ? [`${rowsWithoutLabel} rows without any label were left out.`]
        : []),
      ...(constant.length > 0 ? [`Without any variation: ${constant.join(', ')}.`] : []),
      ...(context.params.oneHot.length > 0 ? ['The values that have an indicator are those of all rows.'] : []),
    ],
  });
}

function missingIn(column: FrameColumn): number {
  let count = 0;
  if (column.type === 'number') for (const value of column.values) count += Number(Number.isNaN(value));
  else for (const code of column.codes) count += Number(code === -1);
  return count;
}

function isConstant(column: FrameColumn): boolean {
  return column.type === 'number' && column.values.every((value) => Object.is(value, column.values[0]));
}
