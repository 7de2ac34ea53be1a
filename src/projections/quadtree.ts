/**
 * Barnes-Hut repulsion in the plane: far groups of points act as one (van der Maaten, "Accelerating t-SNE using
 * tree-based algorithms", JMLR 2014).
 *
 * The quadtree is rebuilt for every call. Points are sorted along a Z-order curve of 65,536 x 65,536 cells; the tree
 * then lies in arrays in the order of a walk from the root, and each node knows where the walk goes on if it is not
 * entered. Walking it needs no stack, and neighbours on the curve walk nearly the same path.
 */
import type { Plane } from './matrix.ts';

/** Bits per axis of the Z-order curve. */
const LEVELS = 16;
/** Numbers a node: centre of mass x and y, points, and the squared width that decides whether it is entered. */
const FIELDS = 4;

export class Quadtree {
  readonly #rows: number;
  readonly #theta: number;
  #codes: Uint32Array;
  #order: Int32Array;
  #codesSpare: Uint32Array;
  #orderSpare: Int32Array;
  readonly #counts = new Uint32Array(65536);
  readonly #nodes: Float64Array;
  /** The node after this one's subtree. */
  readonly #skips: Int32Array;
  #used = 0;

  /** @param theta width of a group over its distance, below which it acts as one; 0 is exact */
  constructor(rows: number, theta: number) {
    this.#rows = rows;
    this.#theta = theta;
    this.#codes = new Uint32Array(rows);
    this.#order = new Int32Array(rows);
    this.#codesSpare = new Uint32Array(rows);
    this.#orderSpare = new Int32Array(rows);
    this.#nodes = new Float64Array(2 * rows * FIELDS);
    this.#skips = new Int32Array(2 * rows);
  }

  /**
   * Sums over the other points j of q² (y_i - y_j), with q = 1 / (1 + |y_i - y_j|²), into `forces`.
   * @returns the sum of q over all ordered pairs, Z of t-SNE
   */
  repulsion(points: Plane, forces: Plane): number {
    this.#build(points);
    const nodes = this.#nodes;
    const skips = this.#skips;
    const end = this.#used;
    let total = 0;
    for (let p = 0; p < this.#rows; p++) {
      const i = this.#order[p] as number;
      const x = points[2 * i] as number;
      const y = points[2 * i + 1] as number;
      let forceX = 0;
      let forceY = 0;
      let sum = 0;
      for (let node = 0; node < end; ) {
        const at = FIELDS * node;
        const dx = x - (nodes[at] as number);
        const dy = y - (nodes[at + 1] as number);
        const squared = dx * dx + dy * dy;
        if ((nodes[at + 3] as number) <= squared) {
          const q = 1 / (1 + squared);
          const massQ = (nodes[at + 2] as number) * q;
          sum += massQ;
          forceX += massQ * q * dx;
          forceY += massQ * q * dy;
          node = skips[node] as number;
        } else node++;
      }
      forces[2 * i] = forceX;
      forces[2 * i + 1] = forceY;
      // The point met itself, with q = 1 and no force.
      total += sum - 1;
    }
    return total;
  }

  #build(points: Plane): void {
    let lowX = Infinity;
    let highX = -Infinity;
    let lowY = Infinity;
    let highY = -Infinity;
    for (let i = 0; i < this.#rows; i++) {
      const x = points[2 * i] as number;
      const y = points[2 * i + 1] as number;
      if (x < lowX) lowX = x;
      if (x > highX) highX = x;
      if (y < lowY) lowY = y;
      if (y > highY) highY = y;
    }
    const width = Math.max(highX - lowX, highY - lowY) * (1 + 1e-9) + 1e-300;
    const scale = 65536 / width;
    for (let i = 0; i < this.#rows; i++) {
      const column = Math.min(65535, ((points[2 * i] as number) - lowX) * scale);
      const row = Math.min(65535, ((points[2 * i + 1] as number) - lowY) * scale);
      this.#codes[i] = interleave(column) | (interleave(row) << 1);
      this.#order[i] = i;
    }
    this.#sortByCode();
    this.#used = 0;
    this.#addNode(points, 0, this.#rows, 0, width);
  }

  /** Stable radix sort of `codes` and `order`, 16 bits a pass. */
  #sortByCode(): void {
    for (let shift = 0; shift < 32; shift += 16) {
      const counts = this.#counts.fill(0);
      for (const code of this.#codes) {
        const digit = (code >>> shift) & 0xffff;
        counts[digit] = (counts[digit] as number) + 1;
      }
      let start = 0;
      for (let digit = 0; digit < 65536; digit++) {
        const count = counts[digit] as number;
        counts[digit] = start;
        start += count;
      }
      for (let p = 0; p < this.#rows; p++) {
        const code = this.#codes[p] as number;
        const digit = (code >>> shift) & 0xffff;
        const place = counts[digit] as number;
        counts[digit] = place + 1;
        this.#codesSpare[place] = code;
        this.#orderSpare[place] = this.#order[p] as number;
      }
      [this.#codes, this.#codesSpare] = [this.#codesSpare, this.#codes];
      [this.#order, this.#orderSpare] = [this.#orderSpare, this.#order];
    }
  }

  /** Adds the subtree of the sorted points `from .. to - 1`, which share a cell of this level and width. */
  #addNode(points: Plane, from: number, to: number, level: number, width: number): void {
    const nodes = this.#nodes;
    const codes = this.#codes;
    const node = this.#used++;
    const at = FIELDS * node;
    const first = codes[from] as number;
    const last = codes[to - 1] as number;
    let sumX = 0;
    let sumY = 0;
    let entered = 0;
    if (first === last) {
      // One point, or several closer than the finest cell: always taken as one.
      for (let p = from; p < to; p++) {
        sumX += points[2 * (this.#order[p] as number)] as number;
        sumY += points[2 * (this.#order[p] as number) + 1] as number;
      }
    } else {
      // Levels at which all points fall in one child need no node.
      let shift = 2 * (LEVELS - 1 - level);
      while (((first >>> shift) & 3) === ((last >>> shift) & 3)) {
        shift -= 2;
        level++;
        width /= 2;
      }
      for (let start = from; start < to; ) {
        const quadrant = ((codes[start] as number) >>> shift) & 3;
        let stop = start + 1;
        // The first point beyond this quadrant, by bisection.
        for (let beyond = to; stop < beyond; ) {
          const middle = (stop + beyond) >> 1;
          if ((((codes[middle] as number) >>> shift) & 3) === quadrant) stop = middle + 1;
          else beyond = middle;
        }
        const child = FIELDS * this.#used;
        this.#addNode(points, start, stop, level + 1, width / 2);
        const mass = nodes[child + 2] as number;
        sumX += (nodes[child] as number) * mass;
        sumY += (nodes[child + 1] as number) * mass;
        start = stop;
      }
      entered = (width * width) / (this.#theta * this.#theta);
    }
    const mass = to - from;
    nodes[at] = sumX / mass;
    nodes[at + 1] = sumY / mass;
    nodes[at + 2] = mass;
    nodes[at + 3] = entered;
    this.#skips[node] = this.#used;
  }
}

/** The 16 bits of a number at the even places of 32. */
function interleave(value: number): number {
  let v = value & 0xffff;
  v = (v | (v << 8)) & 0x00ff00ff;
  v = (v | (v << 4)) & 0x0f0f0f0f;
  v = (v | (v << 2)) & 0x33333333;
  return (v | (v << 1)) & 0x55555555;
}
