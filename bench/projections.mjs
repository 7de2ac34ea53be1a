/**
 * t-SNE and UMAP beside scikit-learn, openTSNE and umap-learn: time, memory, and how good the maps are. Each runs once,
 * in a process of its own, on the same generated points of 13 columns.
 *
 *   make build
 *   node bench/projections.mjs [rows] [threads] [peer...]     peers: sklearn openTSNE umap-learn
 *
 * What has been measured is kept in .fathom/bench/projections, so that a long bench can be run in pieces: a peer that
 * is not named is taken from there.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { conditionalAffinities, jointAffinities } from '../dist/projections/affinities.js';
import { nearestNeighbours } from '../dist/projections/neighbours.js';
import { mapQuality } from '../dist/projections/quality.js';
import { makeRng } from '../dist/random/rng.js';
import { report, root, say } from './support/report.mjs';

const rows = Number(process.argv[2] ?? 10_000);
const threads = Number(process.argv[3] ?? 2);
const named = process.argv.slice(4);
const COLUMNS = 13;
/** Largest ratio of time to the peer that is good enough. */
const targets = { sklearn: 0.1, openTSNE: 0.2, 'umap-learn': 0.5 };
const UMAP_MB = 150;
const packages = path.join(root, '.fathom/pip-projections');
const folder = path.join(root, '.fathom/bench/projections');
mkdirSync(folder, { recursive: true });

/** Six stretched Gaussians and a twentieth of uniform noise, as single-precision rows. */
function makePoints() {
  const rng = makeRng('bench', 'projections');
  const shapes = Array.from({ length: 6 }, () => ({
    centre: Float64Array.from({ length: COLUMNS }, () => 1.15 * rng.normal()),
    mix: Float64Array.from({ length: COLUMNS * COLUMNS }, () => (rng.normal() * (0.35 + 1.25 * rng.uniform())) / 3.6),
  }));
  const values = new Float32Array(rows * COLUMNS);
  for (let i = 0; i < rows; i++) {
    const shape = rng.uniform() < 0.05 ? undefined : shapes[rng.below(6)];
    const source = Float64Array.from({ length: COLUMNS }, () => rng.normal());
    for (let c = 0; c < COLUMNS; c++) {
      let x = shape?.centre[c] ?? 9 * rng.uniform() - 4.5;
      if (shape !== undefined) for (let s = 0; s < COLUMNS; s++) x += shape.mix[c * COLUMNS + s] * source[s];
      values[i * COLUMNS + c] = x;
    }
  }
  const file = path.join(folder, `points-${rows}.f32`);
  writeFileSync(file, new Uint8Array(values.buffer));
  return { file, matrix: { rows, columns: COLUMNS, values: Float64Array.from(values) } };
}

function install() {
  if (existsSync(path.join(packages, 'umap'))) return;
  say('installing scikit-learn, openTSNE and umap-learn');
  const wanted = ['scikit-learn', 'openTSNE', 'umap-learn'];
  execFileSync('python3', ['-m', 'pip', 'install', '--quiet', '--target', packages, ...wanted], { stdio: 'inherit' });
}

/** Runs one, or takes what an earlier call has kept. */
function measure(name, again) {
  const out = path.join(folder, `${name}-${rows}.f64`);
  const kept = path.join(folder, `${name}-${rows}.json`);
  if (!again && existsSync(kept)) return { name, out, ...JSON.parse(readFileSync(kept, 'utf8')) };
  if (!again) return undefined;
  const peer = name in targets;
  const script = peer ? 'bench/peers/projections.py' : 'bench/support/projection-child.mjs';
  const args = [path.join(root, script), name, file, rows, COLUMNS, threads, out].map(String);
  const env = peer ? { ...process.env, PYTHONPATH: packages, PYTHONWARNINGS: 'ignore' } : process.env;
  const { stdout, status } = spawnSync(peer ? 'python3' : process.execPath, args, {
    env,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  if (status !== 0) return undefined;
  const found = { ...JSON.parse(stdout.trim().split('\n').at(-1)), load: os.loadavg()[0] };
  writeFileSync(kept, JSON.stringify(found));
  return { name, out, ...found };
}

/** Divergence by the definition, from the same affinities for every map, with all pairs in Z. */
function divergenceOf(graph, points) {
  let z = 0;
  for (let i = 0; i < rows; i++) {
    const [x, y] = [points[2 * i], points[2 * i + 1]];
    let sum = 0;
    for (let j = 0; j < i; j++) {
      const dx = x - points[2 * j];
      const dy = y - points[2 * j + 1];
      sum += 1 / (1 + dx * dx + dy * dy);
    }
    z += 2 * sum;
  }
  let divergence = 0;
  for (let i = 0; i < rows; i++)
    for (let edge = graph.starts[i]; edge < graph.starts[i + 1]; edge++) {
      const [p, j] = [graph.weights[edge], graph.targets[edge]];
      const [dx, dy] = [points[2 * i] - points[2 * j], points[2 * i + 1] - points[2 * j + 1]];
      if (p > 0) divergence += p * Math.log(p * z * (1 + dx * dx + dy * dy));
    }
  return divergence;
}

const { file, matrix } = makePoints();
if (named.length > 0) install();
let graph;
const results = [];
for (const name of ['tsne', 'umap', ...Object.keys(targets)]) {
  const found = measure(name, !(name in targets) || named.includes(name));
  if (found === undefined) continue;
  const points = new Float64Array(new Uint8Array(readFileSync(found.out)).buffer);
  const { trustworthiness, neighbourPreservation } = mapQuality(matrix, points, 15, makeRng(1));
  let divergence;
  if (!name.includes('umap')) {
    if (graph === undefined) {
      const neighbours = nearestNeighbours(matrix, 90);
      graph = jointAffinities(neighbours, conditionalAffinities(neighbours, 30).conditional);
    }
    divergence = divergenceOf(graph, points);
  }
  results.push(found);
  say(
    `${name}${found.version === undefined ? '' : ` ${found.version}`}, ${rows} rows: ${found.wall.toFixed(1)} s wall, ` +
      `${found.cpu.toFixed(1)} s of CPU, ${found.memoryMb.toFixed(0)} MB; trustworthiness ${trustworthiness.toFixed(4)}, ` +
      `preservation ${neighbourPreservation.toFixed(4)}${divergence === undefined ? '' : `, divergence ${divergence.toFixed(4)}`}` +
      `; load ${found.load.toFixed(1)}`,
  );
}
const by = new Map(results.map((one) => [one.name, one]));
for (const [ours, peers] of [
  ['tsne', ['sklearn', 'openTSNE']],
  ['umap', ['umap-learn']],
])
  for (const [measureName, unit, key] of [
    ['wall time', 's', 'wall'],
    ['CPU time', 's', 'cpu'],
    ['peak memory', 'MB', 'memoryMb'],
  ])
    report({
      bench: 'projections',
      measure: `${ours}, ${rows} rows, ${threads} threads: ${measureName}`,
      unit,
      ours: by.get(ours)[key],
      target: ours === 'umap' && key === 'memoryMb' ? UMAP_MB : null,
      targetRatio: key === 'wall' ? targets[peers[0]] : null,
      peers: peers.filter((name) => by.has(name)).map((name) => ({ name, value: by.get(name)[key] })),
    });
