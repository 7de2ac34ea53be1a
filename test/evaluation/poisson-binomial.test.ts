import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { latticeTail, poissonBinomial, weightedTail, winsTail } from '../../src/evaluation/poisson-binomial.ts';
import { makeRng } from '../../src/random/rng.ts';

const chances = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 1, maxLength: 12 });

/** P(sum of winning weights >= x), over all 2^n outcomes. */
function enumerated(p: readonly number[], w: readonly number[], x: number): number {
  let total = 0;
  for (let outcome = 0; outcome < 2 ** p.length; outcome++) {
    let chance = 1;
    let sum = 0;
    p.forEach((value, i) => {
      const won = (outcome >> i) & 1;
      chance *= won ? value : 1 - value;
      sum += won * (w[i] as number);
    });
    if (sum >= x - 1e-12) total += chance;
  }
  return total;
}

describe('Poisson-binomial', () => {
  it('agrees with the sum over all outcomes', () => {
    fc.assert(
      fc.property(chances, (p) => {
        const tail = winsTail(p);
        const ones = p.map(() => 1);
        for (let k = 0; k <= p.length + 1; k++) expect(tail(k)).toBeCloseTo(enumerated(p, ones, k), 12);
        expect(poissonBinomial(p).reduce((a, b) => a + b, 0)).toBeCloseTo(1, 12);
      }),
      { numRuns: 50 },
    );
  });

  it('keeps its digits far out: 200 wins at 0.1', () => {
    expect(winsTail(new Float64Array(200).fill(0.1))(200) / 1e-200).toBeCloseTo(1, 9);
  });

  it('is met by the saddlepoint, in the tails too', () => {
    const rng = makeRng('saddlepoint');
    const p = Float64Array.from({ length: 300 }, () => 0.02 + 0.96 * rng.uniform());
    const exact = winsTail(p);
    for (let k = 1; k <= 300; k++) {
      const wanted = exact(k);
      if (wanted > 1e-30) expect(latticeTail(p, k) / wanted, `k = ${k}`).toBeCloseTo(1, 2.5);
      else expect(latticeTail(p, k)).toBeLessThan(2e-30);
    }
  });

  it('knows what is certain and what cannot be', () => {
    expect(latticeTail([1, 1, 0.5, 0], 2)).toBe(1);
    expect(latticeTail([1, 1, 0.5, 0], 4)).toBe(0);
    expect(latticeTail([1, 1, 0.5, 0], 3)).toBeCloseTo(0.5, 1);
    expect(weightedTail([1, 0.5, 0], [2, 1, 5], 2)).toBe(1);
    expect(weightedTail([1, 0.5, 0], [2, 1, 5], 3)).toBe(0.5);
    expect(weightedTail([1, 0.5, 0], [2, 1, 5], 3.1)).toBe(0);
  });

  it('approximates weighted sums to some hundredths', () => {
    const rng = makeRng('weights');
    const p = Array.from({ length: 18 }, () => 0.2 + 0.6 * rng.uniform());
    const w = Array.from({ length: 18 }, () => 0.5 + rng.uniform());
    for (const x of [4, 6, 8, 9.3, 11, 13, 15]) {
      const wanted = enumerated(p, w, x);
      expect(weightedTail(p, w, x) / wanted, `x = ${x}`).toBeCloseTo(1, 1.3);
    }
  });
});
