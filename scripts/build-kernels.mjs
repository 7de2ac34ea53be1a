/**
 * Compiles kernels/index.ts (AssemblyScript) to dist/kernels/kernels.wasm, and puts the parts of kernels/cuda/train.cu
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
const target = path.join(root, 'dist/kernels/kernels.wasm');
const stamp = `${target}.sources`;
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
  const folder = path.join(sources, 'cuda');
  const text = await readFile(path.join(folder, 'train.cu'), 'utf8');
  const parts = [];
  for (const line of text.split('\n')) {
    const included = /^#include "(?!shape\.)(.+)"$/.exec(line)?.[1];
    const part = included === undefined ? line : await readFile(path.join(folder, included), 'utf8');
    parts.push(part.replace('#pragma once\n', ''));
  }
  const whole = path.join(root, 'dist/kernels/mtl.cu');
  await mkdir(path.dirname(whole), { recursive: true });
  const temporary = `${whole}.${process.pid}.tmp`;
  await writeFile(temporary, parts.join('\n'));
  await rename(temporary, whole);
}

function fingerprint(files) {
  const hash = createHash('sha256').update(JSON.stringify([asc.version, options]));
  for (const [name, text] of files) hash.update(`\0${name}\0${text}`);
  return hash.digest('hex');
}

async function compile(files) {
  let wasm;
  const { error, stderr } = await asc.main(['index.ts', '--outFile', 'kernels.wasm', ...options], {
    readFile: (name) => files.get(path.normalize(name)) ?? null,
    writeFile: (name, content) => {
      if (name.endsWith('.wasm')) wasm = content;
    },
    listFiles: () => [],
  });
  if (error || wasm === undefined) throw new Error(`the kernels do not compile\n${stderr.toString()}`);
  return wasm;
}

const started = process.hrtime.bigint();
await writeCuda();
const files = await readSources();
const wanted = fingerprint(files);
const present = await Promise.all([readFile(stamp, 'utf8'), readFile(target)]).catch(() => undefined);
if (present?.[0] === wanted) {
  console.log('kernels: unchanged');
} else {
  const wasm = await compile(files);
  await mkdir(path.dirname(target), { recursive: true });
  // Two builds at once: each writes its own file, and the last rename wins with equal bytes.
  const temporary = `${target}.${process.pid}.tmp`;
  try {
    await writeFile(temporary, wasm);
    await rename(temporary, target);
    await writeFile(stamp, wanted);
  } finally {
    await rm(temporary, { force: true });
  }
  const seconds = Number(process.hrtime.bigint() - started) / 1e9;
  console.log(`kernels: ${path.relative(root, target)}, ${wasm.length} bytes in ${seconds.toFixed(1)} s`);
}
