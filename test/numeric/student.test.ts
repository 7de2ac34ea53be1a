import { expect, it } from 'vitest';
import { normalTail } from '../../src/numeric/normal.ts';
import { studentQuantile, studentTail } from '../../src/numeric/student.ts';

it.each([
  // Tables of the t distribution, two-sided 5 % and 1 %; closed forms for one and two degrees of freedom.
  [0.975, 1, 12.706204736174694],
  [0.975, 2, 4.302652729749462],
  [0.975, 4, 2.7764451051977934],
  [0.995, 5, 4.032142983555227],
  [0.975, 30, 2.0422724563012378],
  [0.975, 1000, 1.9623390808264078],
  [0.9999, 3, 22.203742273176353],
])('the quantile at %f with %i degrees of freedom is %f', (p, df, expected) => {
  expect(studentQuantile(p, df) / expected).toBeCloseTo(1, 10);
  expect(studentQuantile(1 - p, df) / -expected).toBeCloseTo(1, 10);
});

it('the tail has its closed forms, and that of the normal in the limit', () => {
  for (const t of [-3, 0, 0.1, 1, 7.5, 400]) {
    expect(studentTail(t, 1)).toBeCloseTo(0.5 - Math.atan(t) / Math.PI, 12);
    expect(studentTail(t, 2)).toBeCloseTo(0.5 - t / (2 * Math.sqrt(2 + t * t)), 12);
  }
  expect(studentTail(1.5, 1e7)).toBeCloseTo(normalTail(1.5), 7);
  expect(studentTail(Infinity, 3)).toBe(0);
  expect(studentTail(NaN, 3)).toBeNaN();
  expect(studentQuantile(0.5, 3)).toBe(0);
  expect(studentQuantile(1, 3)).toBeNaN();
});
