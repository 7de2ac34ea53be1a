/**
 * Compiles kernels/index.ts and kernels/shared.ts (AssemblyScript) to dist/kernels/kernels.wasm and shared.wasm, and puts the parts of kernels/cuda/train.cu
 * together into dist/kernels/mtl.cu, which is compiled where it runs. Nothing happens if the sources and the compiler
 * are those of the last build. Prints one line.
 */
import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import asc from 'assemblyscript/asc';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');
const sources = path.join(root, 'kernels');
const folder = path.join(root, 'dist/kernels');
/** Memory that several threads share must be made outside the module, with a limit. */
const sharedMemory = ['--importMemory', '--sharedMemory', '--maximumMemory', '65536', '--enable', 'threads'];
const modules = [
  { name: 'kernels', entry: 'index.ts', options: [] },
  { name: 'shared', entry: 'shared.ts', options: sharedMemory },
];
const stamp = path.join(folder, 'kernels.wasm.sources');
const options = [
  '--runtime',
  'stub',
  '-O3',
  '--noAssert',
  '--enable',
  'simd',
  '--use',
  'abort=',
  '--disableWarning',
  '112',
];

async function readSources() {
  const names = (await readdir(sources)).filter((name) => name.endsWith('.ts')).sort();
  const files = new Map();
  for (const name of names) files.set(name, await readFile(path.join(sources, name), 'utf8'));
  return files;
}

/** One file of CUDA C: included parts in place, all but `shape.cuh`, which is written for each shape of network. */
async function writeCuda() {
  const cuda = path.join(sources, 'cuda');
  const text = await readFile(path.join(cuda, 'train.cu'), 'utf8');
  const parts = [];
  for (const line of text.split('\n')) {
    const included = /^#include "(?!shape\.)(.+)"$/.exec(line)?.[1];
    const part = included === undefined ? line : await readFile(path.join(cuda, included), 'utf8');
    parts.push(part.replace('#pragma once\n', ''));
  }
  await put(path.join(folder, 'mtl.cu'), parts.join('\n'));
}

/** Two builds at once: each writes its own file, and the last rename wins with equal bytes. */
async function put(file, content) {
  const temporary = `${file}.${process.pid}.tmp`;
  try {
    await writeFile(temporary, content);
    await rename(temporary, file);
  } finally {
    await rm(temporary, { force: true });
  }
}

function fingerprint(files) {
  const hash = createHash('sha256').update(JSON.stringify([asc.version, options, modules]));
  for (const [name, text] of files) hash.update(`\0${name}\0${text}`);
  return hash.digest('hex');
}

async function compile(files, { entry, options: own }) {
  let wasm;
  const { error, stderr } = await asc.main([entry, '--outFile', 'kernels.wasm', ...options, ...own], {
    readFile: (name) => files.get(path.normalize(name)) ?? null,
    writeFile: (name, content) => {
      if (name.endsWith('.wasm')) wasm = content;
    },
    listFiles: () => [],
  });
  if (error || wasm === undefined) throw new Error(`kernels/${entry} does not compile\n${stderr.toString()}`);
  return wasm;
}

const started = process.hrtime.bigint();
await mkdir(folder, { recursive: true });
await writeCuda();
const files = await readSources();
const wanted = fingerprint(files);
const targets = modules.map(({ name }) => path.join(folder, `${name}.wasm`));
const present = await Promise.all([readFile(stamp, 'utf8'), ...targets.map((file) => readFile(file))]).catch(
  () => undefined,
);
if (present?.[0] === wanted) {
  console.log('kernels: unchanged');
} else {
  const sizes = [];
  for (const [i, module] of modules.entries()) {
    const wasm = await compile(files, module);
    await put(targets[i], wasm);
    sizes.push(`${module.name} ${wasm.length} bytes`);
  }
  await put(stamp, wanted);
  const seconds = Number(process.hrtime.bigint() - started) / 1e9;
  console.log(`kernels: ${sizes.join(', ')} in ${seconds.toFixed(1)} s`);
}
