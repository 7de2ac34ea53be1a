/**
 * The Barnes-Hut way (van der Maaten, JMLR 2014): far points push as one. For small maps, and the measure of the other.
 *
 * All arithmetic is in doubles, in a fixed order: equal bytes on every machine.
 */
import type { Graph } from './graph.ts';
import { type Plane, ranAway } from './matrix.ts';
import { Quadtree } from './quadtree.ts';
import { divergenceOf } from './tsne-divergence.ts';
import { LONGEST_STEP, scheduleAt, type TsneOptimiser, type TsneOptions } from './tsne-options.ts';

/** Gradient descent with momentum and a gain per coordinate that grows while its direction holds. */
export class BarnesHutTsne implements TsneOptimiser {
  readonly #graph: Graph;
  /** Moved in place. */
  readonly points: Plane;
  readonly #options: TsneOptions;
  readonly #tree: Quadtree;
  readonly #gradient: Plane;
  readonly #repulsion: Plane;
  readonly #update: Plane;
  readonly #gains: Plane;
  #iteration = 0;

  /** @param points the start; moved in place */
  constructor(graph: Graph, points: Plane, options: TsneOptions) {
    this.#graph = graph;
    this.points = points;
    this.#options = options;
    this.#tree = new Quadtree(graph.rows, options.theta);
    this.#gradient = new Float64Array(points.length);
    this.#repulsion = new Float64Array(points.length);
    this.#update = new Float64Array(points.length);
    this.#gains = new Float64Array(points.length).fill(1);
  }

  /** Iterations done. */
  get iteration(): number {
    return this.#iteration;
  }

  /** All that changes from iteration to iteration. */
  snapshot(): Uint8Array {
    const state = [Float64Array.of(this.#iteration), this.points, this.#update, this.#gains];
    return Buffer.concat(state.map((part) => new Uint8Array(part.buffer, part.byteOffset, part.byteLength)));
  }

  /** Goes back to a snapshot; one of another size is ignored, as it belongs to other data. */
  restore(snapshot: Uint8Array): void {
    const size = this.points.length;
    if (snapshot.byteLength !== 8 * (1 + 3 * size)) return;
    const state = new Float64Array(snapshot.slice().buffer);
    this.#iteration = state[0] as number;
    this.points.set(state.subarray(1, 1 + size));
    this.#update.set(state.subarray(1 + size, 1 + 2 * size));
    this.#gains.set(state.subarray(1 + 2 * size));
  }

  /** One iteration; the map stays centred at the origin. */
  step(): void {
    const { exaggeration, momentum, learningRate } = scheduleAt(this.#iteration++, this.#graph.rows, this.#options);
    const gradient = this.gradient(exaggeration);
    const points = this.points;
    const grown = (c: number): number => {
      const turned = (gradient[c] as number) > 0 === (this.#update[c] as number) > 0;
      const gain = Math.max(0.01, turned ? (this.#gains[c] as number) * 0.8 : (this.#gains[c] as number) + 0.2);
      this.#gains[c] = gain;
      return momentum * (this.#update[c] as number) - learningRate * gain * (gradient[c] as number);
    };
    for (let c = 0; c < points.length; c += 2) {
      let x = grown(c);
      let y = grown(c + 1);
      const length = Math.sqrt(x * x + y * y);
      if (length === Infinity) throw ranAway();
      if (length > LONGEST_STEP) {
        x *= LONGEST_STEP / length;
        y *= LONGEST_STEP / length;
      }
      this.#update[c] = x;
      this.#update[c + 1] = y;
      points[c] = (points[c] as number) + x;
      points[c + 1] = (points[c + 1] as number) + y;
    }
    centre(points);
  }

  /** A quarter of the gradient of the divergence: sum over j of (exaggeration p - q / Z) q (y_i - y_j). */
  gradient(exaggeration: number): Plane {
    const { starts, targets, weights, rows } = this.#graph;
    const points = this.points;
    const perZ = 1 / this.#tree.repulsion(points, this.#repulsion);
    for (let i = 0; i < rows; i++) {
      const x = points[2 * i] as number;
      const y = points[2 * i + 1] as number;
      let pullX = 0;
      let pullY = 0;
      const end = starts[i + 1] as number;
      for (let edge = starts[i] as number; edge < end; edge++) {
        const j = 2 * (targets[edge] as number);
        const dx = x - (points[j] as number);
        const dy = y - (points[j + 1] as number);
        const pull = (weights[edge] as number) / (1 + dx * dx + dy * dy);
        pullX += pull * dx;
        pullY += pull * dy;
      }
      this.#gradient[2 * i] = exaggeration * pullX - (this.#repulsion[2 * i] as number) * perZ;
      this.#gradient[2 * i + 1] = exaggeration * pullY - (this.#repulsion[2 * i + 1] as number) * perZ;
    }
    return this.#gradient;
  }

  /** With Z as accurate as `theta`. */
  divergence(): number {
    return divergenceOf(this.#graph, this.points, this.#tree.repulsion(this.points, this.#repulsion));
  }
}

/** Moves the mean of the points to the origin. */
function centre(points: Plane): void {
  const rows = points.length / 2;
  let x = 0;
  let y = 0;
  for (let i = 0; i < rows; i++) {
    x += points[2 * i] as number;
    y += points[2 * i + 1] as number;
  }
  x /= rows;
  y /= rows;
  for (let i = 0; i < rows; i++) {
    points[2 * i] = (points[2 * i] as number) - x;
    points[2 * i + 1] = (points[2 * i + 1] as number) - y;
  }
}
