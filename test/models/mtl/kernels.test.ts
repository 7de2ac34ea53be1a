import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { type Kernels, makeKernels } from '../../../src/kernels/kernels.ts';
import { makeRng } from '../../../src/random/rng.ts';
import { buildKernels, fingerprint } from './support.ts';

let kernels: Kernels;

beforeAll(() => {
  buildKernels();
  kernels = makeKernels();
});

/** Copies values into the kernels' memory. */
function put(values: ArrayLike<number>): number {
  const pointer = kernels.allocate(values.length * 4);
  new Float32Array(kernels.memory.buffer, pointer, values.length).set(values);
  return pointer;
}

function get(pointer: number, length: number): Float32Array {
  return new Float32Array(kernels.memory.buffer, pointer, length).slice();
}

describe('products of matrices', () => {
  const size = fc.integer({ min: 1, max: 70 });

  it('equal plain sums for any sizes, transposed or not, and write nothing else', () => {
    fc.assert(
      fc.property(
        fc.tuple(size, size, fc.oneof(size, fc.integer({ min: 250, max: 530 }), fc.constant(0))),
        fc.boolean(),
        fc.boolean(),
        fc.integer({ min: 0, max: 5 }),
        ([m, n, k], ta, tb, gap) => {
          const rng = makeRng('gemm', m, n, k);
          const [lda, ldb, ldc] = [(ta ? m : k) + gap, (tb ? k : n) + gap, n + gap];
          const a = Float32Array.from({ length: (ta ? k : m) * lda }, () => rng.normal());
          const b = Float32Array.from({ length: (tb ? n : k) * ldb }, () => rng.normal());
          const c = put(new Float32Array(m * ldc + 8).fill(9));
          kernels.gemm(Number(ta), Number(tb), m, n, k, put(a), lda, put(b), ldb, c, ldc);
          const got = get(c, m * ldc + 8);
          let wrong = 0;
          for (let i = 0; i < m; i++) {
            for (let j = 0; j < n; j++) {
              let sum = 0;
              let size = 0;
              for (let p = 0; p < k; p++) {
                const term =
                  (a[ta ? p * lda + i : i * lda + p] as number) * (b[tb ? j * ldb + p : p * ldb + j] as number);
                sum += term;
                size += Math.abs(term);
              }
              if (!(Math.abs((got[i * ldc + j] as number) - sum) <= 2e-6 * size)) wrong++;
            }
            for (let j = n; j < ldc; j++) if (got[i * ldc + j] !== 9) wrong++;
          }
          expect(wrong).toBe(0);
          expect([...got.subarray(m * ldc)]).toEqual(new Array(8).fill(9));
        },
      ),
      { numRuns: 60 },
    );
  });

  it('have pinned bits: the same on every machine', () => {
    const rng = makeRng('pinned');
    const a = Float32Array.from({ length: 33 * 300 }, () => rng.uniform() - 0.5);
    const b = Float32Array.from({ length: 300 * 17 }, () => rng.uniform() - 0.5);
    const c = put(new Float32Array(33 * 17));
    kernels.gemm(0, 0, 33, 17, 300, put(a), 300, put(b), 17, c, 17);
    expect(fingerprint(get(c, 33 * 17))).toMatchInlineSnapshot(`381666657`);
  });
});

describe('memory', () => {
  it('that is not there is refused with its size, and nothing is lost', () => {
    const own = makeKernels();
    expect(() => own.allocate(5 * 2 ** 30)).toThrow(/no room for 5120 MiB more/);
    expect(own.allocate(100) % 64).toBe(0);
  });
});

describe('dropout', () => {
  it('keeps the share it should, and scales it so that the mean stays', () => {
    const [rows, columns] = [500, 64];
    const z = put(new Float32Array(rows * columns).fill(1));
    const a = put(new Float32Array(rows * columns));
    const one = put(new Float32Array(columns).fill(1));
    const zero = put(new Float32Array(columns));
    const state = put(new Float32Array(4));
    new Uint32Array(kernels.memory.buffer, state, 4).set([1, 22, 333, 4444]);
    kernels.activateWithDropout(z, a, rows, columns, one, zero, state, 0.3 * 65536, 1 / 0.7);
    const values = get(a, rows * columns);
    const kept = values.filter((value) => value > 0);
    expect(kept.length / values.length).toBeGreaterThan(0.69);
    expect(kept.length / values.length).toBeLessThan(0.71);
    expect(kept.every((value) => Math.abs(value - 1 / 0.7) < 1e-6)).toBe(true);
    // No unit is favoured: every column within five standard errors of the share.
    for (let j = 0; j < columns; j++) {
      let count = 0;
      for (let i = 0; i < rows; i++) if ((values[i * columns + j] as number) > 0) count++;
      expect(Math.abs(count / rows - 0.7)).toBeLessThan(5 * Math.sqrt(0.21 / rows));
    }
  });
});

describe('batch normalisation', () => {
  it('is right for columns far from zero, where sums of squares would lose all digits', () => {
    const [rows, columns] = [200, 8];
    const rng = makeRng('far');
    const values = Float32Array.from({ length: rows * columns }, () => 10_000 + rng.normal());
    const buffers = Array.from({ length: 8 }, () => put(new Float32Array(columns).fill(1)));
    const [gamma, beta, mean, inverse, scale, shift, runningMean, runningVariance] = buffers as [
      number,
      number,
      number,
      number,
      number,
      number,
      number,
      number,
    ];
    kernels.batchNormStatistics(
      put(values),
      rows,
      columns,
      gamma,
      beta,
      mean,
      inverse,
      scale,
      shift,
      runningMean,
      runningVariance,
    );
    for (let j = 0; j < columns; j++) {
      const column = Array.from({ length: rows }, (_, i) => values[i * columns + j] as number);
      const m = column.reduce((a, b) => a + b, 0) / rows;
      const variance = column.reduce((a, b) => a + (b - m) ** 2, 0) / rows;
      expect(get(mean, columns)[j]).toBeCloseTo(m, 2);
      expect((get(inverse, columns)[j] as number) ** -2).toBeCloseTo(variance, 2);
      expect(get(runningVariance, columns)[j]).toBeCloseTo(0.9 + (0.1 * variance * rows) / (rows - 1), 3);
    }
  });
});
