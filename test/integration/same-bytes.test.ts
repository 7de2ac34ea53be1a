/** A small sweep of real stages gives the same bytes with one and four workers, and after any number of deaths. */
import { readdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { makeRng } from '../../src/random/rng.ts';
import { artifactHashes, type CliResult, fathom, type StoredManifest, workFolder } from '../support/cli.ts';

const experiment = await readFile(path.join(import.meta.dirname, '../support/small-sweep.yaml'), 'utf8');

async function folder(): Promise<string> {
  return workFolder({ 'e.yaml': experiment });
}

/** Where a run is, as its files show it: what it prints comes too seldom on a fast machine. */
interface View {
  readonly cwd: string;
  readonly sinceMs: number;
  /** 0 at the first try of this moment; each later one is on a fresh run. */
  readonly attempt: number;
}

type Moment = { readonly name: string; readonly reached: (view: View) => boolean };

function names(file: string): string[] {
  try {
    return readdirSync(file);
  } catch {
    return [];
  }
}

/** Folders of artifacts that are being made, each named by its task's identity. */
function staged(cwd: string): string[] {
  return names(path.join(cwd, 'results/store/staging'));
}

const rng = makeRng('kill moments', 1);
/** How long the undisturbed run took: moments are parts of it, since machines and versions of Node differ. */
let wholeMs = 0;
/** Identities of the tasks that train a network: two folds, four trials, two replicates, and the refits of the best. */
let networks = new Set<string>();

// Halved at every try, since the run that was timed may have had less of the machine than this one.
const later = (): Moment => {
  const part = 0.05 + 0.4 * rng.uniform();
  return {
    name: `${part.toFixed(2)} of the run`,
    reached: ({ sinceMs, attempt }) => sinceMs >= (part * wholeMs) / 2 ** attempt,
  };
};
const planning: Moment = {
  name: 'planning',
  reached: ({ cwd }) => names(path.join(cwd, 'results/small-sweep')).length > 0,
};
const writing: Moment = {
  name: 'writing',
  reached: ({ cwd }) => staged(cwd).some((name) => names(path.join(cwd, 'results/store/staging', name)).length > 0),
};
const training: Moment = {
  name: 'training',
  reached: ({ cwd }) => staged(cwd).some((name) => networks.has(name.slice(0, name.indexOf('.')))),
};
const moments = [planning, later(), writing, later(), training, later(), writing, later(), training, later()];

const attempts = 5;

/** Runs and kills at the moment; its signal is null if it ended before. */
async function killedAt(cwd: string, moment: Moment, attempt: number): Promise<CliResult> {
  let timer: NodeJS.Timeout | undefined;
  const result = await fathom(['run', 'e.yaml', '--no-report', '-w', '2'], {
    cwd,
    whileRunning: (child) => {
      const started = performance.now();
      timer = setInterval(() => {
        if (moment.reached({ cwd, sinceMs: performance.now() - started, attempt })) child.kill('SIGKILL');
      }, 1);
    },
  });
  clearInterval(timer);
  return result;
}

describe('the same bytes', () => {
  let undisturbed: Record<string, StoredManifest>;
  beforeAll(async () => {
    const cwd = await folder();
    const started = performance.now();
    expect((await fathom(['run', 'e.yaml', '--no-report', '-w', '1'], { cwd })).code).toBe(0);
    wholeMs = performance.now() - started;
    undisturbed = await artifactHashes(path.join(cwd, 'results'));
    expect(Object.keys(undisturbed)).toHaveLength(25);
    networks = new Set(Object.keys(undisturbed).filter((id) => undisturbed[id]?.use === 'train.mtl'));
    expect(networks.size).toBe(18);
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
      let result = await killedAt(cwd, moment, 0);
      // It came to its end before: the moment is tried on a fresh run.
      for (let attempt = 1; result.signal === null && attempt < attempts; attempt++) {
        expect(result.code).toBe(0);
        expect(await artifactHashes(path.join(cwd, 'results'))).toEqual(undisturbed);
        cwd = await folder();
        result = await killedAt(cwd, moment, attempt);
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
