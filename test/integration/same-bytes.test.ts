/** A small sweep of real stages gives the same bytes with one and four workers, and after any number of deaths. */
import { readdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { makeRng } from '../../src/random/rng.ts';
import { artifactHashes, type CliResult, fathom, workFolder } from '../support/cli.ts';

const experiment = await readFile(path.join(import.meta.dirname, '../support/small-sweep.yaml'), 'utf8');

async function folder(): Promise<string> {
  return workFolder({ 'e.yaml': experiment });
}

type Moment = { readonly name: string; readonly reached: (cwd: string, err: () => string, sinceMs: number) => boolean };

function names(file: string): string[] {
  try {
    return readdirSync(file);
  } catch {
    return [];
  }
}

/** True while some artifact is being made and has at least one file. */
function isWriting(cwd: string): boolean {
  const staging = path.join(cwd, 'results/store/staging');
  return names(staging).some((name) => names(path.join(staging, name)).length > 0);
}

const rng = makeRng('kill moments', 1);
/** How long the undisturbed run took: moments are parts of it, since machines and versions of Node differ. */
let wholeMs = 0;
const later = (): Moment => {
  const part = 0.05 + 0.4 * rng.uniform();
  return { name: `${part.toFixed(2)} of the run`, reached: (_cwd, _err, since) => since >= part * wholeMs };
};
const moments: Moment[] = [
  { name: 'planning', reached: (cwd) => names(path.join(cwd, 'results/small-sweep')).length > 0 },
  later(),
  { name: 'writing', reached: isWriting },
  later(),
  { name: 'training', reached: (_cwd, err) => /epochs|network/.test(err()) },
  later(),
  { name: 'writing', reached: isWriting },
  later(),
  { name: 'training', reached: (_cwd, err) => /epochs|network/.test(err()) },
  later(),
];

/** Runs and kills at the moment; true if it was killed before it ended. */
async function killedAt(cwd: string, moment: Moment): Promise<CliResult> {
  let timer: NodeJS.Timeout | undefined;
  const result = await fathom(['run', 'e.yaml', '--no-report', '-w', '2'], {
    cwd,
    whileRunning: (child) => {
      const started = performance.now();
      let err = '';
      child.stderr?.on('data', (text: string) => {
        err += text;
      });
      timer = setInterval(() => {
        if (moment.reached(cwd, () => err, performance.now() - started)) child.kill('SIGKILL');
      }, 1);
    },
  });
  clearInterval(timer);
  return result;
}

describe('the same bytes', () => {
  let undisturbed: Record<string, unknown>;
  beforeAll(async () => {
    const cwd = await folder();
    const started = performance.now();
    expect((await fathom(['run', 'e.yaml', '--no-report', '-w', '1'], { cwd })).code).toBe(0);
    wholeMs = performance.now() - started;
    undisturbed = await artifactHashes(path.join(cwd, 'results'));
    expect(Object.keys(undisturbed)).toHaveLength(25);
  }, 90_000);

  it('with four workers', async () => {
    const cwd = await folder();
    expect((await fathom(['run', 'e.yaml', '--no-report', '-w', '4'], { cwd })).code).toBe(0);
    expect(await artifactHashes(path.join(cwd, 'results'))).toEqual(undisturbed);
  }, 90_000);

  it('after SIGKILL at ten seeded moments, in planning, training and writing among them', async () => {
    let cwd = await folder();
    const killed: string[] = [];
    for (const moment of moments) {
      let result = await killedAt(cwd, moment);
      // It came to its end before: the moment is tried on a fresh run.
      if (result.signal === null) {
        expect(result.code).toBe(0);
        expect(await artifactHashes(path.join(cwd, 'results'))).toEqual(undisturbed);
        cwd = await folder();
        result = await killedAt(cwd, moment);
      }
      expect(result.signal).toBe('SIGKILL');
      killed.push(moment.name);
    }
    expect(killed).toHaveLength(10);
    const last = await fathom(['run', 'e.yaml', '--no-report', '-w', '2'], { cwd });
    expect(last.code).toBe(0);
    expect(last.err).not.toMatch(/\n\s+at .*\(/);
    expect(await artifactHashes(path.join(cwd, 'results'))).toEqual(undisturbed);
  }, 180_000);
});
