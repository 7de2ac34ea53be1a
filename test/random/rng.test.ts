import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { makeRng, normalQuantile, philox4x32 } from '../../src/random/rng.ts';

function hex(block: Uint32Array): string {
  return Array.from(block, (word) => word.toString(16).padStart(8, '0')).join(' ');
}

describe('philox4x32', () => {
  // Known answers of the Random123 library (kat_vectors, philox4x32 10).
  it.each([
    [[0, 0, 0, 0], [0, 0], '6627e8d5 e169c58d bc57ac4c 9b00dbd8'],
    [[0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff], [0xffffffff, 0xffffffff], '408f276d 41c83b0e a20bc7c6 6d5451fd'],
    [[0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344], [0xa4093822, 0x299f31d0], 'd16cfe09 94fdcceb 5001e420 24126ea1'],
  ] as const)('gives the known answer for counter %s', (counter, key, answer) => {
    const out = new Uint32Array(4);
    philox4x32(counter as unknown as [number, number, number, number], key as unknown as [number, number], out);
    expect(hex(out)).toBe(answer);
  });
});

describe('a stream', () => {
  it('depends on every part of its key and on nothing else', () => {
    const first = (...parts: (string | number)[]): number => makeRng(...parts).uint32();
    expect(first(1, 'a')).toBe(first(1, 'a'));
    expect(new Set([first(1, 'a'), first(2, 'a'), first(1, 'b'), first(1, 'a', 'b'), first('1', 'a')]).size).toBe(5);
  });

  it('jumps to any block', () => {
    const straight = makeRng(5);
    for (let i = 0; i < 40; i++) straight.uint32();
    expect(makeRng(5).at(10).uint32()).toBe(straight.uint32());
  });

  it('is uniform and normal in its first moments', () => {
    const rng = makeRng(11);
    const n = 100_000;
    let mean = 0;
    let square = 0;
    let normalMean = 0;
    let normalSquare = 0;
    for (let i = 0; i < n; i++) {
      const u = rng.uniform();
      const z = rng.normal();
      mean += u / n;
      square += (u * u) / n;
      normalMean += z / n;
      normalSquare += (z * z) / n;
    }
    // Four standard errors.
    expect(Math.abs(mean - 0.5)).toBeLessThan(0.0037);
    expect(Math.abs(square - 1 / 3)).toBeLessThan(0.0038);
    expect(Math.abs(normalMean)).toBeLessThan(0.0127);
    expect(Math.abs(normalSquare - 1)).toBeLessThan(0.018);
  });

  it('draws below n without bias and within range', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1 << 30 }), fc.integer(), (n, seed) => {
        const x = makeRng(seed).below(n);
        return Number.isInteger(x) && x >= 0 && x < n;
      }),
    );
  });

  it('shuffles: the same items in another order', () => {
    fc.assert(
      fc.property(fc.array(fc.integer()), fc.integer(), (items, seed) => {
        const shuffled = makeRng(seed).shuffle([...items]);
        expect([...shuffled].sort((a, b) => a - b)).toEqual([...items].sort((a, b) => a - b));
      }),
    );
  });
});

describe('the normal quantile', () => {
  // Wichura (1988), AS 241, and tables of the normal distribution.
  it.each([
    [0.25, -0.6744897501960817],
    [0.001, -3.0902323061678136],
    [1e-20, -9.26234008979841],
    [0.5, 0],
    [0.975, 1.959963984540054],
  ])('at %d is %d', (p, z) => {
    expect(normalQuantile(p)).toBeCloseTo(z, 12);
  });
});
