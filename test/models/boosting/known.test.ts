/** Answers that are known from elsewhere. */
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import predict from '../../../src/stages/predict-trees.ts';
import runPredict from '../../../src/stages/run/predict-trees.ts';
import runBoosting from '../../../src/stages/run/train-boosting.ts';
import runForest from '../../../src/stages/run/train-forest.ts';
import boosting from '../../../src/stages/train-boosting.ts';
import forest from '../../../src/stages/train-forest.ts';
import { encodeFrame, type Frame, type FrameColumn } from '../../../src/tables/frame.ts';
import { readParquet } from '../../../src/tables/parquet.ts';
import { setLabels } from '../../support/boosting.ts';
import { shared, sharedFile, whyNoShared } from '../../support/shared.ts';
import { runStage, temporaryFolder } from '../../support/stage.ts';
import { whyNoXgboost, xgboostPath } from './peer.ts';

const why = shared === undefined ? whyNoShared : whyNoXgboost;

/** XGBoost's own example: 126 properties of mushrooms that are there (1) or not (missing), and whether they are edible. */
function agaricus(): { frame: Frame; splits: Frame } {
  const lines = ['train', 'test'].flatMap((set) =>
    readFileSync(sharedFile(`data/ml/agaricus.txt.${set}`), 'utf8')
      .trim()
      .split('\n')
      .map((line) => ({ set, parts: line.split(' ') })),
  );
  const rows = lines.length;
  const label = Float64Array.from(lines, ({ parts }) => Number(parts[0]));
  const features = Array.from({ length: 126 }, () => new Float32Array(rows).fill(Number.NaN));
  lines.forEach(({ parts }, row) => {
    for (const part of parts.slice(1)) {
      const [feature, value] = part.split(':').map(Number);
      const column = features[(feature as number) - 1];
      if (column !== undefined) column[row] = value as number;
    }
  });
  const columns: FrameColumn[] = features.map((values, i) => ({
    name: `f${i + 1}`,
    role: 'feature',
    type: 'number',
    values,
  }));
  return {
    frame: { rows, columns: [...columns, { name: 'edible', role: 'label', type: 'number', values: label }] },
    splits: {
      rows,
      columns: [
        {
          name: 'fold0',
          role: 'info',
          type: 'category',
          labels: setLabels,
          codes: Int32Array.from(lines, ({ set }) => (set === 'train' ? 1 : 3)),
        },
      ],
    },
  };
}

describe.skipIf(shared === undefined || xgboostPath === undefined)(`known answers (${why || 'found'})`, () => {
  it('one tree of depth 1, 2 and 3 errs on exactly as many mushrooms as it should', async () => {
    const { frame, splits } = agaricus();
    const folder = await temporaryFolder();
    const file = (name: string): string => path.join(folder, name);
    writeFileSync(file('features.arrow'), encodeFrame(frame));
    writeFileSync(file('splits.arrow'), encodeFrame(splits));
    const errors = [];
    for (const maxDepth of [1, 2, 3]) {
      const trained = await runStage(boosting, runBoosting, {
        params: {
          target: 'edible',
          objective: 'binary',
          rounds: 1,
          earlyStoppingRounds: 0,
          learningRate: 1,
          maxDepth,
          permutations: 0,
          resamples: 10,
        },
        inputs: { features: [file('features.arrow')], splits: [file('splits.arrow')] },
        coordinates: { fold: 0 },
      });
      // All rows, by the saved model.
      const predicted = await runStage(predict, runPredict, {
        params: {},
        inputs: { model: [trained.path('model')], features: [file('features.arrow')] },
      });
      const { rows } = await readParquet(predicted.path('predictions'));
      const label = frame.columns.at(-1);
      if (label?.type !== 'number') throw new Error('labels are numbers');
      const wrong = (from: number, to: number): number =>
        rows.slice(from, to).filter((row, i) => (row['predicted'] as number) > 0.5 !== (label.values[from + i] === 1))
          .length /
        (to - from);
      errors.push([wrong(0, 6513).toFixed(6), wrong(6513, 8124).toFixed(6)]);
    }
    expect(errors).toEqual([
      ['0.113926', '0.110490'],
      ['0.046522', '0.042831'],
      ['0.014433', '0.016139'],
    ]);
  });

  it('forests and boosted trees tell tumours apart as well as random forests elsewhere', async () => {
    const lines = readFileSync(sharedFile('data/ml/breast_cancer.csv'), 'utf8').trim().split('\n').slice(1);
    const cells = lines.map((line) => line.split(',').map(Number));
    const rows = cells.length;
    const frame: Frame = {
      rows,
      columns: Array.from({ length: 31 }, (_, k) => ({
        name: k === 30 ? 'benign' : `m${k}`,
        role: k === 30 ? 'label' : 'feature',
        type: 'number',
        values: Float64Array.from(cells, (row) => row[k] as number),
      })),
    };
    const splits: Frame = {
      rows,
      columns: Array.from({ length: 5 }, (_, fold) => ({
        name: `fold${fold}`,
        role: 'info' as const,
        type: 'category' as const,
        labels: setLabels,
        codes: Int32Array.from({ length: rows }, (_, i) => (i % 5 === fold ? 3 : 1)),
      })),
    };
    const folder = await temporaryFolder();
    const file = (name: string): string => path.join(folder, name);
    writeFileSync(file('features.arrow'), encodeFrame(frame));
    writeFileSync(file('splits.arrow'), encodeFrame(splits));
    const common = { target: 'benign', objective: 'binary', permutations: 0, resamples: 10 };
    const accuracyOf = async (train: (fold: number) => Promise<{ path(port: string): string }>): Promise<number> => {
      let right = 0;
      for (let fold = 0; fold < 5; fold++) {
        const { rows: predicted } = await readParquet((await train(fold)).path('predictions'));
        right += predicted.filter((row) => (row['predicted'] as number) > 0.5 === (row['actual'] === 1)).length;
      }
      return right / rows;
    };
    const given = (fold: number) => ({
      inputs: { features: [file('features.arrow')], splits: [file('splits.arrow')] },
      coordinates: { fold },
    });
    const ofForest = await accuracyOf((fold) => runStage(forest, runForest, { params: common, ...given(fold) }));
    const boost = { ...common, rounds: 100, maxDepth: 3, earlyStoppingRounds: 0 };
    const ofBoosting = await accuracyOf((fold) => runStage(boosting, runBoosting, { params: boost, ...given(fold) }));
    // Random forests reach .965 over five folds; the standard error of an accuracy over 569 rows is .008.
    expect(Math.abs(ofForest - 0.965)).toBeLessThan(0.016);
    expect(ofBoosting).toBeGreaterThan(0.949);
  });
});
