/** Anchors: scikit-learn's digits, on which its t-SNE reaches trustworthiness(5) .995 and 1-NN accuracy .987. */
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import type { Matrix } from '../../src/projections/matrix.ts';
import { nearestNeighbours } from '../../src/projections/neighbours.ts';
import { pca2 } from '../../src/projections/pca.ts';
import { mapQuality } from '../../src/projections/quality.ts';
import { tsne, tsneDefaults } from '../../src/projections/tsne.ts';
import { umap, umapDefaults } from '../../src/projections/umap.ts';
import { makeRng } from '../../src/random/rng.ts';
import { shared, sharedFile, whyNoShared } from '../support/shared.ts';

function digits(): { matrix: Matrix; labels: number[] } {
  const rows = gunzipSync(readFileSync(sharedFile('data', 'ml', 'digits.csv.gz')))
    .toString()
    .trim()
    .split('\n')
    .map((line) => line.split(',').map(Number));
  return {
    matrix: { rows: rows.length, columns: 64, values: Float64Array.from(rows.flatMap((row) => row.slice(0, 64))) },
    labels: rows.map((row) => row[64] as number),
  };
}

/** Share of rows whose nearest point in the map has their label. */
function nearestAccuracy(points: Float64Array, labels: readonly number[]): number {
  const { indices } = nearestNeighbours({ rows: labels.length, columns: 2, values: points }, 1);
  return indices.filter((j, i) => labels[j] === labels[i]).length / labels.length;
}

describe.skipIf(!shared)(`digits (${shared === undefined ? whyNoShared : '1,797 rows of 64'})`, () => {
  it('have the variances and the PCA map of scikit-learn', () => {
    const { matrix } = digits();
    const { points, explained } = pca2(matrix);
    expect(explained[0]).toBeCloseTo(0.148906, 6);
    expect(explained[1]).toBeCloseTo(0.136188, 6);
    expect(mapQuality(matrix, points, 5, makeRng(1))?.trustworthiness).toBeCloseTo(0.83, 2);
  });

  it('are laid out by t-SNE as well as scikit-learn does', async () => {
    const { matrix, labels } = digits();
    const map = await tsne(matrix, { ...tsneDefaults, iterations: 700 }, makeRng(1));
    expect(mapQuality(matrix, map.points, 5, makeRng(1))?.trustworthiness).toBeGreaterThan(0.993);
    expect(nearestAccuracy(map.points, labels)).toBeGreaterThan(0.98);
    expect(map.divergence).toBeLessThan(0.85);
  });

  it('are laid out by UMAP nearly as well', async () => {
    const { matrix, labels } = digits();
    const map = await umap(matrix, umapDefaults, makeRng(1));
    expect(mapQuality(matrix, map.points, 5, makeRng(1))?.trustworthiness).toBeGreaterThan(0.98);
    expect(nearestAccuracy(map.points, labels)).toBeGreaterThan(0.96);
  });
});
