import { describe, expect, it } from 'vitest';
import type { Bucket } from '../../src/facts/read.ts';
import { runBuckets } from '../../src/facts/run-buckets.ts';
import open from '../support/plugin/bucket-work.mjs';
import { temporaryFolder } from '../support/stage.ts';

const work = { open, url: new URL('../support/plugin/bucket-work.mjs', import.meta.url) };
const buckets: Bucket[] = Array.from({ length: 7 }, (_, i) => ({ from: 10 * i, to: 10 * i + 10, fills: 10 }));

async function settings(threads: number): Promise<{ threads: number; memoryMb: number; scratch: string }> {
  return { threads, memoryMb: 600, scratch: await temporaryFolder() };
}

describe('runBuckets', () => {
  it('gives the same results in order of the buckets with one, two and more threads than buckets', async () => {
    const expected = buckets.map((_, i) => 2 * (100 * i + 45));
    for (const threads of [1, 2, 9]) {
      const done: number[] = [];
      const results = await runBuckets(work, { factor: 2 }, buckets, {
        ...(await settings(threads)),
        progress: (n, total) => {
          expect(total).toBe(7);
          done.push(n);
        },
      });
      expect(results.map(({ sum }) => sum)).toEqual(expected);
      expect(done).toEqual([1, 2, 3, 4, 5, 6, 7]);
    }
  });

  it('shares the memory out among the workers', async () => {
    const limits = async (threads: number): Promise<string[]> =>
      (await runBuckets(work, { factor: 1 }, buckets, await settings(threads))).map(({ limit }) => limit);
    const [one, two] = [await limits(1), await limits(2)];
    expect(new Set(one).size).toBe(1);
    expect(Number.parseFloat(two[0] as string)).toBeCloseTo(Number.parseFloat(one[0] as string) / 2, 0);
  });

  it('gives nothing for no buckets', async () => {
    expect(await runBuckets(work, { factor: 1 }, [], await settings(2))).toEqual([]);
  });

  it.each([1, 2])('passes on the error of a bucket with %i threads', async (threads) => {
    await expect(runBuckets(work, { factor: 1, failAt: 3 }, buckets, await settings(threads))).rejects.toThrow(
      'bucket 3 fails',
    );
  });

  it('says so when a worker dies', async () => {
    await expect(runBuckets(work, { factor: 1, crashAt: 2 }, buckets, await settings(2))).rejects.toThrow(
      /ended with code 3/,
    );
  });

  it.each([1, 2])('stops when progress throws, with %i threads', async (threads) => {
    let calls = 0;
    const stopped = runBuckets(work, { factor: 1 }, buckets, {
      ...(await settings(threads)),
      progress: () => {
        if (++calls === 2) throw new Error('stopped on request');
      },
    });
    await expect(stopped).rejects.toThrow('stopped on request');
    expect(calls).toBeLessThan(5);
  });
});
