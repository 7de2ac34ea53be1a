import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { precisionRecallBand, rocBand } from '../../src/evaluation/bands.ts';
import { rocCurve } from '../../src/evaluation/curves.ts';
import { makeRng } from '../../src/random/rng.ts';

const clusters = (count: number, each = 1): string[] =>
  Array.from({ length: count }, (_, i) => `c${Math.floor(i / each)}`);
const table = (list: readonly { actual: number; predicted: number }[]) => ({
  actual: Float64Array.from(list, ({ actual }) => actual),
  predicted: Float64Array.from(list, ({ predicted }) => predicted),
  cluster: clusters(list.length),
});

const rows = fc.array(
  fc.record({ actual: fc.constantFrom(0, 1), predicted: fc.integer({ min: 0, max: 12 }).map((level) => level / 12) }),
  { minLength: 4, maxLength: 60 },
);

describe('a band around the ROC curve', () => {
  it('has the curve in it at every twentieth, ties and folds included', () => {
    fc.assert(
      fc.property(rows, fc.boolean(), (list, folds) => {
        const data = table(list);
        const strata = folds ? Float64Array.from(list, (_, i) => i % 2) : undefined;
        const curve = rocCurve(data.actual, data.predicted, strata);
        const band = rocBand(data, strata, makeRng('band'), 20);
        expect(band === null).toBe(curve === null);
        if (band === null || curve === null) return;
        for (const [k, x] of band.x.entries()) {
          const at = curve.x.findLastIndex((other) => Math.abs(other - x) < 1e-9);
          expect(band.y[k]).toBeCloseTo(curve.y[at] as number, 9);
        }
      }),
    );
  });

  it('knows that ten rows of one wallet tell no more than one, and lies within 0 and 1', () => {
    const rng = makeRng('rows');
    const list = Array.from({ length: 60 }, () => {
      const actual = Number(rng.uniform() < 0.4);
      return { actual, predicted: actual + 1.5 * rng.normal() };
    }).flatMap((row) => new Array<typeof row>(10).fill(row));
    const width = (each: number): number => {
      const band = rocBand({ ...table(list), cluster: clusters(600, each) }, undefined, makeRng('width'), 200);
      expect(band?.low?.every((value) => value !== null && value >= 0)).toBe(true);
      expect(band?.high?.every((value) => value !== null && value <= 1)).toBe(true);
      return (band?.high?.[8] as number) - (band?.low?.[8] as number);
    };
    expect(width(10)).toBeGreaterThan(2 * width(1));
  });
});

describe('precision against recall', () => {
  // By hand: 1 1 0 1 0 in order, three positives.
  const byHand = table([
    { actual: 1, predicted: 0.9 },
    { actual: 1, predicted: 0.8 },
    { actual: 0, predicted: 0.7 },
    { actual: 1, predicted: 0.6 },
    { actual: 0, predicted: 0.5 },
  ]);

  it('is that of the highest threshold that finds as many', () => {
    const curve = precisionRecallBand(byHand, makeRng('pr'), 10);
    const at = (recall: number): number => curve?.y[Math.round(recall * 20) - 1] as number;
    expect(at(0.05)).toBe(1);
    expect(at(0.65)).toBe(1);
    expect(at(0.7)).toBeCloseTo(0.75, 12);
    expect(at(1)).toBeCloseTo(0.75, 12);
  });

  it('takes rows of equal predictions together', () => {
    const curve = precisionRecallBand(
      table([
        { actual: 1, predicted: 0.5 },
        { actual: 0, predicted: 0.5 },
        { actual: 0, predicted: 0.5 },
        { actual: 1, predicted: 0.2 },
      ]),
      makeRng('pr'),
      10,
    );
    expect(curve?.y[9]).toBeCloseTo(1 / 3, 12);
    expect(curve?.y[19]).toBe(0.5);
  });

  it('is nothing without a positive row', () => {
    expect(precisionRecallBand(table([{ actual: 0, predicted: 1 }]), makeRng('pr'), 10)).toBeNull();
  });
});
