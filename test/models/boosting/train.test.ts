import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Booster } from '../../../src/models/boosting/booster.ts';
import { decodeState, encodeState } from '../../../src/models/boosting/checkpoint.ts';
import { type Matrix, makeMatrix, type Rows } from '../../../src/models/boosting/matrix.ts';
import { canResume, checkDevice, train } from '../../../src/models/boosting/train.ts';
import { arrayInterface, loadXgboost, type Xgboost, xgboostFailure } from '../../../src/models/boosting/xgboost-c.ts';
import { makeRng } from '../../../src/random/rng.ts';
import { whyNoXgboost, xgboostPath } from './peer.ts';

const failure = (code: string, message: RegExp): Error =>
  expect.objectContaining({ code, message: expect.stringMatching(message) as string }) as Error;

it('training states come back from their bytes, also where the model holds line ends', () => {
  fc.assert(
    fc.property(fc.uint8Array(), fc.array(fc.double({ noNaN: true, noDefaultInfinity: true })), (model, losses) => {
      // JSON has one zero: -0 + 0 is 0.
      const state = { model, trainingLoss: losses.map((x) => x + 0), validationLoss: [] };
      expect(decodeState(encodeState(state))).toEqual({
        model: expect.anything() as Uint8Array,
        trainingLoss: state.trainingLoss,
        validationLoss: [],
      });
      expect(Buffer.from(decodeState(encodeState(state)).model).equals(Buffer.from(model))).toBe(true);
    }),
  );
});

it('training may continue only where no random numbers are drawn', () => {
  const still = { subsample: 1, colsample_bytree: 1, device: 'cpu' };
  expect(canResume(still)).toBe(true);
  expect(canResume({ ...still, subsample: 0.9 })).toBe(false);
  expect(canResume({ ...still, colsample_bytree: 0.9 })).toBe(false);
  expect(canResume({ ...still, colsample_bynode: 0.9 })).toBe(false);
  expect(canResume({ ...still, booster: 'dart' })).toBe(false);
  expect(canResume({ ...still, device: 'cuda' })).toBe(false);
});

it('a lack of memory comes with a way out, another failure with its words alone', () => {
  const hint = expect.stringMatching(/device: cpu/) as string;
  for (const words of [
    '[10:20:30] src/c_api.cc:1: std::bad_alloc: cudaErrorMemoryAllocation: out of memory\nStack trace:\n  [bt] (0) x',
    'Memory allocation error on worker 0: std::bad_alloc',
  ])
    expect(xgboostFailure('to train', words)).toMatchObject({ code: 'task', hint });
  const other = xgboostFailure('to train', '[10:20:30] label must be in [0, 1]\nStack trace:\n  [bt] (0) x');
  expect([other.message, other.hint]).toEqual(['XGBoost failed to train: label must be in [0, 1]', undefined]);
});

it('a GPU is refused before the start by libraries that would take the CPU without an error', () => {
  const library = { path: '/lib/libxgboost.so', version: '3.2.0', hasCuda: true };
  expect(() => checkDevice(library, 'cuda')).not.toThrow();
  expect(() => checkDevice({ ...library, hasCuda: false }, 'cpu')).not.toThrow();
  expect(() => checkDevice({ ...library, hasCuda: false }, 'cuda')).toThrow(failure('unavailable', /without CUDA/));
  expect(() => checkDevice({ ...library, hasCuda: false }, 'cuda:1')).toThrow(failure('unavailable', /without CUDA/));
  expect(() => checkDevice({ ...library, version: '1.7.6' }, 'cuda')).toThrow(
    failure('unavailable', /libxgboost 1\.7\.6, which does not know `device: cuda`/),
  );
});

it('arrays are named by address, type and shape', () => {
  expect(JSON.parse(arrayInterface(new Float32Array(6), [2, 3]))).toEqual({
    data: [expect.any(Number) as number, true],
    shape: [2, 3],
    typestr: '<f4',
    version: 3,
  });
  expect(arrayInterface(new Float64Array(2))).toContain('<f8');
  expect(arrayInterface(new Int32Array(2))).toContain('<i4');
});

describe.skipIf(xgboostPath === undefined)(`a booster (${xgboostPath ?? whyNoXgboost})`, () => {
  const library = (): Xgboost => loadXgboost(xgboostPath as string);
  const rng = makeRng('train test');
  const [x, noise] = [0, 1].map(() => Float32Array.from({ length: 200 }, () => rng.normal())) as [
    Float32Array,
    Float32Array,
  ];
  const rows: Rows = {
    columns: [x, noise],
    rows: 200,
    featureNames: ['x', 'noise'],
    labels: x.map((value) => Number(value > 0)),
  };
  const parameters = { objective: 'binary:logistic', nthread: 1, subsample: 1, colsample_bytree: 1 };
  const withMatrix = async (data: Rows, use: (matrix: Matrix) => unknown): Promise<void> => {
    const matrix = makeMatrix(library(), data, 1);
    try {
      await use(matrix);
    } finally {
      matrix.free();
      matrix.free();
    }
  };

  it('ranks features by gain and cover, and leaves out those no tree uses', () =>
    withMatrix(rows, async (training) => {
      const { booster } = await train(library(), { parameters, rounds: 1, earlyStoppingRounds: 0, training });
      expect([...booster.importance('gain').keys()]).toEqual(['x']);
      expect(booster.importance('gain').get('x')).toBeGreaterThan(100);
      // The cover of the first split is the sum of the second derivatives, p (1 - p) a row.
      expect(booster.importance('cover').get('x')).toBeCloseTo(50, 0);
      const empty = Booster.load(library(), booster.toJson(), { max_depth: 1 });
      expect(empty.importance('weight')).toEqual(booster.importance('weight'));
      for (const one of [booster, empty]) one.free();
    }));

  it('predicts by its first rounds alone where asked', () =>
    withMatrix(rows, async (training) => {
      const options = { parameters, earlyStoppingRounds: 0, training };
      const short = await train(library(), { ...options, rounds: 2 });
      const long = await train(library(), { ...options, rounds: 9 });
      expect(long.booster.predict(training, 2)).toEqual(short.booster.predict(training, 0));
      expect(long.booster.predict(training, 0)).not.toEqual(short.booster.predict(training, 0));
      expect(long.trainingLoss.slice(0, 2)).toEqual(short.trainingLoss);
      for (const { booster } of [short, long]) booster.free();
    }));

  it('reads rows, labels and names of the length it is told', () => {
    expect(() => makeMatrix(library(), { ...rows, rows: 199 }, 1)).toThrow(
      failure('internal', /features do not all have 199 values/),
    );
    expect(() => makeMatrix(library(), { ...rows, labels: new Float32Array(3) }, 1)).toThrow(
      failure('internal', /3 numbers of label for 200 rows/),
    );
  });

  it('stops where the validation loss is no finite number', () =>
    withMatrix(rows, (training) =>
      withMatrix({ ...rows, labels: new Float32Array(200).fill(3e38) }, async (validation) => {
        const regression = { ...parameters, objective: 'reg:squarederror' };
        await expect(
          train(library(), { parameters: regression, rounds: 5, earlyStoppingRounds: 2, training, validation }),
        ).rejects.toThrow(failure('task', /the validation loss is .* after round 1/));
      }),
    ));

  it('that was asked for a GPU and trains on the CPU is refused, whatever the library says of itself', () =>
    withMatrix(rows, async (training) => {
      const boastful = { ...library(), hasCuda: true };
      const options = { parameters: { ...parameters, device: 'cuda' }, rounds: 2, earlyStoppingRounds: 0, training };
      // Where there is a GPU it trains on it; anywhere else it must not go on.
      const outcome = await train(boastful, options).then(
        ({ booster }) => booster.device(),
        (error: { code: string; message: string }) => `${error.code}: ${error.message}`,
      );
      expect(outcome).toMatch(/^cuda:0$|^unavailable: XGBoost was asked for CUDA but trains on cpu$/);
    }));

  it('does not continue from a state where it draws random numbers', () =>
    withMatrix(rows, async (training) => {
      const from = { model: new Uint8Array(0), trainingLoss: [], validationLoss: [] };
      await expect(
        train(library(), {
          parameters: { ...parameters, subsample: 0.5 },
          rounds: 1,
          earlyStoppingRounds: 0,
          training,
          from,
        }),
      ).rejects.toThrow(failure('internal', /cannot continue/));
    }));

  it('refuses bytes that are no model, and a file that is no library', () => {
    expect(() => Booster.load(library(), new TextEncoder().encode('{"not": "a model"}'))).toThrow(
      failure('task', /^XGBoost failed to read a model: /),
    );
    expect(() => loadXgboost('/nowhere/libxgboost.so')).toThrow(
      failure('unavailable', /cannot be loaded as libxgboost/),
    );
  });
});
