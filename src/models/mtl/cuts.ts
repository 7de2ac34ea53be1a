/**
 * Cuts matrix products into pieces that OpenBLAS computes faster than the whole: small ones skip the packing of its
 * operands (32 x 256 x 256 in four pieces takes three quarters of the time on AVX-512).
 *
 * Results never depend on a clock. Pieces can be served by another kernel than the whole, one that sums in another
 * order, so which bits come out is decided by a rule (`ruledCut`). A measurement may then replace that cut only by one
 * that gives the same bits, which is tried out: noise can cost time, never change a result. What a search found is kept
 * for the next process, which tries it out again before using it. Only rows and columns are cut, since a cut through
 * the inner dimension always changes the sums.
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
  for (let row = 0; row < m; row += rows)
    for (let column = 0; column < n; column += columns)
      yield { row, column, rows: Math.min(rows, m - row), columns: Math.min(columns, n - column) };
}

/** Families of CPUs that OpenBLAS gives its AVX-512 kernels, by its own names. */
const avx512 = new Set(['SkylakeX', 'Cooperlake', 'SapphireRapids']);

/** Multiplications up to which those kernels take a product without packing its operands. */
const UNPACKED = 1e6;

/**
 * The cut that decides the bits: pieces that the AVX-512 kernels take without packing, 64 wide on one side and on the
 * other as large a power of two as stays below their limit. With a transposed right side they do so up to 32 columns,
 * which pays for few rows only. Everything else is left whole.
 */
export function ruledCut(core: string, { transposeA, transposeB, m, n, k }: Product): Cut {
  const whole = { rows: m, columns: n };
  if (!avx512.has(core)) return whole;
  if (transposeB === 1) return m > 2 && m <= 32 && n > 32 && k >= 64 ? { rows: m, columns: 32 } : whole;
  if (m * n * k <= UNPACKED) return whole;
  const side = Math.min(64, transposeA === 1 ? m : n);
  const other = 2 ** Math.floor(Math.log2(UNPACKED / (side * k)));
  if (other < 16) return whole;
  return transposeA === 1 ? { rows: side, columns: Math.min(other, n) } : { rows: Math.min(other, m), columns: side };
}

/** Multiplications within which a better cut is looked for: below, calls cost more; above, the whole is as fast. */
const LEAST_WORK = 2e5;
const MOST_WORK = 4e7;
/** A piece with fewer is mostly the cost of its call. */
const LEAST_WORK_OF_A_PIECE = 6e4;
/** A product that is not used more often than this is not worth the search. */
const USES_BEFORE_SEARCH = 256;
/** Each candidate is timed this often, for about this many multiplications (a tenth of a millisecond) or once. */
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

/** What a search found: the cut, and its share of the ruled one's time. */
export interface FoundCut extends Cut {
  readonly gain: number;
}

/** Where searches of one CPU and library are kept, by product. */
export interface KeptCuts {
  find(product: string): FoundCut | undefined;
  keep(product: string, found: FoundCut): void;
}

const nothingKept: KeptCuts = { find: () => undefined, keep: () => {} };

/** The cuts of a process. */
export class Cuts {
  readonly #openblas: Openblas;
  readonly #cpuTime: () => number;
  readonly #kept: KeptCuts;
  readonly #sites = new Map<string, Site>();

  /** @param cpuTime CPU time of this process in microseconds; only differences count */
  constructor(openblas: Openblas, cpuTime: () => number, kept = nothingKept) {
    this.#openblas = openblas;
    this.#cpuTime = cpuTime;
    this.#kept = kept;
  }

  siteOf(product: Product): Site {
    const name = nameOf(product);
    const known = this.#sites.get(name);
    if (known !== undefined) return known;
    const site: Site = { product, cut: ruledCut(this.#openblas.core, product), uses: 0 };
    this.#sites.set(name, site);
    const kept = this.#kept.find(name);
    if (kept !== undefined && this.#sameBits(product, site.cut, [kept]).length === 1) {
      site.cut = { rows: kept.rows, columns: kept.columns };
      site.gain = kept.gain;
    }
    return site;
  }

  /** To be called at each use: a product that is used often is searched for a better cut, once. */
  count(site: Site): void {
    if (++site.uses === USES_BEFORE_SEARCH && site.gain === undefined) this.#search(site);
  }

  /** Better cuts that are used, found now or before: for a log, since another search may find others. */
  describe(): string[] {
    return [...this.#sites.values()].flatMap(({ product: { m, n, k, transposeA, transposeB }, cut, gain = 1 }) => {
      const form = transposeA === 1 ? ', left side transposed' : transposeB === 1 ? ', right side transposed' : '';
      return gain < 1 ? [`${m} x ${n} x ${k}${form}, by ${cut.rows} x ${cut.columns}: ${gain.toFixed(2)}`] : [];
    });
  }

  /** Those of `others` that give the bits of `cut`. */
  #sameBits<C extends Cut>(product: Product, cut: Cut, others: readonly C[]): C[] {
    const trial = new Trial(this.#openblas, product);
    trial.run(cut);
    const bits = trial.result.slice();
    return others.filter((other) => {
      trial.result.fill(0);
      trial.run(other);
      return trial.result.every((word, i) => word === bits[i]);
    });
  }

  #search(site: Site): void {
    const { product, cut } = site;
    const work = product.m * product.n * product.k;
    if (work < LEAST_WORK || work > MOST_WORK) return;
    const all: Cut[] = [cut, ...this.#sameBits(product, cut, candidates(product))];
    const times = all.map(() => Number.POSITIVE_INFINITY);
    const repeats = Math.ceil(WORK_OF_A_ROUND / work);
    const trial = new Trial(this.#openblas, product);
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
    site.gain = best === 0 ? 1 : (times[best] as number) / ruled;
    this.#kept.keep(nameOf(product), { ...site.cut, gain: site.gain });
  }
}

/** A product's form, shape and distances of rows, as the key of what is known of it. */
function nameOf({ transposeA, transposeB, m, n, k, lda, ldb, ldc }: Product): string {
  return `${transposeA} ${transposeB} ${m} ${n} ${k} ${lda} ${ldb} ${ldc}`;
}

/** Whole rows or blocks of them, by whole columns or blocks; sizes that the kernels of today's CPUs divide. */
function candidates({ m, n, k }: Product): Cut[] {
  const upTo = (size: number) => [size, ...[128, 64, 32, 16].filter((one) => one < size)];
  return upTo(m)
    .flatMap((rows) => upTo(n).map((columns) => ({ rows, columns })))
    .filter(({ rows, columns }) => rows * columns * k >= LEAST_WORK_OF_A_PIECE);
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
