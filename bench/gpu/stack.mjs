/**
 * Model-steps a second of stacks on this machine's GPU, beside what was predicted before anything was measured (for an
 * H200; docs/benchmarks.md says how). FP32, TF32 off, in every row.
 */
import path from 'node:path';
import { pathToFileURL } from 'node:url';

const dist = path.resolve(import.meta.dirname, '../../dist');
const load = (file) => import(pathToFileURL(path.join(dist, file)).href);
const { requireCuda } = await load('native/find-cuda.js');
const { cudaStacks } = await load('models/mtl/cuda/engine.js');
const { layoutOf } = await load('models/mtl/layout.js');
const { emptySums } = await load('models/mtl/losses.js');
const { initialWeights } = await load('models/mtl/stack.js');
const { makeRng } = await load('random/rng.js');

const PREDICTED = {
  32: { 1: 22e3, 16: 330e3, 64: 640e3, 256: 730e3, 512: 740e3 },
  512: { 1: 9e3, 16: 70e3, 64: 71e3, 256: 73e3, 512: 73e3 },
};
const SECONDS = Number(process.env.SECONDS_A_ROW ?? 0.5);
const DATA_ROWS = 20_000;

const shape = {
  inputs: 37,
  hidden: [256, 256, 128],
  heads: [
    { kind: 'tanh', outputs: 6 },
    ...Array(4).fill({ kind: 'sigmoid', outputs: 1 }),
    { kind: 'relu', outputs: 1 },
  ],
};
const { driver, nvrtc } = requireCuda();
const { cuda, ...stacks } = cudaStacks(driver, nvrtc);
const layout = layoutOf(shape);
const rng = makeRng('bench');
const features = Float32Array.from({ length: DATA_ROWS * shape.inputs }, () => rng.normal());
const targets = Float32Array.from({ length: DATA_ROWS * 11 }, () => rng.uniform());
const order = makeRng('order').shuffle(Uint32Array.from({ length: DATA_ROWS }, (_, i) => i));
const settings = {
  learningRate: 1e-3,
  weightDecay: 1e-5,
  decoupled: false,
  clipNorm: 1,
  dropout: [0.3, 0.3, 0],
  weights: [1, 1, 1, 1, 1, 1],
};

const rows = [];
for (const batchSize of [32, 512])
  for (const networks of [1, 16, 64, 256, 512]) {
    const request = { shape, networks, batchSize, trainRows: DATA_ROWS, features, targets };
    if (stacks.capacity(request) < networks) {
      rows.push({ batch: batchSize, networks, 'model-steps/s': 'does not fit' });
      continue;
    }
    const stack = stacks.make(request);
    const all = Array.from({ length: networks }, (_, k) => k);
    for (const k of all) {
      const { parameters, running } = initialWeights(shape, layout, makeRng('weights', k));
      stack.write(k, 'parameters', parameters);
      stack.write(k, 'running', running);
      stack.configure(k, settings);
      stack.seedDropout(k, makeRng('dropout', k));
    }
    const batches = Math.floor(DATA_ROWS / batchSize);
    const turn = Math.min(batches, 256);
    const sums = all.map(() => emptySums(11));
    const go = () =>
      stack.train(
        all,
        all.map(() => order),
        0,
        turn,
        sums,
      );
    go();
    const times = [];
    const began = performance.now();
    while (times.length < 3 || performance.now() - began < SECONDS * 1000) {
      const start = performance.now();
      go();
      times.push((performance.now() - start) / turn);
    }
    times.sort((a, b) => a - b);
    const msPerStep = times[Math.floor(times.length / 2)];
    const perSecond = (networks / msPerStep) * 1000;
    const predicted = PREDICTED[batchSize][networks];
    rows.push({
      batch: batchSize,
      networks,
      TF32: 'off',
      'us/step': (msPerStep * 1000).toFixed(1),
      'model-steps/s': Math.round(perSecond),
      predicted,
      'measured/predicted': (perSecond / predicted).toFixed(2),
      // Weights, gradient and both moments, once each way.
      'GB/s of the floor': ((8 * 4 * layout.trained * perSecond) / 1e9).toFixed(0),
    });
    stack.free();
  }
console.log(
  `${cuda.name}, ${cuda.multiprocessors} multiprocessors, L2 ${(cuda.l2Bytes / 1e6).toFixed(0)} MB, driver for CUDA ${cuda.driverVersion}`,
);
console.table(rows);
console.log(JSON.stringify(rows));
cuda.close();
