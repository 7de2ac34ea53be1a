/**
 * CPU time of one training step of the multi-task network, ours beside PyTorch's, in turns on one core.
 *
 *   make build
 *   python3 -m pip install --target .fathom/pip-bench torch
 *   node bench/mtl-step.mjs [core] [rounds]
 */
import os from 'node:os';
import { Network } from '../dist/models/mtl/network.js';
import { Workspace } from '../dist/models/mtl/workspace.js';
import { makeRng } from '../dist/random/rng.js';
import {
  cpuMicroseconds,
  dropout,
  engines,
  pinTo,
  ROWS,
  randomData,
  shape,
  startTorch,
  weights,
} from './support/mtl.mjs';
import { median, report, say } from './support/report.mjs';

const core = process.argv[2] ?? String(os.availableParallelism() - 1);
const rounds = Number(process.argv[3] ?? 7);
/** Largest ratios that are good enough, to PyTorch as people write it and to its best form at that batch size. */
const targets = {
  wasm: { 32: [0.3, 0.47], 512: [1.1, 1.3] },
  openblas: { 32: [0.1, 0.16], 512: [0.32, 0.38] },
};
const forms = ['written', 'fused', 'compiled'];

function makeOurs(batch, products) {
  const rng = makeRng('bench');
  const network = new Network(new Workspace(shape, batch, products));
  network.initialise(rng);
  network.seedDropout(rng);
  const { features, targets } = randomData(rng);
  network.loadData(ROWS, features, targets);
  const order = rng.shuffle(Uint32Array.from({ length: ROWS }, (_, i) => i));
  const update = { learningRate: 1e-3, weightDecay: 1e-5, decoupled: false, clipNorm: 1 };
  return (steps) => {
    const began = process.cpuUsage();
    for (let step = 0; step < steps; step++) {
      const first = (step * batch) % (ROWS - batch);
      network.gradients(order.subarray(first, first + batch), { dropout, weights });
      network.update(update);
    }
    return cpuMicroseconds(began) / 1e3 / steps;
  };
}

pinTo(core);
const torch = startTorch('torch_mtl.py', core);
const version = await torch.version;
const products = engines();
for (const [batch, steps] of [
  [32, 200],
  [512, 24],
]) {
  const ours = Object.keys(products).map((engine) => ({ engine, step: makeOurs(batch, products[engine]) }));
  const times = Object.fromEntries([...forms, ...ours.map(({ engine }) => engine)].map((name) => [name, []]));
  // The first steps compile, and search for cuts.
  for (const { step } of ours) step(400);
  for (const form of forms) await torch.measure(form, batch, steps >> 2);
  for (let round = 0; round < rounds; round++) {
    for (const { engine, step } of ours) times[engine].push(step(steps));
    for (const form of forms) times[form].push(await torch.measure(form, batch, steps));
  }
  const [written, fused, compiled] = forms.map((form) => median(times[form]));
  const best = Number.isNaN(compiled) ? fused : Math.min(fused, compiled);
  const bestForm = `${best === fused ? 'eager' : 'compiled'}, fused Adam, one head product`;
  for (const { engine } of ours) {
    const own = median(times[engine]);
    const [toWritten, toBest] = targets[engine][batch];
    say(
      `batch ${batch}, ${engine}: ${own.toFixed(3)} ms a step; PyTorch eager ${written.toFixed(3)} (ratio ${(own / written).toFixed(3)}, target ${toWritten}), best form ${best.toFixed(3)} (${bestForm}; ratio ${(own / best).toFixed(3)}, target ${toBest})`,
    );
    const measure = `CPU time of a training step, batch ${batch}, ${engine}`;
    const row = { bench: 'mtl-step', unit: 'ms', ours: own };
    report({ ...row, measure, targetRatio: toWritten, peers: [{ name: `${version}, eager`, value: written }] });
    report({
      ...row,
      measure: `${measure}, to its best`,
      targetRatio: toBest,
      peers: [{ name: `${version}, ${bestForm}`, value: best }],
    });
  }
}
torch.stop();
