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

/** `cblas_dsyrk`: one triangle of C = alpha op(A) op(A)' + beta C in double precision; CBLAS codes first. */
export type Dsyrk = (
  order: number,
  triangle: number,
  transpose: number,
  n: number,
  k: number,
  alpha: number,
  a: Float64Array,
  lda: number,
  beta: number,
  c: Float64Array,
  ldc: number,
) => void;

/** `cblas_dger`: A += alpha x y' in double precision; CBLAS code first. */
export type Dger = (
  order: number,
  m: number,
  n: number,
  alpha: number,
  x: Float64Array,
  xApart: number,
  y: Float64Array,
  yApart: number,
  a: Float64Array,
  lda: number,
) => void;

/**
 * `LAPACKE_dsyevr`: chosen eigenvalues (ascending, the `from`th to the `to`th from 1) and eigenvectors of a symmetric
 * matrix, which it overwrites. Returns 0 if it has found them.
 */
export type Dsyevr = (
  layout: number,
  job: number,
  range: number,
  triangle: number,
  n: number,
  a: Float64Array,
  lda: number,
  low: number,
  high: number,
  from: number,
  to: number,
  tolerance: number,
  found: Int32Array,
  values: Float64Array,
  vectors: Float64Array,
  ldz: number,
  support: Int32Array,
) => number;

/** A loaded library, set to one thread. */
export interface Openblas {
  /** As `0.3.34`. */
  readonly version: string;
  /** The family of CPUs whose kernels it took, as `SkylakeX`. Which bits come out depends on it. */
  readonly core: string;
  readonly sgemm: Sgemm;
}

/** With what principal components need besides. */
export interface OpenblasLapack extends Openblas {
  readonly dsyrk: Dsyrk;
  readonly dger: Dger;
  /** Absent from builds without LAPACKE. */
  readonly dsyevr: Dsyevr | undefined;
}

const loaded = new Map<string, OpenblasLapack>();

/** Loads a library, once a process. The caller has found it by native/openblas.ts. */
export function loadOpenblas(file: string): OpenblasLapack {
  const known = loaded.get(file);
  if (known !== undefined) return known;
  let openblas: OpenblasLapack;
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

function declare(file: string): OpenblasLapack {
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
    dsyrk: library.func(
      `void ${prefix}cblas_dsyrk(int order, int triangle, int transpose, int n, int k, double alpha, void *a, int lda, double beta, void *c, int ldc)`,
    ) as Dsyrk,
    dger: library.func(
      `void ${prefix}cblas_dger(int order, int m, int n, double alpha, void *x, int xApart, void *y, int yApart, void *a, int lda)`,
    ) as Dger,
    dsyevr: optional(
      library,
      `int ${prefix}LAPACKE_dsyevr(int layout, char job, char range, char triangle, int n, void *a, int lda, double low, double high, int from, int to, double tolerance, void *found, void *values, void *vectors, int ldz, void *support)`,
    ) as Dsyevr | undefined,
  };
}

function optional(library: ReturnType<typeof koffi.load>, declaration: string): unknown {
  try {
    return library.func(declaration);
  } catch {
    return undefined;
  }
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
