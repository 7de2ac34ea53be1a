/** Holds the stages against XGBoost's own Python package, bit by bit. */
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect } from 'vitest';
import { Booster } from '../../../src/models/boosting/booster.ts';
import { readFeatures, takeRows } from '../../../src/models/boosting/features.ts';
import { makeMatrix } from '../../../src/models/boosting/matrix.ts';
import { finished } from '../../../src/models/boosting/model-file.ts';
import { loadXgboost } from '../../../src/models/boosting/xgboost-c.ts';
import runBoosting from '../../../src/stages/run/train-boosting.ts';
import runForest from '../../../src/stages/run/train-forest.ts';
import boosting from '../../../src/stages/train-boosting.ts';
import forest from '../../../src/stages/train-forest.ts';
import { columnNamed, columnsOf, encodeFrame, type Frame, numbersOf } from '../../../src/tables/frame.ts';
import { readParquet } from '../../../src/tables/parquet.ts';
import { runStage, type StageResult, temporaryFolder } from '../../support/stage.ts';
import { askPeer, xgboostPath } from './peer.ts';

type Numbers = Readonly<Record<string, string | number>>;

/** Trains one fold with a stage and with Python, and expects every bit to agree. */
export async function expectSameAsPython(options: {
  frame: Frame;
  splits: Frame;
  fold: number;
  stage?: 'boosting' | 'forest';
  params: Record<string, unknown> & { target: string; objective: string };
  /** The same by XGBoost's own names, written out by hand. */
  parameters: Numbers;
  /** Where Python gets other labels than the target's own. */
  labels?: Float32Array;
  weights?: Float32Array;
  queries?: Int32Array;
}): Promise<StageResult> {
  const { frame, splits, fold, params, parameters, weights, queries } = options;
  const kind = options.stage ?? 'boosting';
  const folder = await temporaryFolder();
  const file = (name: string): string => path.join(folder, name);
  writeFileSync(file('features.arrow'), encodeFrame(frame));
  writeFileSync(file('splits.arrow'), encodeFrame(splits));
  const given = {
    params: { resamples: 10, permutations: 0, ...params },
    inputs: { features: [file('features.arrow')], splits: [file('splits.arrow')] },
    coordinates: { fold },
    seed: 7,
  };
  const result =
    kind === 'forest' ? await runStage(forest, runForest, given) : await runStage(boosting, runBoosting, given);
  const features = readFeatures(frame);
  const types = features.labels.map((labels) => (labels === undefined ? 'q' : 'c'));
  const target = columnNamed(frame, params.target);
  const sets = columnNamed(splits, `fold${fold}`);
  if (sets.type !== 'category') throw new Error('splits hold categories');
  const all = takeRows(
    features,
    Uint32Array.from({ length: frame.rows }, (_, row) => row),
  ).columns;
  const answer = askPeer(folder, {
    parameters: { seed: 7, nthread: 1, ...parameters },
    rounds: kind === 'forest' ? 1 : Number(params['rounds']),
    earlyStoppingRounds: Number(params['earlyStoppingRounds'] ?? 0),
    names: features.names,
    types: types.includes('c') ? types : null,
    nthread: 1,
    codes: [1, 2, 3],
    features: Float32Array.from(
      { length: frame.rows * all.length },
      (_, i) => all[i % all.length]?.[Math.floor(i / all.length)] as number,
    ),
    labels: options.labels ?? Float32Array.from(target.type === 'category' ? target.codes : target.values),
    weights,
    queries,
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
  for (const [set, raw] of [
    ['validation', answer.validation],
    ['test', answer.test],
  ] as const) {
    expect(raw.length).toBeGreaterThan(0);
    const theirs = finished({ kind, objective: params.objective as 'binary' }, raw, classes.length);
    classes.forEach((label, klass) => {
      const name = label === '' ? params.target : `${params.target}=${label}`;
      const ours = rows.filter((row) => row['set'] === set && row['target'] === name).map((row) => row['predicted']);
      expect(ours).toEqual([...theirs].filter((_, i) => i % classes.length === klass));
    });
  }
  expect(answer.oursInPython).toEqual(answer.test);
  expect(answer.oursNames).toEqual(features.names);
  expect(answer.oursTypes).toEqual(types.includes('c') ? types : null);
  expect(answer.oursGain).toEqual(answer.gain);
  expect(answer.oursBest).toBe(answer.best === null ? null : String(answer.best));
  const { scalars } = await result.metrics();
  const rounds = kind === 'forest' ? 1 : Number(params['rounds']);
  expect(scalars['bestRound']).toBe(answer.best === null ? rounds : answer.best + 1);

  // The other way round: Python's model, opened here.
  const xgboost = loadXgboost(xgboostPath as string);
  const booster = Booster.load(xgboost, answer.model);
  const test = Uint32Array.from([...sets.codes.keys()].filter((row) => sets.codes[row] === 3));
  const matrix = makeMatrix(
    xgboost,
    {
      columns: takeRows(features, test).columns,
      rows: test.length,
      featureNames: columnsOf(frame, 'feature').map(({ name }) => name),
      categorical: types.map((type) => type === 'c'),
    },
    1,
  );
  expect(booster.predict(matrix, scalars['bestRound'] as number)).toEqual(answer.test);
  if (queries === undefined)
    expect(booster.predict(matrix, scalars['bestRound'] as number, 'contributions')).toEqual(answer.contributions);
  matrix.free();
  booster.free();
  return result;
}

/** Numbers of a column as float32. */
export function floatsOf(frame: Frame, name: string): Float32Array {
  return Float32Array.from(numbersOf(columnNamed(frame, name)));
}
