/**
 * Cuts matrix products into pieces that OpenBLAS computes faster than the whole: small ones skip the packing of its
 * operands (32 x 256 x 256 in four pieces takes three quarters of the time on AVX-512).
 *
 * Results never depend on a clock. Pieces can be served by another kernel than the whole, one that sums in another
 * order, so which bits come out is decided by a rule (`ruledCut`). A measurement may then replace that cut only by one
 * that gives the same bits, which is tried out: noise can cost time, never change a result. Only rows and columns are
 * cut, since a cut through the inner dimension always changes the sums.
 */
import type { Openblas } from '../../native/blas.ts';
import { makeRng } from '../../random/rng.ts';

/** C (m x n) = op(A) (m x k) op(B) (k x n), row-major, with the distances of stored rows in elements. */
export interface Product {
  readonly transposeA: number;
  readonly transposeB: number;
  readonly m: number;
  readonly n: number;
  readonly k: number;
  readonly lda: number;
  readonly ldb: number;
  readonly ldc: number;
}

/** Most rows and columns of C that a piece has. */
export interface Cut {
  readonly rows: number;
  readonly columns: number;
}

/** First row and column of each piece of C. */
export function* piecesOf({ m, n }: Pick<Product, 'm' | 'n'>, { rows, columns }: Cut) {
  for (let column = 0; column < n; column += columns)
    for (let row = 0; row < m; row += rows)
      yield { row, column, rows: Math.min(rows, m - row), columns: Math.min(columns, n - column) };
}

/** Families of CPUs that OpenBLAS gives its AVX-512 kernels, by its own names. */
const avx512 = new Set(['SkylakeX', 'Cooperlake', 'SapphireRapids']);

/**
 * The cut that decides the bits. The AVX-512 kernels have one for small products with a transposed right side, and
 * take it up to 32 columns: 32 x 256 x 256 in 42 instead of 52 microseconds. Everything else is left whole.
 */
export function ruledCut(core: string, { transposeB, m, n, k }: Product): Cut {
  const small = transposeB === 1 && m > 2 && m <= 32 && n > 32 && k >= 64;
  return small && avx512.has(core) ? { rows: m, columns: 32 } : { rows: m, columns: n };
}

/** Multiplications within which a better cut is looked for: below, calls cost more; above, the whole is as fast. */
const LEAST_WORK = 2e5;
const MOST_WORK = 8e6;
/** A product that is not used more often than this is not worth the search. */
const USES_BEFORE_SEARCH = 64;
/** Each candidate is timed this often, for about this many multiplications (a tenth of a millisecond). */
const ROUNDS = 4;
const WORK_OF_A_ROUND = 6e6;
/** A cut must be this much faster to be taken. */
const WORTH_IT = 0.97;

/** A product that occurs, and how it is cut at present. */
export interface Site {
  readonly product: Product;
  cut: Cut;
  uses: number;
  /** CPU time of the cut taken over that of the ruled one, once searched. */
  gain?: number;
}

/** The cuts of a process. */
export class Cuts {
  readonly #openblas: Openblas;
  readonly #cpuTime: () => number;
  readonly #sites = new Map<string, Site>();

  /** @param cpuTime CPU time of this process in microseconds; only differences count */
  constructor(openblas: Openblas, cpuTime: () => number) {
    this.#openblas = openblas;
    this.#cpuTime = cpuTime;
  }

  siteOf(product: Product): Site {
    const { transposeA, transposeB, m, n, k, lda, ldb, ldc } = product;
    const key = `${transposeA} ${transposeB} ${m} ${n} ${k} ${lda} ${ldb} ${ldc}`;
    const known = this.#sites.get(key);
    if (known !== undefined) return known;
    const site: Site = { product, cut: ruledCut(this.#openblas.core, product), uses: 0 };
    this.#sites.set(key, site);
    return site;
  }

  /** To be called at each use: a product that is used often is searched for a better cut. A few milliseconds, once. */
  count(site: Site): void {
    if (++site.uses === USES_BEFORE_SEARCH) this.#search(site);
  }

  /** Better cuts that the search found: for a log, since it may find others the next time. */
  describe(): string[] {
    return [...this.#sites.values()].flatMap(({ product: { m, n, k, transposeA, transposeB }, cut, gain = 1 }) => {
      const form = transposeA === 1 ? ', left side transposed' : transposeB === 1 ? ', right side transposed' : '';
      return gain < 1 ? [`${m} x ${n} x ${k}${form}, by ${cut.rows} x ${cut.columns}: ${gain.toFixed(2)}`] : [];
    });
  }

  #search(site: Site): void {
    const { product, cut } = site;
    const { m, n, k } = product;
    const work = m * n * k;
    if (work < LEAST_WORK || work > MOST_WORK) return;
    const trial = new Trial(this.#openblas, product);
    trial.run(cut);
    const bits = trial.result.slice();
    const same = candidates(product).filter((candidate) => {
      trial.result.fill(0);
      trial.run(candidate);
      return trial.result.every((word, i) => word === bits[i]);
    });
    const all = [cut, ...same];
    const times = all.map(() => Number.POSITIVE_INFINITY);
    const repeats = Math.ceil(WORK_OF_A_ROUND / work);
    for (let round = 0; round < ROUNDS; round++)
      for (const [i, candidate] of all.entries()) {
        const began = this.#cpuTime();
        for (let r = 0; r < repeats; r++) trial.run(candidate);
        times[i] = Math.min(times[i] as number, this.#cpuTime() - began);
      }
    const ruled = times[0] as number;
    let best = 0;
    for (const [i, time] of times.entries()) if (time < WORTH_IT * ruled && time < (times[best] as number)) best = i;
    site.cut = all[best] as Cut;
    site.gain = (times[best] as number) / ruled;
  }
}

/** Whole rows or blocks of them, by whole columns or blocks; sizes that the kernels of today's CPUs divide. */
function candidates({ m, n }: Product): Cut[] {
  const below = (size: number, sizes: readonly number[]) => [size, ...sizes.filter((one) => one < size)];
  return below(m, [128, 64]).flatMap((rows) => below(n, [128, 64, 32]).map((columns) => ({ rows, columns })));
}

/** One product on numbers of its own, of the same shape and distances as the real one. */
class Trial {
  readonly #openblas: Openblas;
  readonly #product: Product;
  readonly #a: ArrayBuffer;
  readonly #b: ArrayBuffer;
  readonly #c: ArrayBuffer;
  /** The words of C. */
  readonly result: Uint32Array;

  constructor(openblas: Openblas, product: Product) {
    const { transposeA, transposeB, m, n, k, lda, ldb, ldc } = product;
    const rng = makeRng('cuts');
    const draw = (length: number) => Float32Array.from({ length }, () => 2 * rng.uniform() - 1).buffer;
    this.#openblas = openblas;
    this.#product = product;
    this.#a = draw(lda * (transposeA === 1 ? k : m));
    this.#b = draw(ldb * (transposeB === 1 ? n : k));
    this.#c = new ArrayBuffer(ldc * m * 4);
    this.result = new Uint32Array(this.#c);
  }

  run(cut: Cut): void {
    for (const piece of piecesOf(this.#product, cut)) {
      const at = offsetsOf(this.#product, piece.row, piece.column);
      multiplyPiece(this.#openblas, this.#product, {
        rows: piece.rows,
        columns: piece.columns,
        a: new Uint8Array(this.#a, at.a),
        b: new Uint8Array(this.#b, at.b),
        c: new Uint8Array(this.#c, at.c),
      });
    }
  }
}

/** Where the operands of a piece begin, in bytes from the first element of each matrix. */
export function offsetsOf({ transposeA, transposeB, lda, ldb, ldc }: Product, row: number, column: number) {
  return {
    a: 4 * (transposeA === 1 ? row : row * lda),
    b: 4 * (transposeB === 1 ? column * ldb : column),
    c: 4 * (row * ldc + column),
  };
}

/** A piece of a product and views that begin where its operands do. */
export interface Piece {
  readonly rows: number;
  readonly columns: number;
  readonly a: Uint8Array;
  readonly b: Uint8Array;
  readonly c: Uint8Array;
}

/** CBLAS codes. */
const ROW_MAJOR = 101;
const PLAIN = 111;

export function multiplyPiece({ sgemm }: Openblas, product: Product, { rows, columns, a, b, c }: Piece): void {
  const { transposeA, transposeB, k, lda, ldb, ldc } = product;
  sgemm(ROW_MAJOR, PLAIN + transposeA, PLAIN + transposeB, rows, columns, k, 1, a, lda, b, ldb, 0, c, ldc);
}
