import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { categoricalOf, constantFeatures, readFeatures, takeRows } from '../../../src/models/boosting/features.ts';
import { makeMatrix } from '../../../src/models/boosting/matrix.ts';
import { train } from '../../../src/models/boosting/train.ts';
import { loadXgboost } from '../../../src/models/boosting/xgboost-c.ts';
import { decodeFrame, encodeFrame, type Frame } from '../../../src/tables/frame.ts';
import { makeFrame, withCategories } from '../../support/boosting.ts';
import { xgboostPath } from './peer.ts';

const number = (name: string, values: Float32Array | Float64Array): Frame['columns'][number] => ({
  name,
  role: 'feature',
  type: 'number',
  values,
});
const failure = (message: RegExp): Error =>
  expect.objectContaining({ code: 'data', message: expect.stringMatching(message) as string }) as Error;

describe('rows of features', () => {
  const frame = decodeFrame(encodeFrame(withCategories(makeFrame(60))));
  const features = readFeatures(frame);

  it('that follow each other are read where they lie in the Arrow file', () => {
    const { columns } = takeRows(
      features,
      Uint32Array.from({ length: 20 }, (_, i) => 10 + i),
    );
    for (const name of ['a', 'b', 'c', 'd']) {
      const at = features.names.indexOf(name);
      const whole = features.columns[at] as Float32Array;
      expect(columns[at]?.buffer).toBe(whole.buffer);
      expect(columns[at]?.byteOffset).toBe(whole.byteOffset + 40);
      expect(columns[at]).toHaveLength(20);
    }
  });

  it('in any other order are gathered, categories as codes, all that is missing as NaN', () => {
    const rows = Uint32Array.of(34, 5, 11, 59, 0);
    const { columns, missing } = takeRows(features, rows);
    const [b, venue] = ['b', 'venue'].map((name) => features.names.indexOf(name)) as [number, number];
    rows.forEach((row, i) => {
      expect(columns[b]?.[i]).toBe(features.columns[b]?.[row]);
      const code = features.columns[venue]?.[row] as number;
      expect(columns[venue]?.[i]).toBe(code < 0 ? Number.NaN : code);
    });
    // b lacks rows 0 and 34, venue rows 0 and 11.
    expect(missing).toBe(4);
    expect(categoricalOf(features)).toEqual([false, false, false, false, true]);
  });

  it.each([
    [Infinity, /feature "x" is Infinity in row 7: infinite/],
    [-Infinity, /feature "x" is -Infinity in row 7: infinite/],
    [3.5e38, /feature "x" is 3\.5e\+38 in row 7: too large for float32/],
  ])('that hold %s are refused with column and row', (value, message) => {
    const values = new Float64Array(9);
    values[7] = value;
    const wrong = readFeatures({ rows: 9, columns: [number('y', new Float64Array(9)), number('x', values)] });
    expect(() => takeRows(wrong, Uint32Array.of(1, 7))).toThrow(failure(message));
    expect(takeRows(wrong, Uint32Array.of(1, 8)).missing).toBe(0);
  });

  it('are refused exactly where float32 would make a number infinite', () => {
    const from = 2 ** 128 - 2 ** 103;
    fc.assert(
      fc.property(fc.double({ min: 2 ** 127, max: 2 ** 129, noNaN: true }), (value) => {
        const one = readFeatures({ rows: 1, columns: [number('x', Float64Array.of(value))] });
        const refused = (() => {
          try {
            takeRows(one, Uint32Array.of(0));
            return false;
          } catch {
            return true;
          }
        })();
        expect(refused).toBe(!Number.isFinite(Math.fround(value)));
      }),
      { examples: [[from], [from - 2 ** 75]] },
    );
  });

  it('have the features named that are constant in them', () => {
    const kinds = { name: 'kind', role: 'feature', type: 'category', labels: ['p', 'q'] } as const;
    const some = readFeatures({
      rows: 4,
      columns: [
        number('seven', Float64Array.of(7, 7, 7, 8)),
        number('gap', Float64Array.of(7, NaN, 7, 7)),
        number('none', Float64Array.of(NaN, NaN, NaN, 1)),
        number('varied', Float64Array.of(1, 2, 3, 4)),
        { ...kinds, codes: Int32Array.of(1, 1, 1, 0) },
        { ...kinds, name: 'unknown', codes: Int32Array.of(-1, -2, -1, 0) },
        { ...kinds, name: 'sometimes', codes: Int32Array.of(1, -1, 1, 1) },
      ],
    });
    // Trees split what is missing from what is not.
    expect(constantFeatures(some, Uint32Array.of(0, 1, 2))).toEqual(['seven', 'none', 'kind', 'unknown']);
    expect(constantFeatures(some, Uint32Array.of(0, 3))).toEqual(['gap', 'sometimes']);
  });

  it('need a feature', () => {
    expect(() => readFeatures({ rows: 1, columns: [] })).toThrow(failure(/no column with the role feature/));
  });
});

describe.skipIf(xgboostPath === undefined)('a matrix of columns in place', () => {
  it('is the matrix of rows, whatever the types, also of shared memory', async () => {
    const xgboost = loadXgboost(xgboostPath as string);
    const shared = new Float32Array(new SharedArrayBuffer(400), 80, 50);
    for (let i = 0; i < 50; i++) shared[i] = Math.sin(i);
    const columns = [
      shared,
      Float64Array.from({ length: 70 }, (_, i) => (i % 7 === 0 ? Number.NaN : i / 3)).subarray(20),
      Float32Array.from({ length: 50 }, (_, i) => i % 5),
    ];
    const labels = Float32Array.from({ length: 50 }, (_, i) => i % 2);
    const data = { columns, rows: 50, featureNames: ['s', 'd', 'k'], categorical: [false, false, true], labels };
    const parameters = { objective: 'binary:logistic', nthread: 1, max_depth: 6, device: 'cpu' };
    const contents = async (layout: 'columns' | 'rows'): Promise<unknown> => {
      const matrix = makeMatrix(xgboost, data, 1, layout);
      const { booster } = await train(xgboost, { parameters, rounds: 8, earlyStoppingRounds: 0, training: matrix });
      const found = { model: booster.toJson(), predictions: booster.predict(matrix, 0) };
      expect(new Set(found.predictions).size).toBeGreaterThan(5);
      booster.free();
      matrix.free();
      return found;
    };
    expect(await contents('columns')).toEqual(await contents('rows'));
  });
});
