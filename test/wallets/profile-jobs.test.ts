import { describe, expect, it } from 'vitest';
import { factFiles } from '../../src/facts/layout.ts';
import { openDuck, quote } from '../../src/tables/duck.ts';
import { type ProfileJob, profileJobs } from '../../src/wallets/profile/jobs.ts';
import { temporaryFolder } from '../support/stage.ts';

const buckets = [
  { from: 0, to: 1, fills: 9 },
  { from: 1, to: 4, fills: 5 },
  { from: 4, to: 6, fills: 6 },
  { from: 6, to: 9, fills: 5 },
];

async function jobsOf(named: boolean): Promise<ProfileJob[]> {
  const folder = await temporaryFolder();
  const duck = await openDuck({ threads: 1, memoryMb: 256, scratch: folder });
  try {
    // Wallet 2 is only ever a counterparty; addresses fall as numbers rise.
    await duck.run(`COPY (SELECT i::INTEGER AS wallet, 'ä' || (9 - i) AS address, CASE i WHEN 2 THEN 0 ELSE 2 END AS fills
      FROM range(9) t(i) ORDER BY i) TO ${quote(factFiles(folder).wallets)} (FORMAT parquet)`);
    const jobs: ProfileJob[] = [];
    for await (const job of profileJobs(duck, folder, buckets, named)) jobs.push(job);
    return jobs;
  } finally {
    duck.close();
  }
}

describe('the jobs of profiles', () => {
  it('are the buckets, those of most wallets first, and say which part each is', async () => {
    const jobs = await jobsOf(false);
    expect(jobs.map(({ part }) => part)).toEqual([1, 3, 2, 0]);
    for (const { bucket, part, wallets } of jobs) {
      expect(bucket).toBe(buckets[part]);
      expect(wallets).toBeUndefined();
    }
  });

  it('name wallets that traded, in order of their addresses', async () => {
    const [first] = await jobsOf(true);
    expect(first?.wallets).toEqual({
      numbers: Int32Array.of(3, 1),
      texts: new Uint8Array(Buffer.from('ä6ä8')),
      offsets: Uint32Array.of(0, 3, 6),
    });
  });
});
