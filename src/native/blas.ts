/** The few functions of OpenBLAS that are used, through koffi. Loaded only in processes of their own. */
import koffi from 'koffi';
import { FathomError } from '../errors.ts';
import { OPENBLAS_FIX, readConfig } from './openblas.ts';

/**
 * `cblas_sgemm`: C = alpha op(A) op(B) + beta C in single precision. Matrices are passed as views that begin at their
 * first element; nothing is copied. The first three arguments are CBLAS codes.
 */
export type Sgemm = (
  order: number,
  transposeA: number,
  transposeB: number,
  m: number,
  n: number,
  k: number,
  alpha: number,
  a: Uint8Array,
  lda: number,
  b: Uint8Array,
  ldb: number,
  beta: number,
  c: Uint8Array,
  ldc: number,
) => void;

/** A loaded library, set to one thread. */
export interface Openblas {
  /** As `0.3.34`. */
  readonly version: string;
  /** The family of CPUs whose kernels it took, as `SkylakeX`. Which bits come out depends on it. */
  readonly core: string;
  readonly sgemm: Sgemm;
}

const loaded = new Map<string, Openblas>();

/** Loads a library, once a process. The caller has found it by native/openblas.ts. */
export function loadOpenblas(file: string): Openblas {
  const known = loaded.get(file);
  if (known !== undefined) return known;
  let openblas: Openblas;
  try {
    openblas = declare(file);
  } catch (error) {
    const reason = error instanceof Error ? error.message.split('\n')[0] : String(error);
    throw new FathomError('unavailable', `${file} cannot be loaded as OpenBLAS: ${reason}`, {
      hint: OPENBLAS_FIX,
      cause: error,
    });
  }
  loaded.set(file, openblas);
  return openblas;
}

function declare(file: string): Openblas {
  const library = koffi.load(file);
  const prefix = prefixOf(library);
  const config = readConfig(library.func(`const char *${prefix}openblas_get_config()`)() as string);
  if ('reason' in config) throw new Error(config.reason);
  library.func(`void ${prefix}openblas_set_num_threads(int threads)`)(1);
  return {
    version: config.version,
    core: library.func(`const char *${prefix}openblas_get_corename()`)() as string,
    sgemm: library.func(
      `void ${prefix}cblas_sgemm(int order, int ta, int tb, int m, int n, int k, float alpha, void *a, int lda, void *b, int ldb, float beta, void *c, int ldc)`,
    ) as Sgemm,
  };
}

/** PyPI's wheel puts `scipy_` before all names, so that it can live beside another BLAS in one process. */
function prefixOf(library: ReturnType<typeof koffi.load>): 'scipy_' | '' {
  try {
    library.func('const char *scipy_openblas_get_config()');
    return 'scipy_';
  } catch {
    return '';
  }
}
