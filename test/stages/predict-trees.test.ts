import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import predict from '../../src/stages/predict-trees.ts';
import runPredict from '../../src/stages/run/predict-trees.ts';
import runBoosting from '../../src/stages/run/train-boosting.ts';
import runForest from '../../src/stages/run/train-forest.ts';
import boosting from '../../src/stages/train-boosting.ts';
import forest from '../../src/stages/train-forest.ts';
import { encodeFrame, type Frame, type FrameColumn } from '../../src/tables/frame.ts';
import { readParquet } from '../../src/tables/parquet.ts';
import { whyNoXgboost, xgboostPath } from '../models/boosting/peer.ts';
import { makeFrame, makeSplits, withCategories } from '../support/boosting.ts';
import { runStage, type StageResult, temporaryFolder } from '../support/stage.ts';

const frame = withCategories(makeFrame(200));
/** With a way out, whatever it is. */
const failure = (code: string, message: RegExp): Error =>
  expect.objectContaining({
    code,
    message: expect.stringMatching(message) as string,
    hint: expect.any(String) as string,
  }) as Error;

async function trained(
  objective: string,
  target: string,
  kind: 'boosting' | 'forest' = 'boosting',
): Promise<StageResult> {
  const folder = await temporaryFolder();
  const file = (name: string): string => path.join(folder, name);
  await writeFile(file('features.arrow'), encodeFrame(frame));
  await writeFile(file('splits.arrow'), encodeFrame(makeSplits(200, 5)));
  const given = {
    params: { objective, target, resamples: 10, permutations: 0 },
    inputs: { features: [file('features.arrow')], splits: [file('splits.arrow')] },
    coordinates: { fold: 0 },
  };
  return kind === 'forest' ? runStage(forest, runForest, given) : runStage(boosting, runBoosting, given);
}

async function predicted(model: string | Uint8Array, rows: Frame, params: object = {}): Promise<StageResult> {
  const folder = await temporaryFolder();
  const file = (name: string): string => path.join(folder, name);
  await writeFile(file('model.json'), typeof model === 'string' ? await readFile(model) : model);
  await writeFile(file('features.arrow'), encodeFrame(rows));
  return runStage(predict, runPredict, {
    params,
    inputs: { model: [file('model.json')], features: [file('features.arrow')] },
  });
}

function changed(name: string, change: (column: FrameColumn) => FrameColumn | undefined): Frame {
  return {
    rows: frame.rows,
    columns: frame.columns.flatMap((column) => (column.name === name ? (change(column) ?? []) : column)),
  };
}

describe.skipIf(xgboostPath === undefined)(`predict.trees (${xgboostPath ?? whyNoXgboost})`, () => {
  it.each([
    ['binary', 'good', 'boosting'],
    ['multiclass', 'kind', 'boosting'],
    ['multiclass', 'kind', 'forest'],
    ['regression', 'gain', 'forest'],
  ] as const)(
    'gives the test rows what the training stage gave them: %s %s by a %s',
    async (objective, target, kind) => {
      const model = await trained(objective, target, kind);
      // Columns in another order, and categories with other codes.
      const venue = frame.columns.find(({ name }) => name === 'venue');
      if (venue?.type !== 'category') throw new Error('venue holds categories');
      const labels = venue.labels.toReversed();
      const other: Frame = {
        rows: frame.rows,
        columns: frame.columns
          .toReversed()
          .map((column) =>
            column === venue
              ? { ...venue, labels, codes: venue.codes.map((code) => (code < 0 ? -1 : labels.length - 1 - code)) }
              : column,
          ),
      };
      const { rows } = await readParquet(
        (await predicted(model.path('model'), other, { nthread: 2 })).path('predictions'),
      );
      const by = new Map(rows.map((row) => [`${row['target']} ${row['row']}`, row['predicted']]));
      expect(by.size).toBe(200 * (objective === 'multiclass' ? 3 : 1));
      const before = (await readParquet(model.path('predictions'))).rows;
      expect(before.length).toBeGreaterThan(60);
      for (const row of before) expect(by.get(`${row['target']} ${row['row']}`)).toBe(row['predicted']);
    },
  );

  it('counts missing values and categories that the model has not seen', async () => {
    const model = (await trained('binary', 'good')).path('model');
    const other = changed('venue', (column) =>
      column.type === 'category'
        ? { ...column, labels: column.labels.map((name) => (name === 'a' ? 'new' : name)) }
        : column,
    );
    const known = (await (await predicted(model, frame)).metrics()).scalars;
    const venue = frame.columns.find(({ name }) => name === 'venue');
    const ofA = venue?.type === 'category' ? venue.codes.filter((code) => venue.labels[code] === 'a').length : 0;
    expect(ofA).toBeGreaterThan(0);
    const { scalars, notes } = await (await predicted(model, other)).metrics();
    expect(scalars).toEqual({
      rows: 200,
      'values.unseen': ofA,
      'values.missing': (known['values.missing'] as number) + ofA,
    });
    expect(notes?.[0]).toMatch(/categories that the model has not seen/);
  });

  it.each([
    ['lacks a feature', changed('a', () => undefined), /it lacks a$/],
    ['has another feature', changed('a', (column) => ({ ...column, name: 'x' })), /it lacks a; it adds x$/],
    ['measures in another unit', changed('a', (column) => ({ ...column, unit: 'USD' })), /"a" is in USD; .* no unit/],
    [
      'holds numbers where there were categories',
      changed('venue', ({ name, role }) => ({ name, role, type: 'number', values: new Float64Array(200) })),
      /"venue" holds numbers; the model was trained on categories/,
    ],
  ])('refuses a frame that %s', async (_, other, message) => {
    await expect(predicted((await trained('binary', 'good')).path('model'), other)).rejects.toThrow(
      failure('data', message),
    );
  });

  it('refuses a model that is cut in half, of a younger library, not ours, or no model', async () => {
    const bytes = await (await trained('binary', 'good')).bytes('model');
    const text = new TextDecoder().decode(bytes);
    const refuses = (model: string, message: RegExp): Promise<void> =>
      expect(predicted(new TextEncoder().encode(model), frame)).rejects.toThrow(failure('data', message));
    await refuses(text.slice(0, text.length / 2), /not a whole model: its JSON ends early/);
    await refuses('', /not a whole model/);
    await refuses('{"version":[3,2,0]}', /no model of XGBoost's/);
    await refuses(
      text.replace(/"version":\[\d+,\d+,\d+\]/, '"version":[99,1,0]'),
      /was saved by XGBoost 99\.1; the library here/,
    );
    await refuses(text.replace('\\"version\\":1', '\\"version\\":2'), /describes itself in another version than 1/);
    await refuses(text.replace('"fathom":', '"other":'), /no stage of ours saved it/);
  });
});
