/** The kernels that several threads run on one memory (`kernels/shared.ts`). */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { FathomError } from '../errors.ts';
import { compiledRoot } from '../paths.ts';
import type { Pointer } from './kernels.ts';

/** Memory that all threads see. It can grow; views made before stay valid, for the part that they cover. */
export interface SharedMemory {
  readonly buffer: SharedArrayBuffer;
  grow(pages: number): number;
}

/** The part of WebAssembly that is used here; its usual declarations are those of the browser. */
declare const WebAssembly: {
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object, imports: object) => { readonly exports: unknown };
  readonly Memory: new (limits: { initial: number; maximum: number; shared: true }) => SharedMemory;
};

/** Does one piece of the work described at `job`, as thread number `thread`. */
export type Piece = (piece: number, thread: number, job: Pointer) => void;

/** Functions of the module; what they do stands beside their sources. */
export interface SharedKernels {
  dataStart(): Pointer;
  transform(from: Pointer, other: Pointer, transform: Pointer): Pointer;
  readonly tsneAttract: Piece;
  readonly tsneTransformRows: Piece;
  readonly tsneConvolveColumns: Piece;
  readonly tsneRestoreRows: Piece;
  readonly tsneCollect: Piece;
  readonly tsneMove: Piece;
  readonly umapMove: Piece;
  umapSettle(job: Pointer): void;
}

/** Names of the functions that do pieces of work. */
export type PieceName = { [Name in keyof SharedKernels]: SharedKernels[Name] extends Piece ? Name : never }[Exclude<
  keyof SharedKernels,
  'dataStart' | 'transform' | 'umapSettle'
>];

const PAGE_BYTES = 65536;
const MOST_PAGES = 65536;

/** Where the build leaves the module. */
const file = path.join(compiledRoot, 'kernels', 'shared.wasm');

/** The compiled module; it can be sent to other threads. */
export function compileSharedKernels(): object {
  try {
    return new WebAssembly.Module(new Uint8Array(readFileSync(file)));
  } catch (cause) {
    throw new FathomError('unavailable', `the numeric kernels are not built: ${file} is missing`, {
      hint: 'run: node scripts/build-kernels.mjs',
      cause,
    });
  }
}

export function instantiate(module: object, memory: SharedMemory): SharedKernels {
  return new WebAssembly.Instance(module, { env: { memory } }).exports as SharedKernels;
}

export function makeSharedMemory(): SharedMemory {
  return new WebAssembly.Memory({ initial: 1, maximum: MOST_PAGES, shared: true });
}

/** Hands out addresses of a shared memory one after the other; nothing is given back but everything from a mark on. */
export class Arena {
  readonly memory: SharedMemory;
  #next: Pointer;

  constructor(memory: SharedMemory, start: Pointer) {
    this.memory = memory;
    this.#next = start;
  }

  /** A block at a multiple of 64 bytes. What it holds is not defined after a `release`. */
  take(bytes: number): Pointer {
    const start = Math.ceil(this.#next / 64) * 64;
    const end = start + bytes;
    const missing = Math.ceil((end - this.memory.buffer.byteLength) / PAGE_BYTES);
    if (missing > 0)
      try {
        this.memory.grow(missing);
      } catch (cause) {
        throw new FathomError('task', `no room for ${Math.ceil(bytes / 2 ** 20)} MiB more in kernel memory`, {
          hint: 'it holds 4 GiB at most, and the machine may have less: fewer rows',
          cause,
        });
      }
    this.#next = end;
    return start;
  }

  /** Where the next block begins, for `release`. */
  mark(): Pointer {
    return this.#next;
  }

  /** Gives back all blocks taken since the mark. */
  release(mark: Pointer): void {
    this.#next = mark;
  }

  floats(pointer: Pointer, length: number): Float32Array {
    return new Float32Array(this.memory.buffer, pointer, length);
  }

  doubles(pointer: Pointer, length: number): Float64Array {
    return new Float64Array(this.memory.buffer, pointer, length);
  }

  words(pointer: Pointer, length: number): Int32Array {
    return new Int32Array(this.memory.buffer, pointer, length);
  }
}
