/**
 * CPU time of exact nearest neighbours (50,000 rows) and of DBSCAN, ours beside scikit-learn, in turns on one core.
 * Stops where distances or labels differ.
 *
 *   make build
 *   python3 -m pip install --target .fathom/pip-bench scikit-learn
 *   node bench/neighbours.mjs [core] [rounds] [part of a case's name]
 */
import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import readline from 'node:readline';
import { dbscan } from '../dist/models/clusters/dbscan.js';
import { loadOpenblas } from '../dist/native/blas.js';
import { searchOpenblas } from '../dist/native/openblas.js';
import { thisMachine } from '../dist/native/system.js';
import { nearestNeighbours } from '../dist/projections/neighbours.js';
import { blasProducts } from '../dist/projections/openblas-products.js';
import { median, report, root, say } from './support/report.mjs';

const core = process.argv[2] ?? String(os.availableParallelism() - 1);
const rounds = Number(process.argv[3] ?? 3);
const wanted = process.argv[4] ?? '';

/** A peer that is far behind the other is measured once. */
const neighbourCases = [
  { file: 'blobs', columns: 13, k: 15, target: 0.3, once: ['kd_tree'] },
  { file: 'blobs', columns: 13, k: 90, target: 0.3, once: ['kd_tree'] },
  { file: 'stretched13', columns: 13, k: 15, target: 0.3, once: [] },
  { file: 'stretched50', columns: 50, k: 15, target: 0.5, once: [] },
  { file: 'stretched50', columns: 50, k: 90, target: 0.5, once: [] },
];
const dbscanCases = [
  { rows: 20_000, target: 0.15, peerRounds: rounds },
  { rows: 100_000, target: 0.15, peerRounds: 1 },
];

const folder = mkdtempSync(path.join(os.tmpdir(), 'fathom-neighbours-'));

function startPeer() {
  const python = spawn(
    'taskset',
    ['-c', core, 'python3', path.join(root, 'bench/peers/scikit_neighbours.py'), folder],
    {
      stdio: ['pipe', 'pipe', 'inherit'],
      env: { ...process.env, PYTHONPATH: path.join(root, '.fathom/pip-bench') },
    },
  );
  const lines = readline.createInterface({ input: python.stdout })[Symbol.asyncIterator]();
  const next = async () => {
    const { value, done } = await lines.next();
    if (done) throw new Error('scikit-learn stopped: is it installed in .fathom/pip-bench?');
    return value;
  };
  return {
    version: next(),
    ask: async (...words) => {
      python.stdin.write(`${words.join(' ')}\n`);
      return Number(await next());
    },
    stop: () => python.stdin.end(),
  };
}

function readRows(file, rows, columns) {
  const { buffer } = Uint8Array.from(readFileSync(path.join(folder, `${file}.f32`)));
  return { rows, columns, values: Float64Array.from(new Float32Array(buffer).subarray(0, rows * columns)) };
}

/** CPU seconds, and what came out. */
function timed(work) {
  const began = process.cpuUsage();
  const result = work();
  const { user, system } = process.cpuUsage(began);
  return { seconds: (user + system) / 1e6, result };
}

/** scikit-learn measures in single precision by products, so its last digits differ. */
function compareDistances({ squared }) {
  const { buffer } = Uint8Array.from(readFileSync(path.join(folder, 'distances.f64')));
  const theirs = new Float64Array(buffer);
  let largest = 0;
  for (const [i, distance] of theirs.entries()) largest = Math.max(largest, Math.abs(distance - Math.sqrt(squared[i])));
  if (!(theirs.length === squared.length && largest < 1e-3)) throw new Error(`distances differ by ${largest}`);
  return largest;
}

function engines() {
  const found = searchOpenblas(thisMachine());
  if (!found.found) {
    say(`${found.reason}: products by OpenBLAS are left out`);
    return { wasm: undefined };
  }
  process.env.OPENBLAS_NUM_THREADS = '1';
  return { wasm: undefined, openblas: blasProducts(loadOpenblas(found.path)) };
}

async function benchNeighbours(peer, version, { file, columns, k, target, once }) {
  const data = readRows(file, 50_000, columns);
  const ours = Object.entries(engines());
  const times = new Map();
  const note = (name, seconds) => times.set(name, [...(times.get(name) ?? []), seconds]);
  for (let round = 0; round < rounds; round++) {
    for (const algorithm of columns > 20 ? ['brute'] : ['brute', 'kd_tree'])
      if (round === 0 || !once.includes(algorithm))
        note(algorithm, await peer.ask('neighbours', file, data.rows, columns, k, algorithm));
    for (const [engine, products] of ours) {
      const { seconds, result } = timed(() => nearestNeighbours(data, k, undefined, products));
      note(engine, seconds);
      if (round === 0)
        say(`${file}, k ${k}, ${engine}: distances equal within ${compareDistances(result).toExponential(0)}`);
    }
  }
  const peers = ['brute', 'kd_tree']
    .filter((name) => times.has(name))
    .map((name) => ({ name: `${version}, ${name}`, value: median(times.get(name)) }))
    .sort((a, b) => a.value - b.value);
  for (const [engine] of ours)
    report({
      bench: 'neighbours',
      measure: `50,000 x ${columns} ${file.replace(/\d+/, '')}, k ${k}, ${engine}`,
      unit: 's',
      ours: median(times.get(engine)),
      targetRatio: target,
      peers,
    });
}

async function benchDbscan(peer, version, { rows, target, peerRounds }) {
  const data = readRows('blobs', rows, 13);
  const times = { ours: [], peer: [] };
  for (let round = 0; round < rounds; round++) {
    if (round < peerRounds) times.peer.push(await peer.ask('dbscan', 'blobs', rows, 13, 2, 10));
    const { seconds, result } = timed(() => dbscan(data, 2, 10));
    times.ours.push(seconds);
    const theirs = new Int32Array(Uint8Array.from(readFileSync(path.join(folder, 'labels.i32'))).buffer);
    const different = theirs.filter((label, row) => label !== result.labels[row]).length;
    if (theirs.length !== rows || different > 0) throw new Error(`${different} labels differ`);
  }
  say(`DBSCAN of ${rows} rows: every label equal`);
  report({
    bench: 'neighbours',
    measure: `DBSCAN, ${rows.toLocaleString('en-US')} x 13 blobs, eps 2, minPoints 10`,
    unit: 's',
    ours: median(times.ours),
    targetRatio: target,
    peers: [{ name: version, value: median(times.peer) }],
  });
}

execFileSync('taskset', ['-a', '-p', '-c', core, String(process.pid)], { stdio: 'pipe' });
try {
  const peer = startPeer();
  const version = await peer.version;
  for (const one of neighbourCases)
    if (`${one.file} ${one.k}`.includes(wanted)) await benchNeighbours(peer, version, one);
  for (const one of dbscanCases) if (`dbscan ${one.rows}`.includes(wanted)) await benchDbscan(peer, version, one);
  peer.stop();
} finally {
  rmSync(folder, { recursive: true, force: true });
}
