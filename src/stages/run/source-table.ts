import path from 'node:path';
import type { StageContext } from '../../contract/stage.ts';
import { type Reading, readDataset } from '../../tables/dataset.ts';
import { importTable } from '../../tables/import.ts';
import type { Params } from '../source-table.ts';
import { openTaskDuck } from './task-duck.ts';

export default async function run(context: StageContext<Params>): Promise<void> {
  const { path: file, dataset, ...given } = context.params;
  const description = dataset === undefined ? undefined : await readDataset(dataset);
  const { name, summary: _, source: __, license: ___, ...described } = description ?? { name: path.basename(file) };
  const reading: Reading = {
    ...described,
    ...Object.fromEntries(Object.entries(given).filter(([, v]) => v !== undefined)),
  };
  const scratch = await context.scratch();
  const duck = await openTaskDuck(context);
  try {
    const report = await importTable(duck, file, reading, context.outputPath('table'), scratch);
    const rejected = report.rejected.reduce((sum, { count }) => sum + count, 0);
    const missing = Object.entries(report.missing);
    await context.writeMetrics('metrics', {
      scalars: {
        rows: report.rowsKept,
        'rows.read': report.rowsRead,
        'rows.rejected': rejected,
        duplicates: report.duplicates.count,
        columns: report.columns.length,
        ...Object.fromEntries(missing.map(([column, count]) => [`missing.${column}`, count])),
      },
      quality: [
        {
          source: name,
          rowsRead: report.rowsRead,
          rowsKept: report.rowsKept,
          rejected: report.rejected,
          duplicates: report.duplicates,
          ...(report.totals.length > 0 ? { totals: report.totals } : {}),
          ...report.span,
          facts: [
            { label: 'Columns', value: report.columns.length },
            { label: 'Missing values', value: missing.reduce((sum, [, count]) => sum + count, 0) },
          ],
        },
      ],
    });
  } finally {
    duck.close();
  }
}
