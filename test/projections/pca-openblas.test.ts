import { describe, expect, it } from 'vitest';
import { loadOpenblas } from '../../src/native/blas.ts';
import { searchOpenblas } from '../../src/native/openblas.ts';
import { thisMachine } from '../../src/native/system.ts';
import { principalComponents } from '../../src/projections/pca.ts';
import { openblasComponents } from '../../src/projections/pca-openblas.ts';
import { makeRng } from '../../src/random/rng.ts';

const search = searchOpenblas(thisMachine());

describe.skipIf(!search.found)(
  `principal components by OpenBLAS (${search.found ? search.version : search.reason})`,
  () => {
    const rng = makeRng('openblas');
    const [rows, columns] = [300, 90];
    const values = Float64Array.from({ length: rows * columns }, (_, i) => 2 + (1 + (i % columns) / 30) * rng.normal());
    const matrix = { rows, columns, values };

    it.each(['LAPACK', 'own'])('are those of the kernels, eigenvectors by %s', (whose) => {
      if (!search.found) return;
      const library = loadOpenblas(search.path);
      const openblas = whose === 'own' ? { ...library, dsyevr: undefined } : library;
      const [ours, theirs] = [principalComponents(matrix, 4), openblasComponents(openblas)(matrix, 4)];
      for (const part of ['means', 'vectors', 'shares'] as const) {
        expect(theirs[part].length).toBe(ours[part].length);
        for (const [i, value] of ours[part].entries()) expect(theirs[part][i]).toBeCloseTo(value, 9);
      }
    });
  },
);
