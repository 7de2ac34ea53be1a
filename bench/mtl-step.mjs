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
import { Cuts } from '../dist/models/mtl/cuts.js';
import { Network } from '../dist/models/mtl/network.js';
import { openblasProducts } from '../dist/models/mtl/openblas.js';
import { Workspace } from '../dist/models/mtl/workspace.js';
import { loadOpenblas } from '../dist/native/blas.js';
import { searchOpenblas } from '../dist/native/openblas.js';
import { thisMachine } from '../dist/native/system.js';
import { makeRng } from '../dist/random/rng.js';
import { median, report, root, say } from './support/report.mjs';

const core = process.argv[2] ?? String(os.availableParallelism() - 1);
const rounds = Number(process.argv[3] ?? 7);
const ROWS = 16384;
/** Largest ratio to eager PyTorch that is good enough, by engine and batch size. */
const targets = { wasm: { 32: 0.4 }, openblas: { 32: 0.1, 512: 0.32 } };

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

const cpuMicroseconds = (began) => {
  const { user, system } = process.cpuUsage(began);
  return user + system;
};

/** Engines that are here, by name: what does their products. */
function engines() {
  const found = searchOpenblas(thisMachine());
  if (!found.found) {
    say(`${found.reason}: the engine openblas is left out`);
    return { wasm: undefined };
  }
  process.env.OPENBLAS_NUM_THREADS = '1';
  const openblas = loadOpenblas(found.path);
  const cuts = new Cuts(openblas, () => cpuMicroseconds());
  return { wasm: undefined, openblas: openblasProducts(openblas, cuts) };
}

function makeOurs(batch, products) {
  const rng = makeRng('bench');
  const network = new Network(new Workspace(shape, batch, products));
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
    return cpuMicroseconds(began) / 1e3 / steps;
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
  const ours = Object.entries(engines()).map(([engine, products]) => ({ engine, step: makeOurs(batch, products) }));
  const times = { written: [], best: [], ...Object.fromEntries(ours.map(({ engine }) => [engine, []])) };
  for (const { step } of ours) step(steps);
  for (const form of ['written', 'best']) await torch.measure(form, batch, steps >> 2);
  for (let round = 0; round < rounds; round++) {
    for (const { engine, step } of ours) times[engine].push(step(steps));
    for (const form of ['written', 'best']) times[form].push(await torch.measure(form, batch, steps));
  }
  const [written, best] = [times.written, times.best].map(median);
  for (const { engine } of ours) {
    const own = median(times[engine]);
    say(
      `batch ${batch}, ${engine}: ${own.toFixed(3)} ms a step; PyTorch eager ${written.toFixed(3)}, best form ${best.toFixed(3)}`,
    );
    report({
      bench: 'mtl-step',
      measure: `CPU time of a training step, batch ${batch}, ${engine}`,
      unit: 'ms',
      ours: own,
      targetRatio: targets[engine][batch] ?? null,
      peers: [
        { name: `${version}, eager`, value: written },
        { name: `${version}, its best form`, value: best },
      ],
    });
  }
}
torch.stop();
