import { describe, expect, it } from 'vitest';
import { checkTargets } from '../../src/evaluation/target-leak.ts';
import { makeRng } from '../../src/random/rng.ts';

const n = 400;
const rng = makeRng('target leak');
const outcome = Array.from({ length: n }, () => rng.normal());
const wins = outcome.map((v) => (v > 0.5 ? 1 : 0));
const honest = { name: 'honest', values: outcome.map((v) => v + 0.3 * rng.normal()) };
const targets = [
  { name: 'edge', values: outcome },
  { name: 'wins', values: wins },
];
const verdict = (values: number[]): string => checkTargets([honest, { name: 'copy', values }], targets).verdict;

describe('the target among the features', () => {
  it('is silent on features that only predict well', () => {
    expect(checkTargets([honest], targets)).toMatchObject({ name: 'Target in features', verdict: 'pass' });
    expect(verdict(outcome.map(() => rng.normal()))).toBe('pass');
    // A constant, and a feature that is known for too few rows to say anything.
    expect(verdict(outcome.map(() => 1))).toBe('pass');
    expect(verdict(outcome.map((v, i) => (i < 10 ? v : NaN)))).toBe('pass');
  });

  it.each([
    ['itself', outcome],
    ['in other units', outcome.map((v) => 100 * v - 7)],
    ['with its sign turned', outcome.map((v) => -v)],
    ['bent', outcome.map((v) => Math.exp(v))],
    ['in single precision', [...Float32Array.from(outcome)]],
    ['with gaps', outcome.map((v, i) => (i % 3 === 0 ? NaN : v))],
    ['a class', wins],
    ['a class, split by a cut', wins.map((v, i) => v + (i % 10) / 20)],
  ])('is caught: %s', (_, values) => {
    expect(verdict(values)).toBe('fail');
  });

  it('names the pair', () => {
    const { detail } = checkTargets([honest, { name: 'later', values: outcome }], targets.slice(0, 1));
    expect(detail).toBe('later tells edge without error: a copy of what is to be predicted.');
    expect(checkTargets([], targets).verdict).toBe('pass');
  });
});
