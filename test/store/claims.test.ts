import { readdir, readFile, stat, utimes, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Claimant, type ClaimEffects, makeClaimant, STALE_AFTER_MS } from '../../src/store/claims.ts';
import { temporaryFolder } from '../support/stage.ts';

const task = 'a'.repeat(32);

function refuse(code: string): () => Promise<void> {
  return () => Promise.reject(Object.assign(new Error(code), { code }));
}

describe.each([
  ['as hard links', {}],
  ['as files of their own, where there are no links', { link: refuse('EPERM') }],
])('claims %s', (_how, how: Pick<ClaimEffects, 'link'>) => {
  let folder: string;
  let file: string;
  const living = new Set<number>();
  const made: Claimant[] = [];
  const claimant = (host: string, pid: number, now = (): number => Date.now()): Claimant => {
    living.add(pid);
    const one = makeClaimant(folder, { host, pid }, { now, alive: (other) => living.has(other), ...how });
    made.push(one);
    return one;
  };
  beforeEach(async () => {
    folder = path.join(await temporaryFolder(), 'store/claims');
    file = path.join(folder, task);
    living.clear();
  });
  afterEach(async () => {
    for (const one of made.splice(0)) await one.close();
  });

  it('go to one of many that ask at once', async () => {
    const all = Array.from({ length: 8 }, (_, pid) => claimant('here', 100 + pid));
    const got = await Promise.all(all.map((one) => one.tryClaim(task)));
    expect(got.filter((claim) => claim !== undefined)).toHaveLength(1);
  });

  it('are free again once released, and leave nothing', async () => {
    const [first, second] = [claimant('here', 1), claimant('here', 2)];
    const claim = await first.tryClaim(task);
    expect(claim?.takenOver).toBe(false);
    expect(await second.tryClaim(task)).toBeUndefined();
    expect(JSON.parse(await readFile(file, 'utf8'))).toEqual({ host: 'here', pid: 1 });
    await claim?.release();
    const next = await second.tryClaim(task);
    expect(next?.takenOver).toBe(false);
    await next?.release();
    for (const one of made.splice(0)) await one.close();
    expect(await readdir(folder)).toEqual([]);
  });

  it('are one a task', async () => {
    const [first, second] = [claimant('here', 1), claimant('here', 2)];
    expect(await first.tryClaim(task)).toBeDefined();
    expect(await second.tryClaim('b'.repeat(32))).toBeDefined();
  });

  it('pass from a process that is gone', async () => {
    await claimant('here', 1).tryClaim(task);
    living.delete(1);
    expect((await claimant('here', 2).tryClaim(task))?.takenOver).toBe(true);
    expect(JSON.parse(await readFile(file, 'utf8'))).toEqual({ host: 'here', pid: 2 });
  });

  it('say nothing of processes of another host', async () => {
    await claimant('there', 1).tryClaim(task);
    living.delete(1);
    expect(await claimant('here', 2).tryClaim(task)).toBeUndefined();
  });

  it.each(['here', 'there'])('pass from a process of host %s whose heart has stopped', async (host) => {
    await claimant(host, 1).tryClaim(task);
    const at = (await stat(file)).mtimeMs;
    const other = claimant('here', 2, () => at + STALE_AFTER_MS - 1);
    expect(await other.tryClaim(task)).toBeUndefined();
    expect((await claimant('here', 3, () => at + STALE_AFTER_MS + 1).tryClaim(task))?.takenOver).toBe(true);
  });

  it('stay with whoever is writing one right now, or wrote nonsense, until that is old', async () => {
    const one = claimant('here', 2);
    await (await one.tryClaim('other'))?.release();
    for (const text of ['', '{"host":"he', 'null']) {
      await writeFile(file, text);
      expect(await one.tryClaim(task)).toBeUndefined();
    }
    const old = new Date(Date.now() - STALE_AFTER_MS - 1000);
    await utimes(file, old, old);
    expect(await one.tryClaim(task)).toBeDefined();
  });

  it('may be released after another has taken them over', async () => {
    const claim = await claimant('here', 1).tryClaim(task);
    living.delete(1);
    const over = await claimant('here', 2).tryClaim(task);
    await over?.release();
    await claim?.release();
    expect((await readdir(folder)).filter((name) => name === task)).toEqual([]);
  });
});

it('an error that is not the want of links is an error', async () => {
  const folder = path.join(await temporaryFolder(), 'file');
  await writeFile(folder, '');
  const one = makeClaimant(path.join(folder, 'claims'), { host: 'here', pid: 1 }, { now: Date.now, alive: () => true });
  await expect(one.tryClaim(task)).rejects.toMatchObject({ code: expect.stringMatching(/ENOTDIR|EEXIST/) });
  await one.close();
});
