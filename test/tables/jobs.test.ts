import { setTimeout } from 'node:timers/promises';
import { threadId } from 'node:worker_threads';
import { describe, expect, it } from 'vitest';
import { JobPool, runJobs } from '../../src/tables/jobs.ts';
import open from '../support/plugin/bucket-work.mjs';
import openOther from '../support/plugin/other-work.mjs';
import { temporaryFolder } from '../support/stage.ts';

const work = { open, url: new URL('../support/plugin/bucket-work.mjs', import.meta.url) };

describe('runJobs', () => {
  it.each([1, 2])(
    'lets who makes the jobs clean up, at the end and after a failure, with %i threads',
    async (threads) => {
      for (const fails of [false, true]) {
        let [made, cleaned] = [0, 0];
        async function* jobs() {
          try {
            for (; made < 5; made++) yield { from: made, to: made + 1, fills: 1 };
          } finally {
            cleaned++;
          }
        }
        const run = runJobs(work, { factor: 1 }, jobs(), {
          threads,
          memoryMb: 300,
          scratch: await temporaryFolder(),
          onDone: () => {
            if (fails) throw new Error('stopped on request');
          },
        });
        if (fails) await expect(run).rejects.toThrow('stopped on request');
        else expect(await run).toHaveLength(5);
        expect(cleaned).toBe(1);
        expect(made < 5).toBe(fails);
      }
    },
  );

  it.each([1, 2])('waits for what is shared, and fails with it, with %i threads', async (threads) => {
    const jobs = Array.from({ length: 3 }, (_, i) => ({ from: i, to: i + 1, fills: 1 }));
    const run = async (shared: Promise<{ factor: number }>): Promise<unknown[]> =>
      runJobs(work, shared, jobs, { threads, memoryMb: 300, scratch: await temporaryFolder() });
    const later = run(setTimeout(50, { factor: 1 }));
    expect(await later).toEqual(await run(Promise.resolve({ factor: 1 })));
    await expect(run(setTimeout(50).then(() => Promise.reject(new Error('not to be had'))))).rejects.toThrow(
      'not to be had',
    );
  });
});

const other = {
  open: openOther,
  url: new URL('../support/plugin/other-work.mjs', import.meta.url),
  database: false,
};

async function onPool<T>(threads: number, use: (pool: JobPool) => Promise<T>): Promise<T> {
  const pool = new JobPool({ threads, memoryMb: 300, scratch: await temporaryFolder() });
  try {
    return await use(pool);
  } finally {
    await pool.close();
  }
}

const buckets = Array.from({ length: 6 }, (_, i) => ({ from: i, to: i + 1, fills: 1 }));
const numbers = [1, 2, 3, 4, 5, 6];

const threadsOf = (said: readonly { readonly thread: number }[]): Set<number> =>
  new Set(said.map(({ thread }) => thread));

describe('JobPool', () => {
  it.each([1, 2])('does one work after the other, with a database or without, with %i threads', async (threads) => {
    await onPool(threads, async (pool) => {
      const sums = async (factor: number): Promise<number[]> =>
        (await pool.run(work, { factor }, buckets)).map(({ sum }) => sum);
      const values = async (add: number): Promise<number[]> =>
        (await pool.run(other, { add }, numbers)).map(({ value }) => value);
      expect(await sums(1)).toEqual([0, 1, 2, 3, 4, 5]);
      expect(await values(10)).toEqual([11, 12, 13, 14, 15, 16]);
      expect(await values(20)).toEqual([21, 22, 23, 24, 25, 26]);
      expect(await sums(2)).toEqual([0, 2, 4, 6, 8, 10]);
      expect(await pool.run(other, { add: 0 }, [])).toEqual([]);
    });
  });

  it('keeps its threads, and replaces one of which a job failed', async () => {
    await onPool(2, async (pool) => {
      const run = (failAt?: number) => pool.run(other, { add: 0, failAt }, numbers);
      const first = threadsOf(await run());
      const second = threadsOf(await run());
      for (const thread of second) expect(first).toContain(thread);
      expect(new Set([...first, ...second]).size).toBeLessThanOrEqual(2);
      await expect(run(0)).rejects.toThrow('job 0 fails');
      const values = (await run()).map(({ value }) => value);
      expect(values).toEqual(numbers);
    });
  });

  it.each([1, 2])('fails in the run in which a job does, the first or the second, with %i threads', async (threads) => {
    await onPool(threads, (pool) =>
      expect(pool.run(work, { factor: 1, failAt: 2 }, buckets)).rejects.toThrow('bucket 2'),
    );
    await onPool(threads, async (pool) => {
      expect(await pool.run(work, { factor: 1 }, buckets)).toHaveLength(6);
      await expect(pool.run(other, { add: 1, failAt: 3 }, numbers)).rejects.toThrow('job 3 fails');
    });
  });

  it('fails where a thread ends in the second run, and waits for nobody', async () => {
    await onPool(2, async (pool) => {
      expect(await pool.run(other, { add: 1 }, numbers)).toHaveLength(6);
      await expect(pool.run(work, { factor: 1, crashAt: 1 }, buckets)).rejects.toThrow('ended with code 3');
    });
  });

  it('ends what runs when it is closed', async () => {
    const pool = new JobPool({ threads: 2, memoryMb: 300, scratch: await temporaryFolder() });
    const failed = pool.run(other, { add: 1, waitAt: 1 }, numbers).catch((error: unknown) => String(error));
    await setTimeout(500);
    await pool.close();
    expect(await failed).toContain('ended with code 1');
    await pool.close();
  });

  it('leaves some of its threads out where it is told to', async () => {
    await onPool(3, async (pool) => {
      expect(threadsOf(await pool.run(other, { add: 0 }, numbers, { threads: 1 }))).toEqual(new Set([threadId]));
      expect(threadsOf(await pool.run(other, { add: 0 }, numbers, { threads: 2 })).size).toBeLessThanOrEqual(2);
    });
  });

  it.each([1, 2])(
    'gives a thread two jobs at a time where the work says so, in order, with %i threads',
    async (threads) => {
      const two = { ...other, jobsAtOnce: 2 };
      await onPool(threads, async (pool) => {
        const said = await pool.run(two, { add: 10, slow: 20 }, numbers);
        expect(said.map(({ value }) => value)).toEqual([11, 12, 13, 14, 15, 16]);
        expect(Math.max(...said.map(({ atOnce }) => atOnce))).toBe(2);
        for (const thread of threadsOf(said)) {
          const begun = said.filter((one) => one.thread === thread).map(({ begun }) => begun);
          expect(begun).toEqual([...begun].sort((a, b) => a - b));
        }
        // The other job of the thread ends as it would, so that the error is that of the job that failed.
        await expect(pool.run(two, { add: 0, slow: 20, failAt: 1 }, numbers)).rejects.toThrow('job 1 fails');
        expect(await pool.run(two, { add: 0 }, numbers)).toHaveLength(6);
      });
    },
  );

  it.each([1, 2])('gives no database to work that says it needs none, with %i threads', async (threads) => {
    await onPool(threads, (pool) =>
      expect(pool.run(other, { add: 1, reach: true }, numbers)).rejects.toThrow('says that it needs none'),
    );
  });
});
