import { describe, expect, it } from 'vitest';
import { loadOpenblas } from '../../src/native/blas.ts';
import { searchOpenblas } from '../../src/native/openblas.ts';
import { thisMachine } from '../../src/native/system.ts';
import { blasProducts } from '../../src/projections/openblas-products.ts';
import { tsne, tsneDefaults } from '../../src/projections/tsne.ts';
import { umap, umapDefaults } from '../../src/projections/umap.ts';
import { makeRng } from '../../src/random/rng.ts';
import { blobs } from './support.ts';

const search = searchOpenblas(thisMachine());

describe.skipIf(!search.found)(
  `neighbours found with OpenBLAS (${search.found ? search.version : search.reason})`,
  () => {
    const matrix = blobs(1500, 40, 6, 2);

    /** Counts its products: the kernels must not have done them. */
    const counted = () => {
      const run = { products: 0 };
      if (!search.found) throw new Error(search.reason);
      const products = blasProducts(loadOpenblas(search.path));
      return {
        run,
        products: (...args: Parameters<typeof products>) => {
          const multiply = products(...args);
          return (...numbers: Parameters<typeof multiply>) => {
            run.products++;
            multiply(...numbers);
          };
        },
      };
    };

    it('give the same map of UMAP', async () => {
      const options = { ...umapDefaults, epochs: 20 };
      const { run, products } = counted();
      const own = await umap(matrix, options, makeRng(1));
      expect(await umap(matrix, options, makeRng(1), { products })).toEqual(own);
      expect(run.products).toBeGreaterThan(5);
    });

    it('give the same map of t-SNE', async () => {
      const options = { ...tsneDefaults, iterations: 20, repulsion: 'barnes-hut' as const };
      const { run, products } = counted();
      const own = await tsne(matrix, options, makeRng(1));
      expect(await tsne(matrix, options, makeRng(1), { products })).toEqual(own);
      expect(run.products).toBeGreaterThan(5);
    });
  },
);
