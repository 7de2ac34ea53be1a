/** The network of the benches mtl-step and mtl-sweep (37 -> 256 -> 256 -> 128 -> 11), its engines, and PyTorch beside it. */
import { execFileSync, spawn } from 'node:child_process';
import path from 'node:path';
import readline from 'node:readline';
import { Cuts } from '../../dist/models/mtl/cuts.js';
import { openblasProducts } from '../../dist/models/mtl/openblas.js';
import { loadOpenblas } from '../../dist/native/blas.js';
import { searchOpenblas } from '../../dist/native/openblas.js';
import { thisMachine } from '../../dist/native/system.js';
import { root, say } from './report.mjs';

/** Rows of data. */
export const ROWS = 16384;

export const shape = {
  inputs: 37,
  hidden: [256, 256, 128],
  heads: [
    { kind: 'tanh', outputs: 6 },
    ...['risk', 'profit', 'bot', 'sophistication'].map(() => ({ kind: 'sigmoid', outputs: 1 })),
    { kind: 'relu', outputs: 1 },
  ],
};
export const weights = [0.1, 0.15, 0.25, 0.25, 0.15, 0.1];
export const dropout = [0.3, 0.3, 0.3];

/** Random features and targets. */
export function randomData(rng) {
  return {
    features: Float32Array.from({ length: ROWS * 37 }, () => rng.normal()),
    targets: Float32Array.from({ length: ROWS * 11 }, () => rng.uniform()),
  };
}

/** CPU time of this process since `began` (or its start), user and system, in microseconds. */
export function cpuMicroseconds(began) {
  const { user, system } = process.cpuUsage(began);
  return user + system;
}

/** Engines that are here, by name: what does their products. */
export function engines() {
  const found = searchOpenblas(thisMachine());
  if (!found.found) {
    say(`${found.reason}: the engine openblas is left out`);
    return { wasm: undefined };
  }
  process.env.OPENBLAS_NUM_THREADS = '1';
  const openblas = loadOpenblas(found.path);
  say(`OpenBLAS ${openblas.version} with its kernels for ${openblas.core}`);
  return { wasm: undefined, openblas: openblasProducts(openblas, new Cuts(openblas, () => cpuMicroseconds())) };
}

/** Holds this process to one core. */
export function pinTo(core) {
  execFileSync('taskset', ['-a', '-p', '-c', core, String(process.pid)], { stdio: 'pipe' });
}

/** PyTorch in a process on one core: a program of bench/peers that answers each line with a number. */
export function startTorch(program, core) {
  const packages = path.join(root, '.fathom/pip-bench');
  const python = spawn('taskset', ['-c', core, 'python3', path.join(root, 'bench/peers', program)], {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: {
      ...process.env,
      PYTHONPATH: packages,
      PYTHONWARNINGS: 'ignore',
      OMP_NUM_THREADS: '1',
      CUDA_VISIBLE_DEVICES: '',
    },
  });
  const lines = readline.createInterface({ input: python.stdout })[Symbol.asyncIterator]();
  const next = async () => {
    const { value, done } = await lines.next();
    if (done) throw new Error('PyTorch stopped: is it installed in .fathom/pip-bench?');
    return value;
  };
  return {
    version: next(),
    measure: async (form, batch, steps) => {
      python.stdin.write(`${form} ${batch} ${steps}\n`);
      return Number(await next());
    },
    stop: () => python.stdin.end(),
  };
}
