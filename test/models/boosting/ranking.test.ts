import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { measureNdcg, ndcg, ndcgByQuery } from '../../../src/models/boosting/ndcg.ts';
import { gradesOf, orderByQuery, readQueries, weightsByQuery } from '../../../src/models/boosting/queries.ts';
import { makeRng } from '../../../src/random/rng.ts';
import type { Frame } from '../../../src/tables/frame.ts';

const failure = (code: string, message: RegExp): Error =>
  expect.objectContaining({ code, message: expect.stringMatching(message) as string }) as Error;

const day = (values: number[], role: 'time' | 'info' = 'time'): Frame => ({
  rows: values.length,
  columns: [{ name: 'day', role, type: 'number', values: Float64Array.from(values) }],
});

describe('NDCG', () => {
  it('by hand: grades 3, 2, 0 in the order 2, 3, 0', () => {
    const [first, second] = [1, 1 / Math.log2(3)];
    expect(ndcg([3, 2, 0], [1, 2, 0])).toBeCloseTo((3 * first + 7 * second) / (7 * first + 3 * second), 14);
    expect(ndcg([3, 2, 0], [1, 2, 0], 1)).toBeCloseTo(3 / 7, 14);
    expect(ndcg([3, 2, 0], [9, 2, 0])).toBe(1);
  });

  it('of equal scores is the mean over all orders', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 4 }), { minLength: 1, maxLength: 5 }),
        fc.nat(6),
        (grades, cut) => {
          fc.pre(grades.some((grade) => grade > 0));
          const top = cut === 0 ? undefined : cut;
          const orders = permutations(grades.map((_, i) => i));
          const mean = orders.reduce((sum, order) => sum + ndcg(grades, order, top), 0) / orders.length;
          expect(
            ndcg(
              grades,
              grades.map(() => 0.5),
              top,
            ),
          ).toBeCloseTo(mean, 10);
        },
      ),
    );
  });

  it('is undefined where every order is as good, and such queries are left out of the mean', () => {
    expect(ndcg([0, 0], [1, 2])).toBeNaN();
    const byQuery = ndcgByQuery([0, 0, 1, 0], [1, 2, 1, 2], [7, 7, 3, 3]);
    expect([...byQuery]).toEqual([1 / Math.log2(3), Number.NaN]);
    const measured = (grades: number[]) =>
      measureNdcg({
        target: 't',
        set: 'test',
        grades,
        scores: [1, 2, 1, 2],
        baseline: { label: 'no order', predicted: [0, 0, 0, 0] },
        queryOf: [7, 7, 3, 3],
        top: undefined,
        rng: makeRng('ndcg'),
        resamples: 50,
      });
    expect(measured([0, 0, 1, 0]).value).toBeCloseTo(1 / Math.log2(3), 14);
    expect(measured([0, 0, 1, 0]).metrics[0]?.baseline?.value).toBeCloseTo((1 + 1 / Math.log2(3)) / 2, 14);
    expect(measured([0, 0, 0, 0])).toMatchObject({
      value: null,
      metrics: [{ why: expect.stringMatching(/no query/) }, {}],
    });
  });
});

function permutations(items: number[]): number[][] {
  if (items.length <= 1) return [items];
  return items.flatMap((item, i) => permutations(items.filter((_, j) => j !== i)).map((rest) => [item, ...rest]));
}

describe('queries', () => {
  it('are the equal values of a column, or of the time, in ascending order', () => {
    expect([...readQueries(day([5, 3, 5, 9]), undefined).of]).toEqual([1, 0, 1, 2]);
    expect(readQueries(day([5, 3], 'info'), 'day')).toMatchObject({ column: 'day', count: 2 });
    expect(() => readQueries(day([5], 'info'), undefined)).toThrow(failure('experiment', /ranked against each other/));
  });

  it('put rows in their order, and refuse rows without one', () => {
    const queries = readQueries(day([5, 3, Number.NaN, 3, 5]), undefined);
    expect([...orderByQuery(Uint32Array.of(0, 1, 3, 4), queries)]).toEqual([1, 3, 0, 4]);
    expect(() => orderByQuery(Uint32Array.of(0, 2), queries)).toThrow(failure('data', /"day" is missing in row 2/));
  });

  it('cut numbers into grades of equally many rows, equal numbers into one', () => {
    const queries = readQueries(day([1, 1, 1, 1, 2, 2, 2]), undefined);
    const values = Float64Array.of(40, 10, 30, 20, 5, 5, Number.NaN);
    expect([...gradesOf(values, queries, 4)]).toEqual([3, 0, 2, 1, 2, 2, Number.NaN]);
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: -3, max: 3 }), { minLength: 1 }),
        fc.integer({ min: 2, max: 32 }),
        (list, n) => {
          const one = readQueries(day(list.map(() => 0)), undefined);
          const grades = gradesOf(Float64Array.from(list), one, n);
          for (const [i, grade] of grades.entries()) {
            expect(grade).toBeGreaterThanOrEqual(0);
            expect(grade).toBeLessThan(n);
            list.forEach((value, j) => {
              if (value === list[i]) expect(grades[j]).toBe(grade);
              else if (value > (list[i] as number)) expect(grades[j]).toBeGreaterThanOrEqual(grade);
            });
          }
        },
      ),
    );
  });

  it('weigh as a whole', () => {
    const queries = readQueries(day([1, 1, 2]), undefined);
    const rows = Uint32Array.of(0, 1, 2);
    expect([...weightsByQuery(Float32Array.of(2, 2, 5), rows, queries)]).toEqual([2, 5]);
    expect(() => weightsByQuery(Float32Array.of(2, 3, 5), rows, queries)).toThrow(
      failure('data', /weight differs within a query \("day"\), as in row 1/),
    );
  });
});
