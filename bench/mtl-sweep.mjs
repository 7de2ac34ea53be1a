/**
 * A sweep of 64 networks that differ in seed, rate and decay: CPU time of a step of one network, ours in one stack,
 * beside PyTorch one network after the other and stacked by hand. Then the same with two workers of half the networks.
 *
 *   make build
 *   python3 -m pip install --target .fathom/pip-bench torch
 *   node bench/mtl-sweep.mjs [core] [rounds]
 *   node bench/mtl-sweep.mjs workers            # the two workers alone
 */
import { fork } from 'node:child_process';
import os from 'node:os';
import { fileURLToPath } from 'node:url';
import { emptySums } from '../dist/models/mtl/losses.js';
import { networkStacks } from '../dist/models/mtl/network-stack.js';
import { initialWeights } from '../dist/models/mtl/stack.js';
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

const NETWORKS = 64;
/** Model-steps of each network that are measured at a time; three turns at batch 32. */
const steps = { 32: 48, 512: 16 };
/** Least times PyTorch's model-steps per CPU second, of the better of its two forms, that are good enough. */
const targets = { wasm: 2.3, openblas: 5 };

/** A stack of `networks` networks and a function that takes some steps of each; answers milliseconds a model-step. */
function makeOurs(batch, products, networks) {
  const rng = makeRng('bench');
  const stack = networkStacks(products).make({
    shape,
    networks,
    batchSize: batch,
    trainRows: ROWS,
    ...randomData(rng),
  });
  const numbers = Array.from({ length: networks }, (_, k) => k);
  for (const k of numbers) {
    const { parameters, running } = initialWeights(shape, stack.layout, makeRng('weights', k));
    stack.write(k, 'parameters', parameters);
    stack.write(k, 'running', running);
    stack.seedDropout(k, makeRng('dropout', k));
    stack.configure(k, {
      learningRate: 1e-4 * 100 ** (k / (NETWORKS - 1)),
      weightDecay: 1e-6 * 1000 ** (k / (NETWORKS - 1)),
      decoupled: false,
      clipNorm: 1,
      dropout,
      weights,
    });
  }
  const order = rng.shuffle(Uint32Array.from({ length: ROWS }, (_, i) => i));
  const orders = numbers.map(() => order);
  const batches = Math.floor(ROWS / batch);
  let next = 0;
  return (count) => {
    const began = process.cpuUsage();
    const start = performance.now();
    for (let done = 0; done < count; ) {
      const turn = Math.min(stack.turn, count - done, batches - next);
      const sums = numbers.map(() => emptySums(11));
      stack.train(numbers, orders, next, next + turn, sums);
      done += turn;
      next = (next + turn) % batches;
    }
    const each = count * networks;
    return { cpu: cpuMicroseconds(began) / 1e3 / each, wall: (performance.now() - start) / each };
  };
}

/** A process with `networks` networks that measures when it is told to. */
function startWorker(engine, batch, networks, core) {
  const child = fork(fileURLToPath(import.meta.url), ['worker', engine, String(batch), String(networks), core]);
  const answer = () => new Promise((resolve) => child.once('message', resolve));
  const ready = answer();
  return {
    ready,
    measure: (count) => {
      child.send(count);
      return answer();
    },
    stop: () => child.disconnect(),
  };
}

function work([engine, batch, networks, core]) {
  pinTo(core);
  const run = makeOurs(Number(batch), engines()[engine], Number(networks));
  run(16);
  process.on('message', (count) => process.send(run(count)));
  process.send('ready');
}

/**
 * Model-steps per second of two workers over one worker's, by wall time and by CPU time (what it would be if nobody else
 * were at work), and the load of the machine before.
 */
async function scaling(engine, batch, rounds) {
  const load = os.loadavg()[0];
  const one = startWorker(engine, batch, NETWORKS, '0');
  const halves = ['0', '1'].map((core) => startWorker(engine, batch, NETWORKS / 2, core));
  await Promise.all([one, ...halves].map(({ ready }) => ready));
  const gains = [];
  const byCpuTime = [];
  for (let round = 0; round < rounds; round++) {
    const alone = await one.measure(steps[batch]);
    const both = await Promise.all(halves.map((half) => half.measure(steps[batch])));
    // The slower half ends the sweep; a half makes half of the model-steps.
    gains.push(alone.wall / (Math.max(...both.map(({ wall }) => wall)) / 2));
    byCpuTime.push((2 * alone.cpu) / Math.max(...both.map(({ cpu }) => cpu)));
  }
  for (const worker of [one, ...halves]) worker.stop();
  return { gain: median(gains), byCpuTime: median(byCpuTime), load };
}

async function besidePytorch(core, rounds) {
  pinTo(core);
  const torch = startTorch('torch_sweep.py', core);
  const version = await torch.version;
  const products = engines();
  for (const batch of [32, 512]) {
    const ours = Object.keys(products).map((engine) => ({ engine, run: makeOurs(batch, products[engine], NETWORKS) }));
    const forms = ['sequential', 'stacked'];
    const times = Object.fromEntries([...forms, ...ours.map(({ engine }) => engine)].map((name) => [name, []]));
    for (const { run } of ours) run(4);
    for (const form of forms) await torch.measure(form, batch, 1);
    for (let round = 0; round < rounds; round++) {
      for (const { engine, run } of ours) times[engine].push(run(steps[batch] / 2).cpu);
      for (const form of forms) times[form].push(await torch.measure(form, batch, batch === 32 ? 4 : 1));
    }
    const peers = forms.map((form) => ({ name: `${version}, ${form}`, value: median(times[form]) }));
    peers.sort((a, b) => a.value - b.value);
    const best = peers[0].value;
    for (const { engine } of ours) {
      const own = median(times[engine]);
      say(
        `batch ${batch}, ${engine}: ${own.toFixed(3)} ms a model-step, ${(1000 / own).toFixed(0)} a CPU second; ${peers.map(({ name, value }) => `${name} ${value.toFixed(3)}`).join(', ')}: ${(best / own).toFixed(2)} times (target ${targets[engine]})`,
      );
      report({
        bench: 'mtl-sweep',
        measure: `CPU time of a model-step, ${NETWORKS} networks, batch ${batch}, ${engine}`,
        unit: 'ms',
        ours: own,
        targetRatio: 1 / targets[engine],
        peers,
      });
    }
  }
  torch.stop();
}

async function twoWorkers(rounds) {
  for (const engine of Object.keys(engines())) {
    const { gain, byCpuTime, load } = await scaling(engine, 32, rounds);
    const idle = load < 0.3 ? '' : `; the machine was not idle (load ${load.toFixed(1)})`;
    say(
      `batch 32, ${engine}: two workers make ${gain.toFixed(2)} times the model-steps of one, by CPU time ${byCpuTime.toFixed(2)} (target 1.8)${idle}`,
    );
    report({
      bench: 'mtl-sweep',
      measure: `wall time with two workers, of one worker's, batch 32, ${engine}${idle}`,
      unit: 'of it',
      ours: 1 / gain,
      target: 1 / 1.8,
      peers: [],
    });
  }
}

const [mode, ...rest] = process.argv.slice(2);
if (mode === 'worker') work(rest);
else {
  const rounds = Number(rest[0] ?? 3);
  if (mode !== 'workers') await besidePytorch(mode ?? String(os.availableParallelism() - 1), rounds);
  if (os.availableParallelism() > 1) await twoWorkers(rounds);
}
