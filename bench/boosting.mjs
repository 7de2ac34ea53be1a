/**
 * CPU time of boosting through our binding beside XGBoost's own Python package with the same library, in turns on one
 * core: 100,000 rows x 20 features, histograms, depth 6, 100 rounds, one thread. Both make the matrix, train, evaluate
 * the training loss of each round, and predict; the predictions must agree bit by bit. Then the matrix alone, from
 * columns in place and by way of a row-major copy, and the memory that each takes.
 *
 *   make build && scripts/setup-native.sh xgboost python-test
 *   node bench/boosting.mjs [core] [rounds]
 */
import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import readline from 'node:readline';
import { Booster } from '../dist/models/boosting/booster.js';
import { makeMatrix } from '../dist/models/boosting/matrix.js';
import { train } from '../dist/models/boosting/train.js';
import { loadXgboost } from '../dist/models/boosting/xgboost-c.js';
import { requireXgboost } from '../dist/native/find.js';
import { makeRng } from '../dist/random/rng.js';
import { median, report, root, say } from './support/report.mjs';

const [ROWS, WIDTH, BOOSTS] = [100_000, 20, 100];
const MATRICES = 10;
/** Largest ratio to Python that is good enough. */
const TARGET = 1.02;
const parameters = {
  objective: 'binary:logistic',
  eval_metric: 'logloss',
  tree_method: 'hist',
  device: 'cpu',
  max_depth: 6,
  learning_rate: 0.1,
  nthread: 1,
  seed: 7,
};

/** Columns with planted interactions and some missing values, and labels. */
function makeData(rows) {
  const rng = makeRng('boosting bench');
  const columns = Array.from({ length: WIDTH }, (_, f) =>
    Float32Array.from({ length: rows }, (_, i) => (f === 3 && i % 50 === 0 ? Number.NaN : rng.normal())),
  );
  const [a, b, c] = columns;
  const labels = Float32Array.from({ length: rows }, (_, i) => Number(a[i] * b[i] + c[i] + rng.normal() > 0));
  return { columns, labels, rows, featureNames: columns.map((_, f) => `f${f}`) };
}

const cpuMilliseconds = (began) => {
  const { user, system } = process.cpuUsage(began);
  return (user + system) / 1e3;
};

async function ourTraining(xgboost, data) {
  const began = process.cpuUsage();
  const training = makeMatrix(xgboost, data, 1);
  const { booster } = await train(xgboost, { parameters, rounds: BOOSTS, earlyStoppingRounds: 0, training });
  const predicted = booster.predict(training, 0);
  const milliseconds = cpuMilliseconds(began);
  booster.free();
  training.free();
  return { milliseconds, predicted };
}

/** The same without the losses. */
function ourSilent(xgboost, data) {
  const began = process.cpuUsage();
  const training = makeMatrix(xgboost, data, 1);
  const booster = Booster.create(xgboost, parameters, [training]);
  for (let round = 0; round < BOOSTS; round++) booster.update(round, training);
  booster.predict(training, 0);
  const milliseconds = cpuMilliseconds(began);
  booster.free();
  training.free();
  return milliseconds;
}

function ourMatrices(xgboost, data, layout) {
  const began = process.cpuUsage();
  for (let i = 0; i < MATRICES; i++) makeMatrix(xgboost, data, 1, layout).free();
  return cpuMilliseconds(began) / MATRICES;
}

function startPython(folder, core) {
  const native = path.join(root, '.fathom/native');
  const python = spawn(
    'taskset',
    ['-c', core, 'python3', path.join(root, 'bench/peers/xgboost_train.py'), folder, String(ROWS)],
    {
      stdio: ['pipe', 'pipe', 'inherit'],
      env: { ...process.env, PYTHONPATH: `${native}/python:${native}/python-test`, OMP_NUM_THREADS: '1' },
    },
  );
  const lines = readline.createInterface({ input: python.stdout })[Symbol.asyncIterator]();
  const next = async () => {
    const { value, done } = await lines.next();
    if (done) throw new Error('Python stopped: run scripts/setup-native.sh xgboost python-test');
    return JSON.parse(value);
  };
  return {
    started: next(),
    measure: async (what, count) => {
      python.stdin.write(`${what} ${count}\n`);
      return (await next()).milliseconds;
    },
    stop: () => python.stdin.end(),
  };
}

/** Peak of resident memory, in MB above what the columns themselves take, while a matrix is made. Runs in a child. */
function matrixMemory(layout) {
  const text = execFileSync(process.execPath, [import.meta.filename, 'memory', layout], { encoding: 'utf8' });
  return Number(text);
}

if (process.argv[2] === 'memory') {
  const xgboost = loadXgboost(requireXgboost().path);
  const data = makeData(10 * ROWS);
  const peak = (name) => Number(new RegExp(`${name}:\\s+(\\d+)`).exec(readFileSync('/proc/self/status', 'utf8'))[1]);
  makeMatrix(
    xgboost,
    { ...data, rows: 9, columns: data.columns.map((c) => c.subarray(0, 9)), labels: data.labels.subarray(0, 9) },
    1,
  ).free();
  globalThis.gc?.();
  // Forgets the peak so far.
  writeFileSync('/proc/self/clear_refs', '5');
  const before = peak('VmRSS');
  makeMatrix(xgboost, data, 1, process.argv[3]).free();
  process.stdout.write(String((peak('VmHWM') - before) / 1024));
  process.exit(0);
}

const core = process.argv[2] ?? String(os.availableParallelism() - 1);
const rounds = Number(process.argv[3] ?? 7);
const memory = { columns: matrixMemory('columns'), rows: matrixMemory('rows') };
execFileSync('taskset', ['-a', '-p', '-c', core, String(process.pid)], { stdio: 'pipe' });
const xgboost = loadXgboost(requireXgboost().path);
const data = makeData(ROWS);
const folder = mkdtempSync(path.join(os.tmpdir(), 'fathom-bench-boosting-'));
try {
  const rowMajor = Float32Array.from(
    { length: ROWS * WIDTH },
    (_, i) => data.columns[i % WIDTH][Math.floor(i / WIDTH)],
  );
  writeFileSync(path.join(folder, 'features.f32'), rowMajor);
  writeFileSync(path.join(folder, 'labels.f32'), data.labels);
  writeFileSync(path.join(folder, 'parameters.json'), JSON.stringify(parameters));
  const python = startPython(folder, core);
  const { version } = await python.started;
  const times = { ours: [], theirs: [], ourSilent: [], silent: [], columns: [], rows: [], matrix: [] };
  await ourTraining(xgboost, data);
  await python.measure('train', BOOSTS);
  for (let round = 0; round < rounds; round++) {
    const { milliseconds, predicted } = await ourTraining(xgboost, data);
    times.ours.push(milliseconds);
    times.theirs.push(await python.measure('train', BOOSTS));
    const theirs = readFileSync(path.join(folder, 'python.f32'));
    if (!theirs.equals(Buffer.from(predicted.buffer))) throw new Error('the predictions differ from those of Python');
    times.ourSilent.push(ourSilent(xgboost, data));
    times.silent.push(await python.measure('silent', BOOSTS));
    times.columns.push(ourMatrices(xgboost, data, 'columns'));
    times.matrix.push((await python.measure('matrix', MATRICES)) / MATRICES);
    times.rows.push(ourMatrices(xgboost, data, 'rows'));
  }
  python.stop();
  const [ours, theirs, withoutLosses, silent, columns, rows, matrix] = Object.values(times).map(median);
  const pairs = (a, b) => a.map((value, i) => (value / b[i]).toFixed(3)).join(', ');
  say(
    `with losses: ${ours.toFixed(0)} ms, ${version} ${theirs.toFixed(0)} ms, pair by pair ${pairs(times.ours, times.theirs)}`,
  );
  say(
    `without: ${withoutLosses.toFixed(0)} and ${silent.toFixed(0)} ms, pair by pair ${pairs(times.ourSilent, times.silent)}`,
  );
  say(
    `matrix: ${columns.toFixed(1)} ms in place, ${rows.toFixed(1)} ms by way of rows; Python ${matrix.toFixed(1)} ms`,
  );
  say(
    `peak memory of a matrix of a million rows: ${memory.columns.toFixed(0)} MB in place, ${memory.rows.toFixed(0)} by way of rows`,
  );
  const common = { bench: 'boosting', unit: 'ms' };
  report({
    ...common,
    measure: '100,000 x 20, 100 rounds of depth 6 and the loss of each, CPU time',
    ours,
    targetRatio: TARGET,
    peers: [{ name: version, value: theirs }],
  });
  report({
    ...common,
    measure: 'the same without the loss of each round',
    ours: withoutLosses,
    targetRatio: TARGET,
    peers: [{ name: version, value: silent }],
  });
  report({
    ...common,
    measure: 'a matrix of it from columns in place, CPU time',
    ours: columns,
    peers: [
      { name: `${version}, row-major`, value: matrix },
      { name: 'ours by way of rows', value: rows },
    ],
  });
  report({
    bench: 'boosting',
    measure: 'peak memory of a matrix of 1,000,000 x 20',
    unit: 'MB',
    ours: memory.columns,
    peers: [{ name: 'ours by way of rows', value: memory.rows }],
  });
} finally {
  rmSync(folder, { recursive: true, force: true });
}
