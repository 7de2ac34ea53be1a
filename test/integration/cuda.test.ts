/**
 * A sweep on the engine `cuda`, with the stand-in for the driver: the trials of a fold are trained as one stack in one
 * process, and each leaves the artifact that it leaves when it is trained alone.
 */
import { readdir, readFile, rm } from 'node:fs/promises';
import path from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { locateNvrtc } from '../../src/native/find-cuda.ts';
import { thisMachine } from '../../src/native/system.ts';
import { makeRng } from '../../src/random/rng.ts';
import { noCompiler, standIn } from '../models/mtl/cuda.ts';
import { artifactHashes, fathom, workFolder } from '../support/cli.ts';
import { buildKernels } from '../support/kernels.ts';

const nvrtc = locateNvrtc(thisMachine())?.path;
const why = noCompiler ?? (nvrtc === undefined ? 'left out: no NVRTC (`make nvrtc`)' : undefined);

const experiment = `name: stacked
question: Is a stack worth its networks?
seed: 3
stages:
  table:
    use: source.table
    path: rows.csv
    columns:
      - { name: a, type: number, role: feature }
      - { name: b, type: number, role: feature }
      - { name: c, type: number, role: feature }
      - { name: label, type: number, role: label }
  features: { use: features.frame, from: { table: table } }
  splits: { use: evaluation.split, from: { features: features }, scheme: k-fold, folds: 2 }
  network:
    use: train.mtl
    engine: cuda
    each: fold
    from: { features: features, splits: splits }
    heads: [{ target: label, kind: binary }]
    hidden: [8]
    batchSize: 16
    epochs: 4
    resamples: 20
sweep:
  stage: network
  metric: { name: validation.score, goal: maximize }
  space: { learningRate: { loguniform: [1.0e-3, 1.0e-2] }, dropout: { choice: [0, 0.3] } }
  sampler: { use: sobol, trials: 2 }
`;

function rows(): string {
  const rng = makeRng('rows');
  const lines = Array.from({ length: 120 }, () => {
    const [a, b, c] = [rng.normal(), rng.normal(), rng.normal()];
    return [a, b, c, a + 0.5 * rng.normal() > 0 ? 1 : 0].join(',');
  });
  return ['a,b,c,label', ...lines].join('\n');
}

describe.skipIf(why !== undefined)(
  `a sweep on a GPU that is stood in for${why === undefined ? '' : ` (${why})`}`,
  () => {
    let env: Record<string, string>;
    beforeAll(() => {
      buildKernels();
      const shape = { inputs: 3, hidden: [8], heads: [{ kind: 'binary' as const, outputs: 1 }] };
      env = { CUDA_LIB: standIn(shape, 16), CUDA_VISIBLE_DEVICES: '0', NVRTC_LIB: nvrtc ?? '' };
    });

    it('trains trials as stacks, and gives the bytes of networks trained alone', async () => {
      const cwd = await workFolder({ 'e.yaml': experiment, 'rows.csv': rows() });
      const { code, err } = await fathom(['run', 'e.yaml', '--no-report'], { cwd, env });
      expect(code, err).toBe(0);
      const stacked = await artifactHashes(path.join(cwd, 'results'));
      const run = path.join(cwd, 'results/stacked/latest');
      const log = await readFile(path.join(run, 'run.log'), 'utf8');
      expect(log).toMatch(/trained on stand-in/);
      const pids = await processesOf(path.join(cwd, 'results'));
      // 2 trials of two folds and their refits: one process for the one GPU.
      expect(pids.size).toBe(1);

      // One index after the other, as SLURM runs them: each network is alone.
      await rm(path.join(run, 'state'), { recursive: true });
      await rm(path.join(cwd, 'results/store'), { recursive: true });
      for (const round of (await readdir(path.join(run, 'plan'))).filter((name) => name.endsWith('.jsonl')).sort()) {
        const lines = (await readFile(path.join(run, 'plan', round), 'utf8')).trim().split('\n');
        for (const index of lines.keys()) {
          const at = ['--round', String(Number.parseInt(round, 10)), '--index', String(index)];
          const one = await fathom(['task', run, ...at], { cwd, env });
          expect(one.code, one.err).toBe(0);
        }
      }
      expect((await processesOf(path.join(cwd, 'results'))).size).toBeGreaterThan(1);
      expect(await artifactHashes(path.join(cwd, 'results'))).toEqual(stacked);
    }, 120_000);
  },
);

/** Processes that trained networks. */
async function processesOf(results: string): Promise<Set<number>> {
  const pids = new Set<number>();
  for (const name of await readdir(path.join(results, 'store'), { recursive: true }))
    if (name.endsWith('provenance.json')) {
      const { stage, pid } = JSON.parse(await readFile(path.join(results, 'store', name), 'utf8')) as {
        stage: string;
        pid: number;
      };
      if (stage === 'network') pids.add(pid);
    }
  return pids;
}
