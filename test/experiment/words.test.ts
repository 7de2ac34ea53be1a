import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { durationSeconds } from '../../src/experiment/duration.ts';
import { editDistance, nearest } from '../../src/experiment/nearest.ts';

describe('editDistance', () => {
  test.each([
    ['', '', 0],
    ['dropuot', 'dropout', 1],
    ['kitten', 'sitting', 3],
    ['abc', '', 3],
    ['ca', 'abc', 3],
  ])('%s to %s is %i', (a, b, distance) => {
    expect(editDistance(a, b)).toBe(distance);
  });

  test('is symmetric, zero only for equal texts, and never more than the longer text', () => {
    const word = fc.string({ maxLength: 6, unit: fc.constantFrom('a', 'b', 'c') });
    fc.assert(
      fc.property(word, word, (a, b) => {
        expect(editDistance(a, b)).toBe(editDistance(b, a));
        expect(editDistance(a, b) === 0).toBe(a === b);
        expect(editDistance(a, b)).toBeLessThanOrEqual(Math.max(a.length, b.length));
      }),
    );
  });

  test('nearest gives nothing where nothing is near', () => {
    expect(nearest('banana', ['seed', 'stages'])).toBeUndefined();
    expect(nearest('Seed', ['sweep', 'seed'])).toBe('seed');
    expect(nearest('x', ['yz'])).toBeUndefined();
  });
});

describe('durationSeconds', () => {
  test.each([
    ['90s', 90],
    ['30m', 1800],
    ['2h', 7200],
    ['1.5h', 5400],
    ['1d12h', 129_600],
    ['1w', 604_800],
    ['02:00:00', 7200],
    ['1-12:00:00', 129_600],
    ['0s', undefined],
    ['00:00:00', undefined],
    ['00:61:00', undefined],
    ['2 hours', undefined],
    ['120', undefined],
    ['h', undefined],
    ['', undefined],
  ])('%s', (text, seconds) => {
    expect(durationSeconds(text)).toBe(seconds);
  });
});
