import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { artifactHashes, type CliResult, fathom, workFolder } from '../support/cli.ts';

const slow = `name: slow
stages:
  folds: { use: test.folds, folds: 4 }
  fit: { use: test.fit, from: { splits: folds }, each: fold, steps: 12, stepMs: 30 }
  native: { use: test.die, how: none }
  sum: { use: test.gather, from: { parts: fit } }
`;

async function run(cwd: string, signalAfterMs?: number, signal: NodeJS.Signals = 'SIGTERM'): Promise<CliResult> {
  return fathom(['run', 'e.yaml', '--no-report', '-w', '2'], {
    cwd,
    whileRunning: (child) => {
      if (signalAfterMs !== undefined) setTimeout(() => child.kill(signal), signalAfterMs);
    },
  });
}

/** Sends the signal once some task has saved a checkpoint: then there is something to continue. */
async function interrupted(cwd: string, signal: NodeJS.Signals): Promise<CliResult> {
  let timer: NodeJS.Timeout | undefined;
  const result = await fathom(['run', 'e.yaml', '--no-report', '-w', '2'], {
    cwd,
    whileRunning: (child) => {
      timer = setInterval(() => {
        if (!existsSync(path.join(cwd, 'results/store/checkpoints'))) return;
        child.kill(signal);
        clearInterval(timer);
      }, 5);
    },
  });
  clearInterval(timer);
  return result;
}

describe('interruption', () => {
  let undisturbed: Record<string, unknown>;
  beforeAll(async () => {
    const cwd = await workFolder({ 'e.yaml': slow });
    expect((await run(cwd)).code).toBe(0);
    undisturbed = await artifactHashes(path.join(cwd, 'results'));
  });

  it.each(['SIGINT', 'SIGTERM'] as const)('%s saves, says how to go on, and the next run continues', async (signal) => {
    const cwd = await workFolder({ 'e.yaml': slow });
    const first = await interrupted(cwd, signal);
    expect(first.code).toBe(75);
    expect(first.err).toContain(`${signal}: saving and stopping`);
    expect(first.err).toContain('the same command continues');
    expect(first.err).not.toMatch(/\n\s+at .*\(/);
    const status = JSON.parse((await fathom(['status', 'e.yaml', '--json'], { cwd })).out);
    expect(status.failed).toBe(0);
    expect(status.interrupted).toBeGreaterThan(0);
    expect(await readdir(path.join(cwd, 'results/store/checkpoints'))).not.toHaveLength(0);
    const second = await run(cwd);
    expect(second.code).toBe(0);
    expect(await artifactHashes(path.join(cwd, 'results'))).toEqual(undisturbed);
    expect(await readdir(path.join(cwd, 'results/store/checkpoints'))).toHaveLength(0);
  });

  it('SIGKILL leaves nothing that the next run trips over', async () => {
    const cwd = await workFolder({ 'e.yaml': slow });
    for (const after of [250, 420, 700, 900]) {
      const killed = await run(cwd, after, 'SIGKILL');
      expect([null, 0]).toContain(killed.code);
    }
    expect((await run(cwd)).code).toBe(0);
    expect(await artifactHashes(path.join(cwd, 'results'))).toEqual(undisturbed);
  });

  it('two runs at once both end well and agree', async () => {
    const cwd = await workFolder({ 'e.yaml': slow });
    const [a, b] = await Promise.all([run(cwd), run(cwd)]);
    expect([a.code, b.code]).toEqual([0, 0]);
    expect(await artifactHashes(path.join(cwd, 'results'))).toEqual(undisturbed);
  });
});
