/** Holds the stage against XGBoost's own Python package, bit by bit. */
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect } from 'vitest';
import { Booster } from '../../../src/models/boosting/booster.ts';
import { makeMatrix } from '../../../src/models/boosting/matrix.ts';
import { loadXgboost } from '../../../src/models/boosting/xgboost-c.ts';
import runBoosting from '../../../src/stages/run/train-boosting.ts';
import boosting from '../../../src/stages/train-boosting.ts';
import { columnNamed, columnsOf, encodeFrame, type Frame, numbersOf } from '../../../src/tables/frame.ts';
import { readParquet } from '../../../src/tables/parquet.ts';
import { runStage, temporaryFolder } from '../../support/stage.ts';
import { askPeer, xgboostPath } from './peer.ts';

type Numbers = Readonly<Record<string, string | number>>;

/** Trains one fold with the stage and with Python, and expects every bit to agree. */
export async function expectSameAsPython(options: {
  frame: Frame;
  splits: Frame;
  fold: number;
  params: Record<string, unknown> & { target: string; rounds: number; earlyStoppingRounds: number };
  /** The same by XGBoost's own names, written out by hand. */
  parameters: Numbers;
}): Promise<void> {
  const { frame, splits, fold, params, parameters } = options;
  const folder = await temporaryFolder();
  const file = (name: string): string => path.join(folder, name);
  writeFileSync(file('features.arrow'), encodeFrame(frame));
  writeFileSync(file('splits.arrow'), encodeFrame(splits));
  const result = await runStage(boosting, runBoosting, {
    params: { ...params, resamples: 10 },
    inputs: { features: [file('features.arrow')], splits: [file('splits.arrow')] },
    coordinates: { fold },
    seed: 7,
  });
  const features = columnsOf(frame, 'feature').map(numbersOf);
  const target = columnNamed(frame, params.target);
  const sets = columnNamed(splits, `fold${fold}`);
  if (sets.type !== 'category') throw new Error('splits hold categories');
  const answer = askPeer(folder, {
    parameters: { seed: 7, nthread: 1, ...parameters },
    rounds: params.rounds,
    earlyStoppingRounds: params.earlyStoppingRounds,
    names: columnsOf(frame, 'feature').map(({ name }) => name),
    nthread: 1,
    codes: [1, 2, 3],
    features: Float32Array.from({ length: frame.rows * features.length }, (_, i) => {
      const column = features[i % features.length] as Float64Array;
      return column[Math.floor(i / features.length)] as number;
    }),
    labels: Float32Array.from(target.type === 'category' ? target.codes : target.values),
    sets: sets.codes,
    ours: readFileSync(result.path('model')),
  });

  const classes =
    target.type === 'category'
      ? target.labels
      : params['objective'] === 'multiclass'
        ? [...new Set(target.values)].sort((a, b) => a - b).map(String)
        : [''];
  const { rows } = await readParquet(result.path('predictions'));
  for (const [set, theirs] of [
    ['validation', answer.validation],
    ['test', answer.test],
  ] as const) {
    expect(theirs.length).toBeGreaterThan(0);
    classes.forEach((label, klass) => {
      const name = label === '' ? params.target : `${params.target}=${label}`;
      const ours = rows.filter((row) => row['set'] === set && row['target'] === name).map((row) => row['predicted']);
      expect(ours).toEqual([...theirs].filter((_, i) => i % classes.length === klass));
    });
  }
  expect(answer.oursInPython).toEqual(answer.test);
  expect(answer.oursNames).toEqual(columnsOf(frame, 'feature').map(({ name }) => name));
  expect(answer.oursGain).toEqual(answer.gain);
  expect(answer.oursBest).toBe(answer.best === null ? null : String(answer.best));
  const { scalars } = await result.metrics();
  expect(scalars['bestRound']).toBe(answer.best === null ? params.rounds : answer.best + 1);

  // The other way round: Python's model, opened here.
  const xgboost = loadXgboost(xgboostPath as string);
  const booster = Booster.load(xgboost, answer.model);
  const test = [...sets.codes.keys()].filter((row) => sets.codes[row] === 3);
  const matrix = makeMatrix(
    xgboost,
    {
      columns: features.map((column) => Float64Array.from(test, (row) => column[row] as number)),
      rows: test.length,
      featureNames: columnsOf(frame, 'feature').map(({ name }) => name),
    },
    1,
  );
  expect(booster.predict(matrix, scalars['bestRound'] as number)).toEqual(answer.test);
  matrix.free();
  booster.free();
}
