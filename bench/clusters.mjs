/**
 * CPU time of k-means, principal components and isolation forests on 100,000 x 13, ours beside scikit-learn in turns on
 * one core, with inertia, explained variance and area under the ROC curve beside the times.
 *
 *   make build
 *   python3 -m pip install --target .fathom/pip-scikit scikit-learn
 *   node bench/clusters.mjs [rounds]
 */
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import readline from 'node:readline';
import { growForest, scoresOf } from '../dist/models/anomalies/isolation-forest.js';
import { kMeans } from '../dist/models/clusters/k-means.js';
import { KMeansFitter } from '../dist/models/clusters/k-means-fitter.js';
import { Cuts } from '../dist/models/mtl/cuts.js';
import { openblasProducts } from '../dist/models/mtl/openblas.js';
import { loadOpenblas } from '../dist/native/blas.js';
import { searchOpenblas } from '../dist/native/openblas.js';
import { thisMachine } from '../dist/native/system.js';
import { principalComponents, scoresOn } from '../dist/projections/pca.js';
import { openblasComponents } from '../dist/projections/pca-openblas.js';
import { makeRng } from '../dist/random/rng.js';
import { median, report, root, say } from './support/report.mjs';

const rounds = Number(process.argv[2] ?? 5);
const [ROWS, COLUMNS] = [100_000, 13];
const [WIDE_ROWS, WIDE_COLUMNS] = [5000, 500];

/** 24 groups that overlap, and every hundredth row from a wider cloud: the anomalies. */
function makeRows() {
  const rng = makeRng('bench clusters');
  const centres = Array.from({ length: 24 }, () => Array.from({ length: COLUMNS }, () => 1.6 * rng.normal()));
  const rows = new Float32Array(ROWS * COLUMNS);
  for (let i = 0; i < ROWS; i++) {
    const centre = centres[rng.below(24)];
    for (let c = 0; c < COLUMNS; c++)
      rows[i * COLUMNS + c] = i % 100 === 99 ? 4 * rng.normal() : centre[c] + rng.normal();
  }
  return rows;
}

/** 40 directions and noise. */
function makeWide() {
  const rng = makeRng('bench wide');
  const directions = Array.from({ length: 40 * WIDE_COLUMNS }, () => rng.normal());
  const wide = new Float32Array(WIDE_ROWS * WIDE_COLUMNS);
  for (let i = 0; i < WIDE_ROWS; i++) {
    const weights = Array.from({ length: 40 }, () => rng.normal());
    for (let c = 0; c < WIDE_COLUMNS; c++) {
      let sum = 0.5 * rng.normal();
      for (let d = 0; d < 40; d++) sum += weights[d] * directions[d * WIDE_COLUMNS + c];
      wide[i * WIDE_COLUMNS + c] = sum;
    }
  }
  return wide;
}

const folder = mkdtempSync(path.join(os.tmpdir(), 'fathom-clusters-'));
const rows = makeRows();
const wide = makeWide();
writeFileSync(path.join(folder, 'rows.f32'), rows);
writeFileSync(path.join(folder, 'wide.f32'), wide);
writeFileSync(path.join(folder, 'starts.f32'), rows.subarray(0, 20 * COLUMNS));
const points = { rows: ROWS, columns: COLUMNS, values: Float64Array.from(rows) };
const wideTable = { rows: WIDE_ROWS, columns: WIDE_COLUMNS, values: Float64Array.from(wide) };

function measured(work) {
  const began = process.cpuUsage();
  const result = work();
  const { user, system } = process.cpuUsage(began);
  return { milliseconds: (user + system) / 1e3, ...result };
}

function startPeer() {
  const packages = path.join(root, '.fathom/pip-scikit');
  if (!existsSync(packages))
    throw new Error(`no scikit-learn: python3 -m pip install --target ${packages} scikit-learn`);
  const python = spawn('python3', [path.join(root, 'bench/peers/scikit_clusters.py'), folder], {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: { ...process.env, PYTHONPATH: packages },
  });
  const lines = readline.createInterface({ input: python.stdout })[Symbol.asyncIterator]();
  const next = async () => {
    const { value, done } = await lines.next();
    if (done) throw new Error('scikit-learn stopped');
    return JSON.parse(value);
  };
  return {
    version: next().then(({ version }) => version),
    run: (task) => {
      python.stdin.write(`${task}\n`);
      return next();
    },
    stop: () => python.stdin.end(),
  };
}

const forestOptions = { trees: 100, sampleSize: 256 };

/** Chance that a planted row scores above another. */
function areaOf(scores) {
  const order = Int32Array.from(scores, (_, i) => i).sort((a, b) => scores[a] - scores[b]);
  let ranks = 0;
  for (const [rank, row] of order.entries()) if (row % 100 === 99) ranks += rank + 1;
  const planted = ROWS / 100;
  return (ranks - (planted * (planted + 1)) / 2) / (planted * (ROWS - planted));
}

/** One fitter for all rounds: rows are packed anew each time, the memory is used again. */
const fitter = new KMeansFitter();
const openblas = searchOpenblas(thisMachine());
process.env.OPENBLAS_NUM_THREADS = '1';

function blasFitter() {
  const library = loadOpenblas(openblas.path);
  return new KMeansFitter(openblasProducts(library, new Cuts(library, () => process.cpuUsage().user)));
}

function lloyd(k, iterations, fitter) {
  return () => {
    fitter.load({ ...points });
    const run = fitter.lloyd(points.values.slice(0, k * COLUMNS), iterations);
    return { quality: run.inertia, iterations: run.iterations };
  };
}

const first = (shares) => shares[0];
const withBlas = openblas.found ? blasFitter() : undefined;

const cases = [
  {
    measure: 'k-means, k = 8, to convergence',
    target: 0.6,
    tasks: ['kmeans 8 300 float32'],
    ours: lloyd(8, 300, fitter),
  },
  {
    measure: 'k-means, k = 20, to convergence',
    target: 0.6,
    tasks: ['kmeans 20 300 float32'],
    ours: lloyd(20, 300, fitter),
  },
  {
    measure: 'k-means, k = 20, 20 iterations',
    target: 1.2,
    tasks: ['kmeans 20 20 float32'],
    ours: lloyd(20, 20, fitter),
  },
  ...(withBlas === undefined
    ? []
    : [
        {
          measure: 'k-means, k = 8, to convergence, openblas',
          target: 0.25,
          tasks: ['kmeans 8 300 float32'],
          ours: lloyd(8, 300, withBlas),
        },
        {
          measure: 'k-means, k = 20, to convergence, openblas',
          target: 0.25,
          tasks: ['kmeans 20 300 float32'],
          ours: lloyd(20, 300, withBlas),
        },
        {
          measure: 'k-means, k = 20, 20 iterations, openblas',
          target: 0.5,
          tasks: ['kmeans 20 20 float32'],
          ours: lloyd(20, 20, withBlas),
        },
      ]),
  {
    measure: 'k-means++ and k-means, k = 8',
    tasks: ['kmeans++ 8 1'],
    ours: () => {
      const { inertia, iterations } = kMeans(points, 8, { starts: 1, maxIterations: 300 }, makeRng('bench', 1));
      return { quality: inertia, iterations };
    },
  },
  {
    measure: 'isolation forest, fit and scores',
    target: 0.33,
    tasks: ['forest 1'],
    ours: () => ({ scores: scoresOf(growForest(points, forestOptions, makeRng('bench', 1)), points) }),
    quality: ({ scores }) => areaOf(scores),
  },
  {
    measure: 'principal components, fit',
    target: 0.4,
    repeat: 10,
    tasks: ['pca rows float64 5 fit', 'pca rows float32 5 fit'],
    ours: () => ({ quality: first(principalComponents(points, 5).shares) }),
  },
  {
    measure: 'principal components, fit and scores',
    repeat: 10,
    tasks: ['pca rows float64 5 scores', 'pca rows float32 5 scores'],
    ours: () => {
      const components = principalComponents(points, 5);
      scoresOn(components, points);
      return { quality: first(components.shares) };
    },
  },
  ...(openblas.found
    ? [
        {
          measure: 'principal components, 5,000 x 500, openblas',
          target: 0.9,
          repeat: 3,
          tasks: ['pca wide float64 5 fit', 'pca wide float32 5 fit'],
          ours: () => {
            const find = openblasComponents(loadOpenblas(openblas.path));
            return { quality: first(find(wideTable, 5).shares) };
          },
        },
      ]
    : []),
  {
    measure: 'principal components, 5,000 x 500, wasm',
    tasks: ['pca wide float64 5 fit'],
    ours: () => ({ quality: first(principalComponents(wideTable, 5).shares) }),
  },
];

const peer = startPeer();
const version = await peer.version;
for (const { measure, target, tasks, ours, quality, repeat = 1 } of cases) {
  const times = [[], ...tasks.map(() => [])];
  const found = [];
  for (let round = -1; round < rounds; round++) {
    let own = 0;
    for (let r = 0; r < repeat; r++) {
      const result = measured(ours);
      own += result.milliseconds / repeat;
      found[0] = result;
    }
    if (round >= 0) times[0].push(own);
    for (const [t, task] of tasks.entries()) {
      let theirs = 0;
      for (let r = 0; r < repeat; r++) {
        const result = await peer.run(task);
        theirs += result.milliseconds / repeat;
        found[t + 1] = result;
      }
      if (round >= 0) times[t + 1].push(theirs);
    }
  }
  const [own, ...theirs] = times.map(median);
  const qualityOf = (result) => {
    const value = quality !== undefined && result.quality === undefined ? quality(result) : [result.quality].flat()[0];
    return `${value >= 1e4 ? value.toFixed(0) : value.toFixed(6)}${result.iterations === undefined ? '' : ` after ${result.iterations} iterations`}`;
  };
  say(`${measure}: ${own.toFixed(2)} ms, ${qualityOf(found[0])}`);
  for (const [t, task] of tasks.entries())
    say(
      `  ${version} ${task}: ${theirs[t].toFixed(2)} ms, ${qualityOf(found[t + 1])}; ratio ${(own / theirs[t]).toFixed(2)}`,
    );
  report({
    bench: 'clusters',
    measure: `CPU time, ${measure}`,
    unit: 'ms',
    ours: own,
    targetRatio: target ?? null,
    peers: tasks.map((task, t) => ({
      name: `${version}${/float\d+/.test(task) ? `, ${/float\d+/.exec(task)[0]}` : ''}`,
      value: theirs[t],
    })),
  });
}
peer.stop();
rmSync(folder, { recursive: true });
