import { setTimeout } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { runJobs } from '../../src/tables/jobs.ts';
import open from '../support/plugin/bucket-work.mjs';
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
