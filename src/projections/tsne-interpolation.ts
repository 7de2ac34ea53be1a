/**
 * The interpolating way (Linderman et al., Nature Methods 2019): the push of all points is a convolution, done on a grid
 * with Fourier transforms. In single precision, by the kernels of `kernels/tsne.ts`, on several threads; every sum over
 * rows is made of fixed blocks, so that the number of threads changes no byte.
 */
import type { Pointer } from '../kernels/kernels.ts';
import type { Team } from '../kernels/team.ts';
import type { Graph } from './graph.ts';
import { type Plane, ranAway } from './matrix.ts';
import { divergenceOf } from './tsne-divergence.ts';
import { type Grid, gridNodes, makeGrid } from './tsne-grid.ts';
import { LONGEST_STEP, scheduleAt, type TsneOptimiser, type TsneOptions } from './tsne-options.ts';

/** Fields of `Layout` in kernels/tsne.ts, in its order; each takes four bytes. */
const words = [
  ...['rows', 'nodes', 'low', 'perUnit', 'points', 'pull', 'push', 'steps', 'gains', 'starts', 'targets', 'weights'],
  ...['grid', 'kernel', 'forward', 'inverse', 'scratch', 'sums', 'shiftX', 'shiftY', 'exaggeration', 'perZ'],
  ...['momentum', 'learningRate', 'longest'],
] as const;

const ROWS_A_PIECE = 512;
const LINES_A_PIECE = 8;
/** Numbers that a piece of `move` leaves: sums of x and y, lowest x and y, highest x and y. */
const SUMS_A_PIECE = 6;
/** Iteration, shift and extent at the head of a snapshot. */
const HEAD = 7;
/** Distance between nodes of the grid, in units of the map; the kernel falls to half at 0.64. */
const APART = 0.6;

interface Extent {
  readonly lowX: number;
  readonly lowY: number;
  readonly highX: number;
  readonly highY: number;
}

export class InterpolatedTsne implements TsneOptimiser {
  readonly #team: Team;
  readonly #options: TsneOptions;
  readonly #rows: number;
  readonly #job: Pointer;
  readonly #integers: Int32Array;
  readonly #reals: Float32Array;
  readonly #state: Readonly<Record<'points' | 'steps' | 'gains' | 'pull' | 'push', Float32Array>>;
  readonly #edges: { readonly starts: Int32Array; readonly targets: Int32Array; readonly weights: Float32Array };
  readonly #sums: Float64Array;
  readonly #gridMark: Pointer;
  #grid: Grid | undefined;
  #iteration = 0;
  #shift = { x: 0, y: 0 };
  #extent: Extent;

  /**
   * @param graph affinities between rows in an order in which near rows stand near each other
   * @param start first positions; not changed
   */
  constructor(team: Team, graph: Graph, start: Plane, options: TsneOptions) {
    const { rows } = graph;
    const { arena } = team;
    this.#team = team;
    this.#options = options;
    this.#rows = rows;
    this.#job = arena.take(4 * words.length);
    this.#integers = arena.words(this.#job, words.length);
    this.#reals = arena.floats(this.#job, words.length);
    const plane = (name: (typeof words)[number]): Float32Array => {
      const at = arena.take(8 * rows);
      this.#set(name, at);
      return arena.floats(at, 2 * rows);
    };
    this.#state = {
      points: plane('points'),
      steps: plane('steps'),
      gains: plane('gains').fill(1),
      pull: plane('pull'),
      push: plane('push'),
    };
    const pieces = Math.ceil(rows / ROWS_A_PIECE);
    const sumsAt = arena.take(8 * SUMS_A_PIECE * pieces);
    this.#sums = arena.doubles(sumsAt, SUMS_A_PIECE * pieces);
    this.#set('sums', sumsAt);
    this.#edges = this.#loadEdges(graph);
    this.#set('rows', rows);
    this.#reals[words.indexOf('longest')] = LONGEST_STEP;
    this.#gridMark = arena.mark();
    this.#state.points.set(start);
    this.#extent = extentOf(this.#state.points);
  }

  get iteration(): number {
    return this.#iteration;
  }

  get points(): Plane {
    const { x, y } = this.#shift;
    return Float64Array.from(this.#state.points, (at, c) => at + (c % 2 === 0 ? x : y));
  }

  step(): void {
    const { exaggeration, momentum, learningRate } = scheduleAt(this.#iteration++, this.#rows, this.#options);
    const { z } = this.forces();
    this.#setReal('perZ', 1 / z);
    this.#setReal('exaggeration', exaggeration);
    this.#setReal('momentum', momentum);
    this.#setReal('learningRate', learningRate);
    this.#setReal('shiftX', this.#shift.x);
    this.#setReal('shiftY', this.#shift.y);
    const pieces = Math.ceil(this.#rows / ROWS_A_PIECE);
    this.#team.run('tsneMove', pieces, this.#job);
    this.#readMove(pieces);
  }

  /**
   * What acts on every point, x and y side by side: the pull of its neighbours, sum over j of p q (y_i - y_j), and the
   * push of all, sum over j of q^2 (y_i - y_j); and Z, the sum of q over all ordered pairs.
   */
  forces(): { readonly pull: Float32Array; readonly push: Float32Array; readonly z: number } {
    const team = this.#team;
    const grid = this.#coverMap();
    const pieces = Math.ceil(this.#rows / ROWS_A_PIECE);
    const usedLines = Math.ceil(grid.length / 2 / LINES_A_PIECE);
    team.run('tsneAttract', pieces + 1, this.#job);
    team.run('tsneTransformRows', usedLines, this.#job);
    team.run('tsneConvolveColumns', Math.ceil(grid.length / LINES_A_PIECE), this.#job);
    team.run('tsneRestoreRows', usedLines, this.#job);
    team.run('tsneCollect', pieces, this.#job);
    let z = 0;
    for (let piece = 0; piece < pieces; piece++) z += this.#sums[piece] as number;
    return { pull: this.#state.pull, push: this.#state.push, z };
  }

  /** Lays the grid over the map as it is now. */
  #coverMap(): Grid {
    const { lowX, lowY, highX, highY } = this.#extent;
    const span = Math.max(highX, highY) - Math.min(lowX, lowY);
    // Sound layouts span some hundreds.
    if (!(span < 20_000)) throw ranAway();
    const nodes = gridNodes(span, APART);
    let grid = this.#grid;
    if (grid?.nodes !== nodes) {
      const { arena, kernels, threads } = this.#team;
      arena.release(this.#gridMark);
      grid = makeGrid(kernels, arena, nodes, APART, threads);
      this.#grid = grid;
      this.#set('grid', grid.values);
      for (const name of ['nodes', 'kernel', 'forward', 'inverse', 'scratch'] as const) this.#set(name, grid[name]);
      this.#setReal('perUnit', 1 / APART);
    }
    // The map lies in the middle of the cells, which begin at the second node.
    const middle = (Math.min(lowX, lowY) + Math.max(highX, highY)) / 2;
    this.#setReal('low', middle - ((grid.nodes - 3) * APART) / 2);
    return grid;
  }

  #readMove(pieces: number): void {
    let [x, y] = [0, 0];
    let [lowX, lowY, highX, highY] = [Infinity, Infinity, -Infinity, -Infinity];
    for (let piece = 0; piece < pieces; piece++) {
      const at = piece * SUMS_A_PIECE;
      x += this.#sums[at] as number;
      y += this.#sums[at + 1] as number;
      lowX = Math.min(lowX, this.#sums[at + 2] as number);
      lowY = Math.min(lowY, this.#sums[at + 3] as number);
      highX = Math.max(highX, this.#sums[at + 4] as number);
      highY = Math.max(highY, this.#sums[at + 5] as number);
    }
    this.#shift = { x: Math.fround(-x / this.#rows), y: Math.fround(-y / this.#rows) };
    this.#extent = { lowX, lowY, highX, highY };
  }

  divergence(): number {
    return divergenceOf(this.#edges, this.#state.points, this.forces().z);
  }

  snapshot(): Uint8Array {
    const { lowX, lowY, highX, highY } = this.#extent;
    const head = Float64Array.of(this.#iteration, this.#shift.x, this.#shift.y, lowX, lowY, highX, highY);
    const { points, steps, gains } = this.#state;
    return Buffer.concat([head, points, steps, gains].map((part) => Buffer.from(part.slice().buffer)));
  }

  restore(snapshot: Uint8Array): void {
    const size = 2 * this.#rows;
    if (snapshot.byteLength !== 8 * HEAD + 3 * 4 * size) return;
    const bytes = snapshot.slice().buffer;
    const head = Array.from(new Float64Array(bytes, 0, HEAD));
    const [iteration = 0, x = 0, y = 0, lowX = 0, lowY = 0, highX = 0, highY = 0] = head;
    this.#iteration = iteration;
    this.#shift = { x, y };
    this.#extent = { lowX, lowY, highX, highY };
    const state = new Float32Array(bytes, 8 * HEAD);
    this.#state.points.set(state.subarray(0, size));
    this.#state.steps.set(state.subarray(size, 2 * size));
    this.#state.gains.set(state.subarray(2 * size));
  }

  #set(name: (typeof words)[number], value: number): void {
    this.#integers[words.indexOf(name)] = value;
  }

  #setReal(name: (typeof words)[number], value: number): void {
    this.#reals[words.indexOf(name)] = value;
  }

  /** Every row's edges, filled up to a multiple of four by edges of weight 0 to itself. */
  #loadEdges({ rows, starts, targets, weights }: Graph) {
    const { arena } = this.#team;
    const startsAt = arena.take(4 * (rows + 1));
    const padded = arena.words(startsAt, rows + 1);
    for (let i = 0; i < rows; i++)
      padded[i + 1] = (padded[i] as number) + 4 * Math.ceil(((starts[i + 1] as number) - (starts[i] as number)) / 4);
    const count = padded[rows] as number;
    const targetsAt = arena.take(4 * count);
    const weightsAt = arena.take(4 * count);
    const to = arena.words(targetsAt, count);
    const by = arena.floats(weightsAt, count);
    for (let i = 0; i < rows; i++) {
      const from = starts[i] as number;
      const end = starts[i + 1] as number;
      to.fill(i, padded[i] as number, padded[i + 1] as number);
      to.set(targets.subarray(from, end), padded[i] as number);
      by.set(weights.subarray(from, end), padded[i] as number);
    }
    this.#set('starts', startsAt);
    this.#set('targets', targetsAt);
    this.#set('weights', weightsAt);
    return { starts: padded, targets: to, weights: by };
  }
}

function extentOf(points: Float32Array): Extent {
  let [lowX, lowY, highX, highY] = [Infinity, Infinity, -Infinity, -Infinity];
  for (let c = 0; c < points.length; c += 2) {
    const x = points[c] as number;
    const y = points[c + 1] as number;
    lowX = Math.min(lowX, x);
    lowY = Math.min(lowY, y);
    highX = Math.max(highX, x);
    highY = Math.max(highY, y);
  }
  return { lowX, lowY, highX, highY };
}
