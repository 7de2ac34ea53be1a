import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { conditionalAffinities, jointAffinities } from '../../src/projections/affinities.ts';
import type { Graph } from '../../src/projections/graph.ts';
import { nearestNeighbours } from '../../src/projections/neighbours.ts';
import { blobs, matrixOf } from './support.ts';

const settings = fc.record({
  rows: fc.integer({ min: 20, max: 150 }),
  columns: fc.integer({ min: 1, max: 6 }),
  seed: fc.integer(),
  perplexity: fc.double({ min: 2, max: 6, noNaN: true }),
});

function entry({ starts, targets, weights }: Graph, i: number, j: number): number {
  for (let edge = starts[i] as number; edge < (starts[i + 1] as number); edge++)
    if (targets[edge] === j) return weights[edge] as number;
  return 0;
}

describe('affinities of t-SNE', () => {
  it('give every row the entropy of the perplexity', () => {
    fc.assert(
      fc.property(settings, ({ rows, columns, seed, perplexity }) => {
        const neighbours = nearestNeighbours(blobs(rows, columns, 3, 2, seed), 18);
        const { conditional, unreachable } = conditionalAffinities(neighbours, perplexity);
        expect(unreachable).toBe(0);
        for (let i = 0; i < rows; i++) {
          const row = conditional.subarray(i * 18, (i + 1) * 18);
          expect(row.reduce((a, b) => a + b, 0)).toBeCloseTo(1, 12);
          expect(row.reduce((sum, p) => sum - (p > 0 ? p * Math.log(p) : 0), 0)).toBeCloseTo(Math.log(perplexity), 8);
        }
      }),
      { numRuns: 30 },
    );
  });

  it('are symmetric and sum to 1', () => {
    fc.assert(
      fc.property(settings, ({ rows, columns, seed, perplexity }) => {
        const neighbours = nearestNeighbours(blobs(rows, columns, 3, 2, seed), 18);
        const p = jointAffinities(neighbours, conditionalAffinities(neighbours, perplexity).conditional);
        expect(p.weights.reduce((a, b) => a + b, 0)).toBeCloseTo(1, 12);
        for (let i = 0; i < rows; i++) {
          const targets = p.targets.subarray(p.starts[i], p.starts[i + 1]);
          expect([...targets]).toEqual([...new Set(targets)].sort((a, b) => a - b));
          for (const j of targets) expect(entry(p, j, i)).toBe(entry(p, i, j));
        }
      }),
      { numRuns: 30 },
    );
  });

  it('share the weight among equal rows, and say that the perplexity is out of reach', () => {
    const neighbours = nearestNeighbours(matrixOf([[0], [0], [0], [0], [0], [9]]), 4);
    const { conditional, unreachable } = conditionalAffinities(neighbours, 2);
    expect([...conditional.subarray(0, 4)]).toEqual([0.25, 0.25, 0.25, 0.25]);
    expect(unreachable).toBe(6);
  });

  it('cope with scales from 1e-100 to 1e100', () => {
    for (const scale of [1e-100, 1e100]) {
      const matrix = blobs(60, 3, 2, 3);
      const scaled = { ...matrix, values: matrix.values.map((x) => x * scale) };
      const { conditional, unreachable } = conditionalAffinities(nearestNeighbours(scaled, 15), 5);
      expect(unreachable).toBe(0);
      expect(conditional.every(Number.isFinite)).toBe(true);
    }
  });
});
