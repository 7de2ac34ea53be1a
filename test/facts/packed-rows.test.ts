/** Rows come back from their file as the trades were, whatever their values. */
import { open, readFile } from 'node:fs/promises';
import path from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { piecesOf } from '../../src/facts/packed-rows.ts';
import { Router } from '../../src/facts/router.ts';
import { makeKernels } from '../../src/kernels/kernels.ts';
import { temporaryFolder } from '../support/stage.ts';

interface Trade {
  readonly time: bigint;
  readonly seq: bigint;
  readonly usd: bigint;
  readonly shares: bigint;
  readonly fee: bigint;
  readonly wallet: number;
  readonly other: number;
  readonly token: number;
  readonly flags: number;
}

const NO_FEE = -999_999_999_999_999_999n;
const WALLETS = 100_000;
const buckets = [
  { from: 0, to: 7, fills: 1 },
  { from: 7, to: 60_000, fills: 1 },
  { from: 60_000, to: WALLETS, fills: 1 },
];

/** Sends batches of trades to a file and reads them back, by bucket. */
async function back(batches: readonly (readonly Trade[])[]): Promise<Trade[][]> {
  const kernels = makeKernels();
  const router = new Router(kernels, buckets, Math.max(...batches.map(({ length }) => length)));
  const target = path.join(await temporaryFolder(), 'rows');
  const file = await open(target, 'w');
  router.begin();
  for (const trades of batches) {
    for (const name of ['time', 'seq', 'usd', 'shares', 'fee'] as const)
      trades.forEach((trade, i) => {
        new BigInt64Array(kernels.memory.buffer, router.column(name), trades.length)[i] = trade[name];
      });
    for (const name of ['wallet', 'other', 'token'] as const)
      new Int32Array(kernels.memory.buffer, router.narrow(name), trades.length).set(trades.map((trade) => trade[name]));
    new Uint8Array(kernels.memory.buffer, router.flags(), trades.length).set(trades.map(({ flags }) => flags));
    router.filled = trades.length;
    await router.flush(file);
  }
  const { batches: packed, faulty } = await router.result();
  await file.close();
  expect(faulty).toBe(false);
  const bytes = await readFile(target);
  return piecesOf(buckets.length, [packed], [target]).map((files) =>
    files.flatMap(({ pieces }) =>
      pieces.flatMap(({ from, rows, shape, size }): Trade[] => {
        const source = kernels.allocate(rows * size + 8);
        const [at, unpacked] = [kernels.allocate(shape.length), kernels.allocate(53 * rows)];
        const memory = new Uint8Array(kernels.memory.buffer);
        memory.set(bytes.subarray(from, from + rows * size + 8), source);
        memory.set(shape, at);
        expect(kernels.unpackRows(at, source, rows, unpacked) >>> 0).toBe(unpacked + 53 * rows);
        const view = new DataView(kernels.memory.buffer);
        return Array.from({ length: rows }, (_, i) => {
          const row = unpacked + 53 * i;
          const [time, seq, usd, shares, fee] = [0, 8, 16, 24, 32].map((place) => view.getBigInt64(row + place, true));
          const [wallet, other, token] = [40, 44, 48].map((place) => view.getInt32(row + place, true));
          return { time, seq, usd, shares, fee, wallet, other, token, flags: view.getUint8(row + 52) } as Trade;
        });
      }),
    ),
  );
}

const byBucket = (batches: readonly (readonly Trade[])[]): Trade[][] =>
  buckets.map(({ from, to }) => batches.flat().filter(({ wallet }) => wallet >= from && wallet < to));

const amount = fc.oneof(fc.bigInt(0n, 300n), fc.bigInt(0n, 2n ** 53n), fc.constant(2n ** 53n));
const fees = [
  fc.constant(NO_FEE),
  fc.constant(0n),
  fc.bigInt(-300n, 300n),
  fc.bigInt(-(10n ** 18n) + 2n, 10n ** 18n - 1n),
];
const step = fc.oneof(fc.bigInt(0n, 3n), fc.bigInt(0n, 2n ** 40n), fc.bigInt(0n, 2n ** 52n));

const batchOf = (fee: fc.Arbitrary<bigint>) =>
  fc.array(
    fc.record({
      time: step,
      seq: step,
      usd: amount,
      shares: amount,
      fee,
      wallet: fc.oneof(fc.integer({ min: 0, max: 10 }), fc.integer({ min: 0, max: WALLETS - 1 })),
      other: fc.oneof(fc.constant(-1), fc.integer({ min: 0, max: 2 ** 31 - 2 })),
      token: fc.oneof(fc.integer({ min: 0, max: 300 }), fc.integer({ min: 0, max: 2 ** 31 - 1 })),
      flags: fc.integer({ min: 0, max: 31 }),
    }),
    { minLength: 1, maxLength: 40 },
  );

/** Steps become times and seqs in their order. */
function inOrder(batches: readonly (readonly Trade[])[], firstTime: bigint): Trade[][] {
  let [time, seq] = [firstTime, -1n];
  return batches.map((batch) =>
    batch.map((trade) => {
      time += trade.time;
      seq += trade.seq + 1n;
      return { ...trade, time, seq };
    }),
  );
}

describe('packed rows', () => {
  it('come back as they were, in their order, bucket by bucket', async () => {
    const someFee = fc.constantFrom(...fees, fc.oneof(...fees));
    await fc.assert(
      fc.asyncProperty(
        fc.array(someFee.chain(batchOf), { minLength: 1, maxLength: 4 }),
        fc.constantFrom(-(2n ** 52n), 0n, 1_740_787_200_000_000n),
        async (batches, firstTime) => {
          const trades = inOrder(batches, firstTime);
          expect(await back(trades)).toEqual(byBucket(trades));
        },
      ),
      { numRuns: 150 },
    );
  });

  it('keep all bits of a row that takes the most bytes, beside one that takes the fewest', async () => {
    const small = { time: 0n, seq: 0n, usd: 0n, shares: 0n, fee: NO_FEE, wallet: 0, other: -1, token: 0, flags: 0 };
    const large: Trade = {
      time: 2n ** 62n,
      seq: 2n ** 62n,
      usd: 2n ** 53n,
      shares: 2n ** 53n,
      fee: 10n ** 18n - 1n,
      wallet: WALLETS - 1,
      other: 2 ** 31 - 2,
      token: 2 ** 31 - 1,
      flags: 31,
    };
    const least = { ...large, time: 1n, seq: 1n, fee: -(10n ** 18n) + 2n, wallet: 6 };
    for (const trades of [[small], [small, least, large], [large], [least, large]])
      expect(await back([trades])).toEqual(byBucket([trades]));
  });
});
