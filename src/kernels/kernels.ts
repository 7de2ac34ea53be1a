/** The compiled kernels (`kernels/*.ts`): one instance is one memory with the functions that work on it. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { FathomError } from '../errors.ts';
import { compiledRoot } from '../paths.ts';
import type { ClusterKernels } from './cluster-kernels.ts';
import type { FillKernels } from './fill-kernels.ts';
import type { LeafKernels } from './leaf-kernels.ts';
import type { WalletKernels } from './wallet-kernels.ts';

/** The part of WebAssembly that is used here; its usual declarations are those of the browser. */
declare const WebAssembly: {
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object, imports: object) => { readonly exports: unknown };
};

/** An address in the memory of an instance, in bytes. */
export type Pointer = number;

/** Functions of the module; what they do stands beside their sources. Matrices are row-major single precision. */
export interface Kernels extends ClusterKernels, FillKernels, LeafKernels, WalletKernels {
  readonly memory: { readonly buffer: ArrayBuffer };
  allocate(bytes: number): Pointer;
  gather(target: Pointer, table: Pointer, indices: Pointer, count: number, rowBytes: number): void;
  reserveGemm(n: number): void;
  gemm: Multiply;
  batchNormStatistics(
    z: Pointer,
    rows: number,
    columns: number,
    gamma: Pointer,
    beta: Pointer,
    mean: Pointer,
    inverse: Pointer,
    scale: Pointer,
    shift: Pointer,
    runningMean: Pointer,
    runningVariance: Pointer,
  ): void;
  batchNormFrozen(
    columns: number,
    gamma: Pointer,
    beta: Pointer,
    runningMean: Pointer,
    runningVariance: Pointer,
    scale: Pointer,
    shift: Pointer,
  ): void;
  batchNormBackward(
    d: Pointer,
    z: Pointer,
    a: Pointer,
    rows: number,
    columns: number,
    mean: Pointer,
    inverse: Pointer,
    scale: Pointer,
    dGamma: Pointer,
    dBeta: Pointer,
    keep: number,
  ): void;
  activate(z: Pointer, a: Pointer, rows: number, columns: number, scale: Pointer, shift: Pointer): void;
  activateWithDropout(
    z: Pointer,
    a: Pointer,
    rows: number,
    columns: number,
    scale: Pointer,
    shift: Pointer,
    state: Pointer,
    threshold: number,
    keep: number,
  ): void;
  countPresent(targets: Pointer, rows: number, columns: number, counts: Pointer): void;
  headOutputs(outputs: Pointer, rows: number, columns: number, bias: Pointer, table: Pointer): void;
  headGradients(
    outputs: Pointer,
    targets: Pointer,
    rows: number,
    columns: number,
    bias: Pointer,
    biasGradient: Pointer,
    weights: Pointer,
    table: Pointer,
    losses: Pointer,
  ): void;
  softmaxOutputs(outputs: Pointer, rows: number, columns: number, first: number, classes: number): void;
  softmaxGradients(
    outputs: Pointer,
    targets: Pointer,
    rows: number,
    columns: number,
    first: number,
    classes: number,
    bias: Pointer,
    biasGradient: Pointer,
    weights: Pointer,
    losses: Pointer,
  ): void;
  sumOfSquares(values: Pointer, count: number): number;
  adam(
    parameters: Pointer,
    gradient: Pointer,
    first: Pointer,
    second: Pointer,
    count: number,
    clip: number,
    l2: number,
    kept: number,
    step: number,
    epsilon: number,
  ): void;
}

/**
 * C (m x n) = op(A) (m x k) op(B) (k x n); `lda`, `ldb`, `ldc` are distances of stored rows in elements. Booleans are
 * 0 or 1. The one function that another engine replaces: see `Products`.
 */
export type Multiply = (
  transposeA: number,
  transposeB: number,
  m: number,
  n: number,
  k: number,
  a: Pointer,
  lda: number,
  b: Pointer,
  ldb: number,
  c: Pointer,
  ldc: number,
) => void;

/** Who does the matrix products: made for the memory of an instance. */
export type Products = (kernels: Kernels) => Multiply;

/** The kernels' own, which give the same bytes on every machine. */
export const ownProducts: Products = (kernels) => kernels.gemm;

let compiled: object | undefined;

/** Where the build leaves the module. */
export const kernelFile = path.join(compiledRoot, 'kernels', 'kernels.wasm');

/** What one instance can address. */
export const MOST_BYTES = 2 ** 32 - 65536;

/** A new instance with a memory of its own. The module is read and compiled once. */
export function makeKernels(): Kernels {
  compiled ??= new WebAssembly.Module(readModule());
  const kernels = new WebAssembly.Instance(compiled, {}).exports as Kernels;
  return { ...kernels, allocate: (bytes) => allocate(kernels, bytes) };
}

/** As the kernel, with a clear error in place of a trap, and addresses above 2 GiB as positive numbers. */
function allocate(kernels: Kernels, bytes: number): Pointer {
  const used = kernels.memory.buffer.byteLength;
  try {
    if (used + bytes > MOST_BYTES) throw new RangeError('more than 4 GiB');
    return kernels.allocate(bytes) >>> 0;
  } catch (cause) {
    const [have, want] = [used, bytes].map((n) => Math.ceil(n / 2 ** 20));
    throw new FathomError('task', `no room for ${want} MiB more in kernel memory, ${have} MiB are in use`, {
      hint: 'one instance holds 4 GiB at most, and the machine may have less: fewer rows, features or units',
      cause,
    });
  }
}

function readModule(): Uint8Array<ArrayBuffer> {
  try {
    return new Uint8Array(readFileSync(kernelFile));
  } catch (cause) {
    throw new FathomError('unavailable', `the numeric kernels are not built: ${kernelFile} is missing`, {
      hint: 'run: node scripts/build-kernels.mjs',
      cause,
    });
  }
}
