import type { StageRun } from '../../contract/stage.ts';
import { quantile } from '../../evaluation/bootstrap.ts';
import { ensembleRows } from '../../evaluation/ensemble.ts';
import { heldOutColumns } from '../../evaluation/held-out.ts';
import { writeParquet } from '../../tables/parquet.ts';
import type { EnsembleParams } from '../evaluation-ensemble.ts';
import { readHeldOut } from './held-out.ts';

const run: StageRun<EnsembleParams> = async (context) => {
  // Folds of one model are one member; its trials, replicates and shards are members of their own.
  const rows = await readHeldOut(context.inputs('predictions'), ({ stage, coordinates }) =>
    (['trial', 'replicate', 'shard'] as const).reduce(
      (name, axis) => (coordinates[axis] === undefined ? name : `${name}, ${axis} ${coordinates[axis]}`),
      stage,
    ),
  );
  const ensemble = ensembleRows(rows);
  await writeParquet(context.outputPath('predictions'), heldOutColumns(ensemble.rows));
  const targets = [...new Set(ensemble.rows.map(({ target }) => target))];
  await context.writeMetrics('metrics', {
    scalars: {
      members: ensemble.members.length,
      ...Object.fromEntries(
        targets.map((target) => {
          const spreads = ensemble.rows.filter((row) => row.target === target).map((row) => row.spread as number);
          return [
            `${target}.medianSpread`,
            quantile(
              spreads.sort((a, b) => a - b),
              0.5,
            ),
          ];
        }),
      ),
    },
    notes: [`The mean of ${ensemble.members.length} members: ${ensemble.members.join('; ')}.`],
  });
};

export default run;
