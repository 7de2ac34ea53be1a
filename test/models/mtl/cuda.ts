/** The kernels of a stack, compiled by g++ into a stand-in for the CUDA driver: their arithmetic without a GPU. */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { shapeSource } from '../../../src/models/mtl/cuda/shape-source.ts';
import { kernelSource } from '../../../src/models/mtl/cuda/source.ts';
import type { NetworkShape } from '../../../src/models/mtl/shape.ts';
import { packageRoot } from '../../../src/paths.ts';

const folder = path.join(packageRoot, 'test/support/cuda');
const cache = path.join(os.tmpdir(), `fathom-cuda-${process.getuid?.() ?? 0}`);

/** Why these tests are left out; undefined if they are not. */
export const noCompiler =
  spawnSync('g++', ['--version']).status === 0 ? undefined : 'left out: no g++ (Debian package g++)';

/**
 * Compiles the kernels for a shape and a largest batch, once.
 *
 * @param change replaces text of the kernels by other text, for kernels that must fail
 * @returns a library that stands in for libcuda.so.1
 */
export function standIn(shape: NetworkShape, rows: number, change?: readonly [from: string, to: string]): string {
  let source = kernelSource();
  if (change !== undefined) {
    const [from, to] = change;
    if (source.split(from).length !== 2) throw new Error(`the kernels hold "${from}" not once`);
    source = source.replace(from, to);
  }
  const parts: Record<string, string> = { 'mtl.cu': source, 'shape.cuh': shapeSource(shape, rows) };
  for (const name of ['shim.h', 'driver.cpp']) parts[name] = readFileSync(path.join(folder, name), 'utf8');
  const hash = createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 16);
  const target = path.join(cache, `${hash}.so`);
  if (existsSync(target)) return target;
  const work = path.join(cache, `${hash}.${process.pid}`);
  mkdirSync(work, { recursive: true });
  for (const [name, text] of Object.entries(parts)) writeFileSync(path.join(work, name), text);
  const library = path.join(work, 'libcuda.so');
  const options = [
    '-O2',
    '-std=c++17',
    '-shared',
    '-fPIC',
    '-fno-gnu-unique',
    '-Wl,-Bsymbolic',
    '-Wno-unknown-pragmas',
    'driver.cpp',
    '-o',
    library,
  ];
  const { status, stderr } = spawnSync('g++', options, { cwd: work, encoding: 'utf8' });
  if (status !== 0) throw new Error(`g++ refuses the kernels:\n${stderr}`);
  renameSync(library, target);
  return target;
}
