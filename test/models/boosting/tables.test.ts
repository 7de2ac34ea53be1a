import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { packageRoot } from '../../../src/paths.ts';
import { makeRng } from '../../../src/random/rng.ts';
import evaluationSplit from '../../../src/stages/evaluation-split.ts';
import featuresFrame from '../../../src/stages/features-frame.ts';
import runSplit from '../../../src/stages/run/evaluation-split.ts';
import runFrame from '../../../src/stages/run/features-frame.ts';
import runTable from '../../../src/stages/run/source-table.ts';
import sourceTable from '../../../src/stages/source-table.ts';
import { columnsOf, type Frame, readFrame } from '../../../src/tables/frame.ts';
import { shared, sharedFile, whyNoShared } from '../../support/shared.ts';
import { runStage, temporaryFolder } from '../../support/stage.ts';
import { whyNoPeer } from './peer.ts';
import { expectSameAsPython } from './same.ts';

/** From a file to the frame and folds that models learn from, by the stages that an experiment would use. */
async function prepare(table: object, label: string): Promise<{ frame: Frame; splits: Frame }> {
  const imported = await runStage(sourceTable, runTable, { params: table });
  const framed = await runStage(featuresFrame, runFrame, { params: {}, inputs: { table: [imported.path('table')] } });
  const split = await runStage(evaluationSplit, runSplit, {
    params: { scheme: 'k-fold', folds: 5, label },
    inputs: { features: [framed.path('frame')] },
  });
  return { frame: await readFrame(framed.path('frame')), splits: await readFrame(split.path('splits')) };
}

const params = { rounds: 100, earlyStoppingRounds: 10, maxDepth: 3, learningRate: 0.3 };
const parameters = { tree_method: 'hist', max_depth: 3, eta: 0.3 };

describe.skipIf(whyNoPeer !== undefined)(`from a file to Python's own bits (${whyNoPeer ?? 'found'})`, () => {
  it('for a table with missing values', async () => {
    const rng = makeRng('table');
    const lines = Array.from({ length: 240 }, (_, i) => {
      const [x, y] = [rng.normal(), rng.normal()];
      return `${x},${i % 9 === 0 ? '' : y},${Number(x + y + rng.normal() > 0)}`;
    });
    const file = path.join(await temporaryFolder(), 'table.csv');
    await writeFile(file, `x,y,up\n${lines.join('\n')}\n`);
    const columns = [{ name: 'x' }, { name: 'y' }, { name: 'up', role: 'label' }];
    const { frame, splits } = await prepare({ path: file, columns }, 'up');
    await expectSameAsPython({
      frame,
      splits,
      fold: 1,
      params: { ...params, target: 'up', objective: 'binary' },
      parameters: { ...parameters, objective: 'binary:logistic' },
    });
  });

  describe.skipIf(shared === undefined)(`for recorded tables (${shared === undefined ? whyNoShared : 'found'})`, () => {
    it('breast cancer, each of five folds', async () => {
      const { frame, splits } = await prepare(
        {
          path: sharedFile('data/ml/breast_cancer.csv'),
          dataset: path.join(packageRoot, 'datasets/breast-cancer.yaml'),
        },
        'benign',
      );
      expect(frame.rows).toBe(569);
      expect(columnsOf(frame, 'feature')).toHaveLength(30);
      for (const fold of [0, 1, 2, 3, 4])
        await expectSameAsPython({
          frame,
          splits,
          fold,
          params: { ...params, target: 'benign', objective: 'binary' },
          parameters: { ...parameters, objective: 'binary:logistic' },
        });
    });

    it('iris, three classes, in two threads as in one', async () => {
      const measures = ['sepalLength', 'sepalWidth', 'petalLength', 'petalWidth'];
      const { frame, splits } = await prepare(
        {
          path: sharedFile('data/ml/iris.csv'),
          header: 'skip',
          columns: [...measures.map((name) => ({ name })), { name: 'species', type: 'integer', role: 'label' }],
        },
        'species',
      );
      for (const nthread of [1, 2])
        await expectSameAsPython({
          frame,
          splits,
          fold: 0,
          params: { ...params, target: 'species', objective: 'multiclass', nthread },
          parameters: { ...parameters, objective: 'multi:softprob', num_class: 3, nthread },
        });
    });
  });
});
