/**
 * CPU time of one training step of the multi-task network (37 -> 256 -> 256 -> 128 -> 11), ours beside PyTorch eager,
 * in turns on one core.
 *
 *   make build
 *   python3 -m pip install --target .fathom/pip-bench torch
 *   node bench/mtl-step.mjs [core] [rounds]
 */
import { execFileSync, spawn } from 'node:child_process';
import os from 'node:os';
import path from 'node:path';
import readline from 'node:readline';
import { Network } from '../dist/models/mtl/network.js';
import { makeRng } from '../dist/random/rng.js';
import { median, report, root, say } from './support/report.mjs';

const core = process.argv[2] ?? String(os.availableParallelism() - 1);
const rounds = Number(process.argv[3] ?? 7);
const ROWS = 16384;
const TARGET_RATIO = 0.4;

const shape = {
  inputs: 37,
  hidden: [256, 256, 128],
  heads: [
    { kind: 'tanh', outputs: 6 },
    ...['risk', 'profit', 'bot', 'sophistication'].map(() => ({ kind: 'sigmoid', outputs: 1 })),
    { kind: 'relu', outputs: 1 },
  ],
};
const weights = [0.1, 0.15, 0.25, 0.25, 0.15, 0.1];

function makeOurs(batch) {
  const rng = makeRng('bench');
  const network = new Network(shape, batch);
  network.initialise(rng);
  network.seedDropout(rng);
  const features = Float32Array.from({ length: ROWS * 37 }, () => rng.normal());
  const targets = Float32Array.from({ length: ROWS * 11 }, () => rng.uniform());
  network.loadData(ROWS, features, targets);
  const order = rng.shuffle(Uint32Array.from({ length: ROWS }, (_, i) => i));
  const settings = { dropout: [0.3, 0.3, 0.3], weights };
  const update = { learningRate: 1e-3, weightDecay: 1e-5, decoupled: false, clipNorm: 1 };
  return (steps) => {
    const began = process.cpuUsage();
    for (let step = 0; step < steps; step++) {
      const first = (step * batch) % (ROWS - batch);
      network.gradients(order.subarray(first, first + batch), settings);
      network.update(update);
    }
    const { user, system } = process.cpuUsage(began);
    return (user + system) / 1e3 / steps;
  };
}

function startTorch() {
  const packages = path.join(root, '.fathom/pip-bench');
  const python = spawn('taskset', ['-c', core, 'python3', path.join(root, 'bench/peers/torch_mtl.py')], {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: { ...process.env, PYTHONPATH: packages, OMP_NUM_THREADS: '1', CUDA_VISIBLE_DEVICES: '' },
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

execFileSync('taskset', ['-a', '-p', '-c', core, String(process.pid)], { stdio: 'pipe' });
const torch = startTorch();
const version = await torch.version;
for (const [batch, steps] of [
  [32, 200],
  [512, 24],
]) {
  const ours = makeOurs(batch);
  const times = { ours: [], written: [], best: [] };
  ours(steps);
  for (const form of ['written', 'best']) await torch.measure(form, batch, steps >> 2);
  for (let round = 0; round < rounds; round++) {
    times.ours.push(ours(steps));
    for (const form of ['written', 'best']) times[form].push(await torch.measure(form, batch, steps));
  }
  const [own, written, best] = [times.ours, times.written, times.best].map(median);
  say(`batch ${batch}: ${own.toFixed(3)} ms a step; PyTorch eager ${written.toFixed(3)}, best form ${best.toFixed(3)}`);
  report({
    bench: 'mtl-step',
    measure: `CPU time of a training step, batch ${batch}`,
    unit: 'ms',
    ours: own,
    targetRatio: batch === 32 ? TARGET_RATIO : null,
    peers: [
      { name: `${version}, eager`, value: written },
      { name: `${version}, its best form`, value: best },
    ],
  });
}
torch.stop();
