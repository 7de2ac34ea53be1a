import { readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Kernels } from '../../../src/kernels/kernels.ts';
import { Cuts, type KeptCuts, type Product, piecesOf, ruledCut } from '../../../src/models/mtl/cuts.ts';
import { cutsFileName, keptCuts } from '../../../src/models/mtl/kept-cuts.ts';
import { Network } from '../../../src/models/mtl/network.ts';
import { openblasProducts } from '../../../src/models/mtl/openblas.ts';
import { Workspace } from '../../../src/models/mtl/workspace.ts';
import type { Openblas } from '../../../src/native/blas.ts';
import { makeRng } from '../../../src/random/rng.ts';
import { temporaryFolder } from '../../support/stage.ts';
import {
  blasProducts,
  buildKernels,
  everyHead,
  fingerprint,
  flat,
  noOpenblas,
  randomData,
  rowsOf,
  theOpenblas,
} from './support.ts';

const compact = (transposeA: number, transposeB: number, m: number, n: number, k: number): Product => ({
  transposeA,
  transposeB,
  m,
  n,
  k,
  lda: transposeA === 1 ? m : k,
  ldb: transposeB === 1 ? k : n,
  ldc: n,
});

describe('pieces', () => {
  it('cover every element of the result once', () => {
    const size = fc.integer({ min: 1, max: 70 });
    fc.assert(
      fc.property(size, size, size, size, (m, n, rows, columns) => {
        const covered = new Uint8Array(m * n);
        for (const piece of piecesOf({ m, n }, { rows, columns }))
          for (let i = 0; i < piece.rows; i++)
            for (let j = 0; j < piece.columns; j++) {
              const at = (piece.row + i) * n + piece.column + j;
              covered[at] = (covered[at] as number) + 1;
            }
        expect(covered.every((times) => times === 1)).toBe(true);
      }),
    );
  });

  it('follow a rule of shape and CPU alone until a search has run', () => {
    expect(ruledCut('SkylakeX', compact(0, 1, 32, 256, 256))).toEqual({ rows: 32, columns: 32 });
    expect(ruledCut('Haswell', compact(0, 1, 32, 256, 256))).toEqual({ rows: 32, columns: 256 });
    expect(ruledCut('SkylakeX', compact(0, 1, 512, 256, 256))).toEqual({ rows: 512, columns: 256 });
    expect(ruledCut('SkylakeX', compact(0, 0, 32, 256, 256))).toEqual({ rows: 32, columns: 64 });
    expect(ruledCut('Haswell', compact(0, 0, 32, 256, 256))).toEqual({ rows: 32, columns: 256 });
    expect(ruledCut('SkylakeX', compact(0, 0, 512, 256, 40))).toEqual({ rows: 256, columns: 64 });
    expect(ruledCut('SkylakeX', compact(1, 0, 256, 256, 512))).toEqual({ rows: 64, columns: 16 });
    expect(ruledCut('SkylakeX', compact(0, 0, 32, 16, 128))).toEqual({ rows: 32, columns: 16 });
    expect(ruledCut('SkylakeX', compact(0, 0, 64, 64, 5000))).toEqual({ rows: 64, columns: 64 });
  });
});

/**
 * A library whose products are what `value` says of a piece's columns, and whose time is a count of `cost`: how fast
 * each piece is, and with which bits, is up to the test.
 */
function fake(value: (columns: number) => number, cost: (rows: number, columns: number) => number, kept?: KeptCuts) {
  let time = 0;
  const openblas: Openblas = {
    version: '1',
    core: 'fake',
    sgemm: (_order, _ta, _tb, rows, columns, _k, _alpha, _a, _lda, _b, _ldb, _beta, c, ldc) => {
      const target = new Float32Array(c.buffer, c.byteOffset);
      for (let i = 0; i < rows; i++) target.fill(value(columns), i * ldc, i * ldc + columns);
      time += cost(rows, columns);
    },
  };
  const cuts = new Cuts(openblas, () => time, kept);
  const site = cuts.siteOf(compact(0, 0, 32, 256, 256));
  for (let use = 0; use < 300; use++) cuts.count(site);
  return { cut: site.cut, log: cuts.describe() };
}

describe('the search for cuts', () => {
  const whole = { rows: 32, columns: 256 };

  it('takes the fastest of those with the same bits, and says so', () => {
    const { cut, log } = fake(
      () => 1,
      (_, columns) => (columns === 64 ? 10 : columns === 256 ? 80 : 50),
    );
    expect(cut).toEqual({ rows: 32, columns: 64 });
    expect(log).toEqual(['32 x 256 x 256, by 32 x 64: 0.50']);
  });

  it('never takes one with other bits, however fast', () => {
    const { cut } = fake(
      (columns) => (columns === 64 ? 1 + 2 ** -23 : 1),
      (_, columns) => (columns === 64 ? 1 : columns === 256 ? 80 : 50),
    );
    expect(cut).toEqual(whole);
  });

  it('keeps what it found for the next process, which need not search', async () => {
    const file = path.join(await temporaryFolder(), 'cuts', 'here.json');
    const costs: [number, number][] = [];
    const cost = (rows: number, columns: number): number => {
      costs.push([rows, columns]);
      return columns === 64 ? 10 : columns === 256 ? 80 : 50;
    };
    const first = fake(() => 1, cost, keptCuts(file));
    const calls = costs.length;
    const second = fake(() => 1, cost, keptCuts(file));
    expect(second).toEqual(first);
    // Only its bits are tried out: the whole once, and once its four pieces.
    expect(costs.length - calls).toBe(5);
    expect(readdirSync(path.dirname(file))).toEqual(['here.json']);
  });

  it('does not use a kept cut with other bits, or from a file that is broken', async () => {
    const file = path.join(await temporaryFolder(), 'here.json');
    const whole = { rows: 32, columns: 256 };
    const slow = () => 50;
    const product = '0 0 32 256 256 256 256 256';
    for (const text of [
      JSON.stringify({ [product]: { rows: 32, columns: 64, gain: 0.5 } }),
      JSON.stringify({ [product]: { rows: 32, columns: 0, gain: 0.5 } }),
      '{"0 0',
    ]) {
      writeFileSync(file, text);
      const { cut } = fake((columns) => (columns === 64 ? 1 + 2 ** -23 : 1), slow, keptCuts(file));
      expect(cut).toEqual(whole);
    }
  });

  it('leaves what is hardly slower as it is', () => {
    expect(
      fake(
        () => 1,
        (_, columns) => (columns === 64 ? 19.6 : columns === 256 ? 80 : 50),
      ).cut,
    ).toEqual(whole);
  });

  it('does not begin for products that are used a few times, tiny, or large', () => {
    const openblas: Openblas = {
      version: '1',
      core: 'fake',
      sgemm: () => {
        throw new Error('nothing was to be tried');
      },
    };
    const cuts = new Cuts(openblas, () => 0);
    const few = cuts.siteOf(compact(0, 0, 32, 256, 256));
    for (let use = 0; use < 10; use++) cuts.count(few);
    for (const product of [compact(0, 0, 8, 8, 8), compact(0, 0, 1024, 256, 256)])
      for (let use = 0; use < 1000; use++) cuts.count(cuts.siteOf(product));
    expect(cuts.describe()).toEqual([]);
  });
});

it('searches of another CPU or library are kept elsewhere', () => {
  const zen = cutsFileName('AMD EPYC', { version: '0.3.34', core: 'SkylakeX' });
  expect(zen).toBe('amd-epyc-openblas-0.3.34-skylakex.json');
  expect(cutsFileName('Intel(R) Xeon(R) @ 2.1GHz', { version: '0.3.34', core: 'SkylakeX' })).not.toBe(zen);
});

describe.skipIf(noOpenblas !== undefined)(`products by OpenBLAS (${noOpenblas ?? 'installed'})`, () => {
  /** Memory of `floats` numbers that can move, as the kernels' does when it grows. */
  function movable(floats: number) {
    const memory = { buffer: new ArrayBuffer(floats * 4) };
    const view = (): Float32Array => new Float32Array(memory.buffer);
    const move = (): void => {
      const old = view();
      memory.buffer = new ArrayBuffer(floats * 4);
      view().set(old);
      old.fill(Number.NaN);
    };
    return { kernels: { memory } as unknown as Kernels, view, move };
  }

  it('are those of double precision for any shape, transposed or not, with gaps between rows, before and after memory moves', () => {
    const size = fc.integer({ min: 1, max: 48 });
    const flag = fc.constantFrom(0, 1);
    const gap = fc.integer({ min: 0, max: 5 });
    fc.assert(
      fc.property(flag, flag, size, size, size, gap, (ta, tb, m, n, k, extra) => {
        const product = compact(ta, tb, m, n, k);
        const [lda, ldb, ldc] = [product.lda + extra, product.ldb + extra, product.ldc + extra];
        const sizes = [lda * (ta ? k : m), ldb * (tb ? n : k), ldc * m] as const;
        const { kernels, view, move } = movable(sizes[0] + sizes[1] + sizes[2]);
        const rng = makeRng('product', m, n, k);
        view().set(Float32Array.from({ length: sizes[0] + sizes[1] }, () => rng.normal()));
        // What lies in the result before must not matter; what lies in its gaps must stay.
        view().fill(Number.NaN, sizes[0] + sizes[1]);
        const multiply = openblasProducts(theOpenblas(), new Cuts(theOpenblas(), () => 0))(kernels);
        const [a, b, c] = [0, sizes[0] * 4, (sizes[0] + sizes[1]) * 4];
        for (const moved of [false, true]) {
          if (moved) move();
          multiply(ta, tb, m, n, k, a, lda, b, ldb, c, ldc);
          const values = view();
          for (let i = 0; i < m; i++)
            for (let j = 0; j < ldc; j++) {
              const got = values[c / 4 + i * ldc + j] as number;
              if (j >= n) {
                expect(got).toBeNaN();
                continue;
              }
              let sum = 0;
              for (let l = 0; l < k; l++)
                sum +=
                  (values[ta ? l * lda + i : i * lda + l] as number) *
                  (values[b / 4 + (tb ? j * ldb + l : l * ldb + j)] as number);
              if (!(Math.abs(got - sum) < 1e-4)) expect(got).toBeCloseTo(sum, 4);
            }
        }
      }),
      { numRuns: 60 },
    );
  });

  it('have the same bits whatever the clock says: training with a fair, a random and a standing clock', () => {
    buildKernels();
    const shape = { inputs: 37, hidden: [256, 256, 128], heads: everyHead };
    const { x, y } = randomData(shape, 256, makeRng('bits'), 0.1);
    const noise = makeRng('noise');
    let random = 0;
    const clocks = [
      () => process.cpuUsage().user,
      () => {
        random += noise.below(1000);
        return random;
      },
      () => 0,
    ];
    const prints = clocks.map((clock) => {
      const network = new Network(new Workspace(shape, 32, blasProducts(clock)));
      network.initialise(makeRng('init'));
      network.seedDropout(makeRng('dropout'));
      network.loadData(256, flat(x), flat(y));
      for (let step = 0; step < 340; step++) {
        // A batch of another size now and then, as at the end of an epoch.
        const rows = step % 8 === 7 ? rowsOf(19, 224) : rowsOf(32, (step % 8) * 32);
        network.gradients(rows, { dropout: [0.3, 0.3, 0.3], weights: everyHead.map(() => 1) });
        network.update({ learningRate: 1e-3, weightDecay: 1e-5, decoupled: false, clipNorm: 1 });
      }
      return fingerprint(network.region('parameters'));
    });
    expect(prints[1]).toBe(prints[0]);
    expect(prints[2]).toBe(prints[0]);
  });
});
