/** Who does the matrix products of a search for neighbours. */
import type { Products } from '../../kernels/kernels.ts';

/**
 * Products choose candidates only, which are then measured in double precision: neighbours are the same with any engine.
 * Native code is loaded only here, and only if it is asked for: then this is a process of its own.
 * @returns undefined for those of the kernels
 */
export async function searchProducts(engine: string | undefined): Promise<Products | undefined> {
  if (engine !== 'openblas') return undefined;
  const [{ loadOpenblas }, { requireOpenblas }, { blasProducts }] = await Promise.all([
    import('../../native/blas.ts'),
    import('../../native/openblas.ts'),
    import('../../projections/openblas-products.ts'),
  ]);
  return blasProducts(loadOpenblas(requireOpenblas().path));
}
