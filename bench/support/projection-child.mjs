/**
 * Lays out one file of points, alone in its process, and prints what it took as a line of JSON.
 *
 *   node projection-child.mjs tsne|umap FILE ROWS COLUMNS THREADS OUT
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { tsne, tsneDefaults } from '../../dist/projections/tsne.js';
import { umap, umapDefaults } from '../../dist/projections/umap.js';
import { makeRng } from '../../dist/random/rng.js';

const [method, file, rows, columns, threads, out] = process.argv.slice(2);
const floats = new Float32Array(new Uint8Array(readFileSync(file)).buffer);
const matrix = { rows: Number(rows), columns: Number(columns), values: Float64Array.from(floats) };
const began = process.hrtime.bigint();
const before = process.cpuUsage();
const run = { threads: Number(threads) };
const map =
  method === 'tsne'
    ? await tsne(matrix, tsneDefaults, makeRng(1), run)
    : await umap(matrix, umapDefaults, makeRng(1), run);
const { user, system } = process.cpuUsage(before);
writeFileSync(out, new Uint8Array(map.points.buffer));
const wall = Number(process.hrtime.bigint() - began) / 1e9;
// Not maxRSS: Linux begins that of a child with the size of its parent.
const [, kilobytes] = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8'));
process.stdout.write(`${JSON.stringify({ wall, cpu: (user + system) / 1e6, memoryMb: kilobytes / 1024 })}\n`);
