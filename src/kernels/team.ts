/**
 * Threads that share out pieces of work on one wasm memory. A piece does the same whoever does it, so that the number of
 * threads changes nothing but the time.
 *
 * The caller's own thread works too. Pieces are taken from a counter; it carries the number of the round, so that a
 * thread that wakes late can take nothing of a round that is over, and nobody need wait for it.
 */
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { FathomError } from '../errors.ts';
import { compiledRoot, packageRoot } from '../paths.ts';
import type { Pointer } from './kernels.ts';
import {
  Arena,
  compileSharedKernels,
  instantiate,
  makeSharedMemory,
  type PieceName,
  type SharedKernels,
  type SharedMemory,
} from './shared-kernels.ts';

/** Words at the start of the data: what the threads agree by. */
const slots = {
  /** Round and next piece: `round << PIECE_BITS | piece`. */
  next: 0,
  pieces: 1,
  /** Pieces of this round that are done. */
  done: 2,
  /** Which function: its place in `pieceNames`. */
  work: 3,
  job: 4,
  /** 1 when a thread has failed. */
  failed: 5,
} as const;

const CONTROL_BYTES = 64;
const PIECE_BITS = 13;
const PIECE_MASK = (1 << PIECE_BITS) - 1;
/** Looks at the counter before a thread goes to sleep: some tens of microseconds, longer than the gap between rounds. */
const SPINS = 20_000;

export interface TeamStart {
  readonly module: object;
  readonly memory: SharedMemory;
  readonly control: Pointer;
  readonly thread: number;
}

/** All functions that do pieces, in one order on all threads. */
const pieceNames: readonly PieceName[] = [
  'tsneAttract',
  'tsneTransformRows',
  'tsneConvolveColumns',
  'tsneRestoreRows',
  'tsneCollect',
  'tsneMove',
  'umapMove',
];

export class Team {
  readonly kernels: SharedKernels;
  readonly arena: Arena;
  readonly threads: number;
  readonly #control: Int32Array;
  readonly #workers: Worker[] = [];
  #round = 0;

  private constructor(threads: number) {
    const module = compileSharedKernels();
    const memory = makeSharedMemory();
    this.kernels = instantiate(module, memory);
    this.arena = new Arena(memory, this.kernels.dataStart());
    this.threads = threads;
    const control = this.arena.take(CONTROL_BYTES);
    this.#control = this.arena.words(control, CONTROL_BYTES / 4);
    for (let thread = 1; thread < threads; thread++) {
      const workerData: TeamStart = { module, memory, control, thread };
      this.#workers.push(new Worker(compiled(new URL('./team-worker.js', import.meta.url)), { workerData }));
    }
  }

  /** @param threads in all, that of the caller included */
  static async open(threads: number): Promise<Team> {
    const team = new Team(Math.max(1, Math.floor(threads)));
    try {
      await Promise.all(
        team.#workers.map(
          (worker) =>
            new Promise<void>((resolve, reject) => {
              worker.once('message', () => resolve());
              worker.once('error', reject);
            }),
        ),
      );
    } catch (error) {
      await team.close();
      throw error;
    }
    return team;
  }

  /** Does pieces 0 to `pieces - 1` of one kind and returns when all are done. */
  run(work: PieceName, pieces: number, job: Pointer): void {
    if (pieces > PIECE_MASK) throw new FathomError('internal', `${pieces} pieces are more than a round can count`);
    if (this.threads === 1) {
      for (let piece = 0; piece < pieces; piece++) this.kernels[work](piece, 0, job);
      return;
    }
    const control = this.#control;
    // Closed first: nobody can take a piece by half of the old round's words and half of the new one's.
    Atomics.store(control, slots.next, (this.#round << PIECE_BITS) | PIECE_MASK);
    control[slots.pieces] = pieces;
    control[slots.work] = pieceNames.indexOf(work);
    control[slots.job] = job;
    Atomics.store(control, slots.done, 0);
    this.#round = (this.#round + 1) & (2 ** (31 - PIECE_BITS) - 1);
    Atomics.store(control, slots.next, this.#round << PIECE_BITS);
    Atomics.notify(control, slots.next);
    takePieces(control, this.kernels, 0);
    for (let spins = 0; ; spins++) {
      const done = Atomics.load(control, slots.done);
      if (done >= pieces) return;
      if (Atomics.load(control, slots.failed) !== 0) throw new FathomError('task', 'a thread of the layout failed');
      // The thread that has the last piece may be waiting for this core.
      if (spins > SPINS) Atomics.wait(control, slots.done, done, 0.1);
    }
  }

  async close(): Promise<void> {
    await Promise.all(this.#workers.map((worker) => worker.terminate()));
  }
}

/** Works in a thread of its own until it is ended. */
export function serve({ module, memory, control: at, thread }: TeamStart): never {
  const kernels = instantiate(module, memory);
  const control = new Int32Array(memory.buffer, at, CONTROL_BYTES / 4);
  for (;;) {
    const seen = Atomics.load(control, slots.next);
    try {
      takePieces(control, kernels, thread);
    } catch (error) {
      Atomics.store(control, slots.failed, 1);
      throw error;
    }
    let spins = 0;
    while (spins < SPINS && Atomics.load(control, slots.next) >> PIECE_BITS === seen >> PIECE_BITS) spins++;
    const now = Atomics.load(control, slots.next);
    if (now >> PIECE_BITS === seen >> PIECE_BITS) Atomics.wait(control, slots.next, now);
  }
}

/** Takes pieces of the present round until none is left. */
function takePieces(control: Int32Array, kernels: SharedKernels, thread: number): void {
  for (;;) {
    const next = Atomics.load(control, slots.next);
    const piece = next & PIECE_MASK;
    const pieces = control[slots.pieces] as number;
    const work = pieceNames[control[slots.work] as number];
    const job = (control[slots.job] as number) >>> 0;
    if (next === 0 || work === undefined || piece >= pieces) return;
    // If this succeeds, the round has not changed since the lines above, and they read what belongs to it.
    if (Atomics.compareExchange(control, slots.next, next, next + 1) !== next) continue;
    kernels[work](piece, thread, job);
    Atomics.add(control, slots.done, 1);
  }
}

/** Threads run compiled code, also where the caller runs from its sources under the test runner. */
function compiled(url: URL): string {
  const fromSources = path.relative(path.join(packageRoot, 'src'), fileURLToPath(url));
  return fromSources.startsWith('..') ? fileURLToPath(url) : path.join(compiledRoot, fromSources);
}
