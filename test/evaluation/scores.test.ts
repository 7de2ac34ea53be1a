import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { scoreOf } from '../../src/evaluation/measure.ts';
import { prepareScore, type ScoredRows, type ScoreName } from '../../src/evaluation/scores.ts';
import { shared, vectors, whyNoShared } from '../support/shared.ts';

const rowsOf = (actual: number[], predicted: number[], cluster: number[] = actual.map((_, i) => i)): ScoredRows => ({
  actual: Float64Array.from(actual),
  predicted: Float64Array.from(predicted),
  cluster: Int32Array.from(cluster),
});
const score = (name: ScoreName, actual: number[], predicted: number[]): number =>
  prepareScore(name, rowsOf(actual, predicted), actual.length).score(new Int32Array(actual.length).fill(1));

describe('known values', () => {
  // The example of scikit-learn's roc_auc_score and average_precision_score.
  const actual = [0, 0, 1, 1];
  const predicted = [0.1, 0.4, 0.35, 0.8];
  it.each([
    ['auc', 0.75],
    ['averagePrecision', 0.8333333333333333],
    ['brier', (0.01 + 0.16 + 0.4225 + 0.04) / 4],
    ['logLoss', -(Math.log(0.9) + Math.log(0.6) + Math.log(0.35) + Math.log(0.8)) / 4],
    ['accuracy', 0.75],
    ['mae', (0.1 + 0.4 + 0.65 + 0.2) / 4],
    ['rmse', Math.sqrt((0.01 + 0.16 + 0.4225 + 0.04) / 4)],
    ['r2', 1 - (0.01 + 0.16 + 0.4225 + 0.04) / 1],
  ] as const)('%s', (name, expected) => expect(score(name, actual, predicted)).toBeCloseTo(expected, 12));

  it('ties count half, and a constant is chance', () => {
    expect(score('auc', [0, 1, 1, 0], [0.5, 0.5, 0.9, 0.1])).toBe(0.875);
    expect(score('auc', [0, 1, 1, 0], [0.3, 0.3, 0.3, 0.3])).toBe(0.5);
    expect(score('averagePrecision', [0, 1, 1, 0, 0], [0.3, 0.3, 0.3, 0.3, 0.3])).toBeCloseTo(0.4, 12);
  });

  it('0.5 is not above 0.5', () => expect(score('accuracy', [1, 0], [0.5, 0.5])).toBe(0.5));

  it('a sure mistake is dear, not infinite', () => {
    expect(score('logLoss', [1, 0], [0, 0])).toBeCloseTo(-Math.log(1e-15) / 2, 6);
  });

  it.each([
    ['auc', [1, 1], [0.2, 0.3]],
    ['averagePrecision', [1, 1], [0.2, 0.3]],
    ['averagePrecision', [0, 0], [0.2, 0.3]],
    ['spearman', [1, 2], [3, 3]],
    ['spearman', [1, 1], [3, 4]],
    ['r2', [0.1, 0.1, 0.1], [0.1, 0.2, 0.3]],
    ['rmse', [], []],
  ] as const)('%s of %j is undefined, not 0', (name, actualValues, predictedValues) => {
    expect(score(name, [...actualValues], [...predictedValues])).toBeNaN();
  });
});

describe.skipIf(!shared)(`published vectors (${shared ? 'found' : whyNoShared})`, () => {
  it('Spearman', () => {
    for (const { id, input, expected } of vectors('information_coefficient')) {
      const pairs =
        'by_date' in input
          ? (input['by_date'] as { factor: number[]; fwd: number[] }[]).map(({ factor, fwd }) => [factor, fwd])
          : [[input['x'] as number[], input['y'] as number[]]];
      const found = pairs.map(([x, y]) => scoreOf('regression', y as number[], x as number[]));
      const wanted = Array.isArray(expected) ? (expected as number[]) : [expected as number];
      found.forEach((value, i) => {
        expect(value, id).toBeCloseTo(wanted[i] as number, 12);
      });
    }
  });

  it.each(['favourite_trap', 'longshot_skill'])('Brier and log loss of prices: %s', (id) => {
    const vector = vectors('calibration_edge').find((v) => v.id === id);
    if (vector === undefined) throw new Error(`no vector ${id}`);
    const { prices, outcomes } = vector.input as { prices: number[]; outcomes: number[] };
    const expected = vector.expected as { brier: number; log_loss: number };
    expect(score('brier', outcomes, prices)).toBeCloseTo(expected.brier, 12);
    expect(score('logLoss', outcomes, prices)).toBeCloseTo(expected.log_loss, 12);
    // All prices are equal: they rank nothing, whatever the win rate.
    expect(score('auc', outcomes, prices)).toBe(0.5);
  });
});

const rows = fc.array(
  fc.record({
    y: fc.integer({ min: 0, max: 1 }),
    p: fc.integer({ min: 0, max: 8 }).map((k) => k / 8),
    c: fc.integer({ min: 0, max: 4 }),
  }),
  { minLength: 1, maxLength: 40 },
);

describe('properties', () => {
  it('AUC counts pairs', () => {
    fc.assert(
      fc.property(rows, (list) => {
        let wins = 0;
        let pairs = 0;
        for (const a of list)
          for (const b of list) {
            if (a.y !== 1 || b.y !== 0) continue;
            pairs++;
            wins += a.p > b.p ? 1 : a.p === b.p ? 0.5 : 0;
          }
        const value = score(
          'auc',
          list.map((r) => r.y),
          list.map((r) => r.p),
        );
        if (pairs === 0) expect(value).toBeNaN();
        else expect(value).toBeCloseTo(wins / pairs, 12);
      }),
    );
  });

  const all: ScoreName[] = ['auc', 'averagePrecision', 'logLoss', 'brier', 'accuracy', 'rmse', 'mae', 'r2', 'spearman'];
  it.each(all)('%s of a resample is the score of the rows written out', (name) => {
    fc.assert(
      fc.property(rows, fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 5, maxLength: 5 }), (list, counts) => {
        const prepared = prepareScore(
          name,
          rowsOf(
            list.map((r) => r.y),
            list.map((r) => r.p),
            list.map((r) => r.c),
          ),
          5,
        );
        const written = list.flatMap((row) => new Array<typeof row>(counts[row.c] as number).fill(row));
        const expected = score(
          name,
          written.map((r) => r.y),
          written.map((r) => r.p),
        );
        const value = prepared.score(Int32Array.from(counts));
        if (Number.isNaN(expected)) expect(value).toBeNaN();
        else expect(value).toBeCloseTo(expected, 10);
      }),
    );
  });

  it('AUC and Spearman see order alone', () => {
    fc.assert(
      fc.property(rows, (list) => {
        const y = list.map((r) => r.y);
        const p = list.map((r) => r.p);
        const stretched = p.map((v) => v ** 3);
        for (const name of ['auc', 'spearman'] as const) {
          const value = score(name, y, p);
          const mirrored = score(
            name,
            y,
            p.map((v) => 1 - v),
          );
          if (Number.isNaN(value)) continue;
          expect(score(name, y, stretched)).toBeCloseTo(value, 12);
          expect(mirrored).toBeCloseTo(name === 'auc' ? 1 - value : -value, 12);
        }
      }),
    );
  });
});
