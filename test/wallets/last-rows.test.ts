import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { makeKernels } from '../../src/kernels/kernels.ts';
import { makeRng } from '../../src/random/rng.ts';
import { profileColumns } from '../../src/wallets/profile/columns.ts';
import { LARGEST, lastRowsOf, mergeLastRows } from '../../src/wallets/profile/last-rows.ts';
import { BucketRows } from '../../src/wallets/profile/output.ts';

const DATES = 4;

interface Row {
  readonly wallet: number;
  readonly date: number;
  readonly invested: number;
  readonly netFlow: number;
  readonly settled: number;
  readonly marked: number;
}

const columnOf = (name: string): number => profileColumns.findIndex((column) => column.name === name);

/** Rows of a bucket whose wallets have the numbers of their places times 3. */
function bucketOf(rows: readonly Row[]): BucketRows {
  const bucket = new BucketRows(makeKernels(), profileColumns.length, DATES);
  bucket.clear();
  for (const { wallet, date, invested, netFlow, settled, marked } of rows) {
    bucket.startWallet(wallet / 3);
    const at = bucket.add(date);
    bucket.values.fill(Number.NaN, at, at + profileColumns.length);
    bucket.values[at + columnOf('tradeCount')] = 2;
    bucket.values[at + columnOf('marketCount')] = 1;
    bucket.values[at + columnOf('investedUsd')] = invested;
    bucket.values[at + columnOf('netFlowUsd')] = netFlow;
    bucket.values[at + columnOf('settledPnlUsd')] = settled;
    bucket.values[at + columnOf('markedPnlUsd')] = marked;
  }
  return bucket;
}

const sorted = (values: Iterable<number>): number[] => [...values].sort((a, b) => a - b);

describe('the last rows', () => {
  it('are those of the last date in all buckets, with the largest wallets and whoever equals the last of them', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 1e6 }), fc.integer({ min: 1, max: 400 }), (seed, count) => {
        const rng = makeRng('rows', seed);
        const last = rng.below(DATES);
        // Few volumes, so that many are the same.
        const rows = Array.from({ length: count }, (_, k): Row => {
          const date = rng.below(last + 1);
          const [settled, marked] = [rng.uniform() < 0.4 ? Number.NaN : rng.uniform(), rng.uniform()];
          return { wallet: 3 * k, date, invested: rng.below(8), netFlow: rng.below(4), settled, marked };
        });
        const numbers = Int32Array.from({ length: count }, (_, place) => 3 * place);
        const half = count >> 1;
        const found = mergeLastRows([
          lastRowsOf(bucketOf(rows.slice(0, half)), numbers),
          lastRowsOf(bucketOf(rows.slice(half)), numbers),
        ]);
        const date = Math.max(...rows.map((row) => row.date));
        const those = rows.filter((row) => row.date === date);
        const volumes = those.map(({ invested, netFlow }) => 2 * invested + netFlow);
        const least = sorted(volumes).at(-LARGEST) ?? 0;
        expect(found.date).toBe(date);
        expect(sorted(found.volumes)).toEqual(sorted(volumes));
        expect(sorted(found.settledPnlUsd)).toEqual(
          sorted(those.flatMap(({ settled }) => (Number.isNaN(settled) ? [] : [settled]))),
        );
        expect(sorted(found.markedPnlUsd)).toEqual(sorted(those.map(({ marked }) => marked)));
        expect(found.largest).toEqual(
          those
            .filter((_, i) => (volumes[i] as number) >= least)
            .map(({ wallet, invested, netFlow, settled, marked }) => ({
              wallet,
              volumeUsd: 2 * invested + netFlow,
              fills: 2,
              markets: 1,
              settledPnlUsd: settled,
              markedPnlUsd: marked,
            })),
        );
      }),
      { numRuns: 30, seed: 5 },
    );
  });

  it('are none of buckets without rows', () => {
    const none = mergeLastRows([lastRowsOf(bucketOf([]), undefined)]);
    expect(none).toMatchObject({ date: -1, largest: [] });
    expect(none.volumes).toHaveLength(0);
  });
});
