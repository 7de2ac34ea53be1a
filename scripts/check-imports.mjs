/** Imports go down only, and never in a circle. Prints every violation; exits 1 if there is one. */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

const root = path.resolve(import.meta.dirname, '../src');

/** Floors of the house, top first. A folder may import its own floor's folder (itself) and any floor below. */
const floors = [
  ['cli'],
  ['slurm', 'report'],
  ['run'],
  ['plan'],
  ['experiment'],
  ['stages'],
  ['markets', 'wallets', 'models', 'projections', 'trading', 'live'],
  ['evaluation'],
  ['facts'],
  ['store'],
  ['tables', 'kernels', 'native'],
  ['contract'],
  ['random'],
  ['numeric'],
  ['errors.ts', 'paths.ts', 'tuple.ts'],
];
const floorOf = new Map(floors.flatMap((names, floor) => names.map((name) => [name, floor])));

/** Who may touch the artifact store: domain code knows nothing of artifacts. */
const storeUsers = ['store', 'run', 'plan', 'slurm', 'report', 'cli'];

const files = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter(
  (name) => name.endsWith('.ts') && !name.includes('client/'),
);
const imports = new Map();
const problems = [];
for (const file of files) {
  const text = readFileSync(path.join(root, file), 'utf8');
  const edges = [];
  for (const match of text.matchAll(
    /^\s*(?:import|export)\b([^;'"]*?)from\s*'(\.[^']+)'|\bimport\(\s*'(\.[^']+)'\s*\)|import\s*'(\.[^']+)'/gm,
  )) {
    const target = match[2] ?? match[3] ?? match[4];
    const typeOnly = /^\s*type\b/.test(match[1] ?? '');
    edges.push({ target: path.relative(root, path.resolve(root, path.dirname(file), target)), typeOnly });
  }
  imports.set(file, edges);
}

const roomOf = (file) => file.split(path.sep)[0];
for (const [file, edges] of imports)
  for (const { target, typeOnly } of edges) {
    const from = roomOf(file);
    const to = roomOf(target);
    if (from === to) continue;
    const [a, b] = [floorOf.get(from), floorOf.get(to)];
    if (a === undefined || b === undefined)
      problems.push(
        `src/${file}: ${a === undefined ? from : to} stands on no floor; add it to scripts/check-imports.mjs`,
      );
    else if (b < a) problems.push(`src/${file} imports upwards: ${target}`);
    else if (b === a) problems.push(`src/${file} imports its neighbour ${target}`);
    if (to === 'store' && !storeUsers.includes(from) && !typeOnly) problems.push(`src/${file} touches the store`);
  }

// Circles among files, types aside: those are gone at run time.
const state = new Map();
const visit = (file, trail) => {
  if (state.get(file) === 'done') return;
  const at = trail.indexOf(file);
  if (at >= 0) {
    problems.push(`circle: ${[...trail.slice(at), file].join(' -> ')}`);
    return;
  }
  for (const { target, typeOnly } of imports.get(file) ?? []) if (!typeOnly) visit(target, [...trail, file]);
  state.set(file, 'done');
};
for (const file of files) visit(file, []);

for (const problem of new Set(problems)) console.error(problem);
if (problems.length > 0) process.exit(1);
console.error(`imports: ${files.length} files, all going down`);
