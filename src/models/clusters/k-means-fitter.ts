/**
 * k-means on the kernels. Lloyd's iterations run on the rows in single precision, and look again only at rows whose
 * centres have moved far enough to matter; what rounding may have done to a comparison is known, and rows nearer than
 * that to being undecided are decided in double precision. Once no row moves, iterations go on with the rows as given,
 * in double precision, until none moves there either: labels and centres are a fixed point of plain Lloyd iterations.
 */
import { Arena } from '../../kernels/arena.ts';
import { BLOCK_ROWS } from '../../kernels/cluster-kernels.ts';
import { type Kernels, type Multiply, makeKernels, type Pointer, type Products } from '../../kernels/kernels.ts';
import type { Rng } from '../../random/rng.ts';
import type { Points } from '../feature-space.ts';
import { nearestCentre, ownDistances } from './centres.ts';
import { drawsFor, farthestRow, type Run, spreadStarts } from './k-means-plain.ts';
import { drawn, type Scale, scaleOf } from './k-means-scale.ts';

/** Rows copied and packed at a time. */
const PACKED = 1024;
/** Largest size of a packed value whose squares are safe. */
const LARGEST = 1e6;
/** Relative rounding error of single precision. */
const ROUNDING = 2 ** -24;
/** Above this share of rows to look at, all are taken in order. */
const DENSE = 0.5;
/** Squared length of a centre that there is not. */
const FAR = 1e30;

type Place =
  | ('rows' | 'copied' | 'means' | 'labels' | 'deadlines' | 'indices' | 'undecided' | 'block' | 'norms')
  | ('best' | 'gaps' | 'scores' | 'held' | 'left' | 'tried' | 'blockSums')
  | ('centres' | 'packedCentres' | 'centreNorms' | 'drifts' | 'sums' | 'sizes');

export class KMeansFitter {
  readonly #kernels: Kernels;
  readonly #arena: Arena;
  readonly #multiply: Multiply | undefined;
  #points: Points = { rows: 0, columns: 0, values: new Float64Array(0) };
  /** Columns, rounded up to a multiple of four. */
  #padded = 0;
  #scale: Scale = { means: new Float64Array(0), factor: 1 };
  /** Clusters that there is room for. */
  #room = 0;
  #at = {} as Record<Place, Pointer>;

  /** @param products who multiplies; by default a kernel that multiplies and compares at once */
  constructor(products?: Products) {
    this.#kernels = makeKernels();
    this.#arena = new Arena(this.#kernels);
    this.#multiply = products?.(this.#kernels);
    // Later growth of the memory would make views of it void.
    if (products !== undefined) this.#kernels.reserveGemm(BLOCK_ROWS);
  }

  load(points: Points): void {
    if (points === this.#points) return;
    this.#points = points;
    this.#room = 0;
  }

  /** Lays out the memory for at least `k` clusters, and packs the rows. */
  #prepare(k: number): void {
    if (k <= this.#room) return;
    this.#room = Math.max(k, 16);
    const { rows, columns } = this.#points;
    const padded = Math.ceil(columns / 4) * 4;
    const slots = Math.ceil(this.#room / 4) * 4;
    const fours = Math.ceil(rows / 4) * 4;
    this.#padded = padded;
    this.#at = this.#arena.lay<Place>({
      rows: rows * padded * 4,
      copied: PACKED * columns * 8,
      means: columns * 8,
      labels: rows * 4,
      deadlines: rows * 4,
      indices: (rows + 1) * 4,
      undecided: BLOCK_ROWS * 4,
      block: BLOCK_ROWS * padded * 4,
      norms: BLOCK_ROWS * 4,
      best: BLOCK_ROWS * 4,
      gaps: BLOCK_ROWS * 4,
      scores: this.#multiply === undefined ? 0 : slots * BLOCK_ROWS * 4,
      held: fours * 4,
      left: fours * 4,
      tried: fours * 4,
      blockSums: Math.ceil(rows / BLOCK_ROWS) * 8,
      centres: slots * padded * 8,
      packedCentres: slots * padded * 4,
      centreNorms: slots * 4,
      drifts: slots * 4,
      sums: slots * padded * 8,
      sizes: slots * 4,
    });
    this.#scale = scaleOf(this.#points, 'sample');
    if (this.#pack() <= LARGEST) return;
    this.#scale = scaleOf(this.#points, 'all');
    this.#pack();
  }

  #pack(): number {
    const { rows, columns, values } = this.#points;
    const at = this.#at;
    this.#doubles('means', columns).set(this.#scale.means);
    const copied = this.#doubles('copied', PACKED * columns);
    let largest = 0;
    for (let first = 0; first < rows; first += PACKED) {
      const count = Math.min(PACKED, rows - first);
      copied.set(values.subarray(first * columns, (first + count) * columns));
      const target = at.rows + first * this.#padded * 4;
      const { factor } = this.#scale;
      largest = Math.max(
        largest,
        this.#kernels.packRows(at.copied, count, columns, this.#padded, at.means, factor, target),
      );
    }
    return largest;
  }

  #doubles(place: Place, length: number): Float64Array {
    return new Float64Array(this.#kernels.memory.buffer, this.#at[place], length);
  }

  #floats(place: Place, length: number): Float32Array {
    return new Float32Array(this.#kernels.memory.buffer, this.#at[place], length);
  }

  #integers(place: Place, length: number): Int32Array {
    return new Int32Array(this.#kernels.memory.buffer, this.#at[place], length);
  }

  /**
   * Starts of k-means++: see `spreadStarts`, whose distances are taken in single precision here. Where that cannot tell
   * rows apart, the plain way is taken.
   */
  starts(k: number, rng: Rng): Float64Array {
    this.#prepare(k);
    const { rows, columns, values } = this.#points;
    const at = this.#at;
    const sums = this.#doubles('blockSums', Math.ceil(rows / BLOCK_ROWS));
    let { held, left, tried } = at;
    const leave = (row: number, before: Pointer, target: Pointer): number => {
      const point = at.rows + row * this.#padded * 4;
      this.#kernels.kMeansLeft(at.rows, rows, this.#padded, point, before, target, at.blockSums);
      return sums.reduce((sum, x) => sum + x, 0);
    };
    const first = rng.below(rows);
    const chosen = [first];
    let total = leave(first, 0, held);
    let heldSums: Float64Array = sums.slice();
    const draws = drawsFor(k);
    while (chosen.length < k) {
      if (!(total > 0)) return spreadStarts(this.#points, k, rng);
      let best: { row: number; total: number; sums: Float64Array } | undefined;
      const weights = new Float32Array(this.#kernels.memory.buffer, held, rows);
      for (let draw = 0; draw < draws; draw++) {
        const row = drawn(weights, heldSums, rng.uniform() * total);
        const remaining = leave(row, held, tried);
        if (best !== undefined && remaining >= best.total) continue;
        best = { row, total: remaining, sums: sums.slice() };
        [left, tried] = [tried, left];
      }
      if (best === undefined) break;
      chosen.push(best.row);
      ({ total, sums: heldSums } = best);
      [held, left] = [left, held];
    }
    const out = new Float64Array(chosen.length * columns);
    for (const [c, row] of chosen.entries()) out.set(values.subarray(row * columns, (row + 1) * columns), c * columns);
    return out;
  }

  /** Lloyd's iterations from given centres until no row changes its cluster. */
  lloyd(start: Float64Array, maxIterations: number, onStep?: () => void): Run {
    const { rows, columns } = this.#points;
    const k = start.length / columns;
    this.#prepare(k);
    const labels = this.#integers('labels', rows).fill(-1);
    const drifts = new Float64Array(k);
    const centres = Float64Array.from(start);
    this.#floats('drifts', k).fill(0);
    this.#doubles('sums', k * this.#padded).fill(0);
    const sizes = this.#integers('sizes', k).fill(0);
    this.#setCentres(centres);
    this.#assign(k, true);
    let iterations = 0;
    // On the packed rows, then on the rows as given; centres are packed ones until then.
    let exact = false;
    while (iterations < maxIterations) {
      onStep?.();
      iterations++;
      if (sizes.includes(0)) this.#refill(k);
      if (exact) {
        this.#exactMeans(centres, k);
        this.#drift(drifts, this.#setCentres(centres));
        if (this.#assign(k, false, centres) === 0) break;
        continue;
      }
      this.#drift(drifts, this.#packedMeans(k));
      if (this.#assign(k, false) > 0) continue;
      exact = true;
      iterations--;
    }
    if (!exact) {
      this.#unpackCentres(centres, k);
      this.#assign(k, false, centres);
    }
    const found = labels.slice();
    const squared = ownDistances(this.#points, found, centres);
    let inertia = 0;
    for (const d of squared) inertia += d;
    return { k, centres, labels: found, squared, inertia, iterations };
  }

  /** Means of the rows as given, summed in their order. */
  #exactMeans(centres: Float64Array, k: number): void {
    const { rows, columns, values } = this.#points;
    const labels = this.#integers('labels', rows);
    const sizes = this.#integers('sizes', k);
    centres.fill(0);
    for (let i = 0; i < rows; i++) {
      const at = (labels[i] as number) * columns;
      const from = i * columns;
      for (let c = 0; c < columns; c++) centres[at + c] = (centres[at + c] as number) + (values[from + c] as number);
    }
    for (let c = 0; c < k; c++)
      for (let j = c * columns; j < (c + 1) * columns; j++) centres[j] = (centres[j] as number) / (sizes[c] as number);
  }

  /** Centres of rows as given, packed; returns how far each has moved from where it was. */
  #setCentres(centres: Float64Array): Float64Array {
    const { columns } = this.#points;
    const { means, factor } = this.#scale;
    const k = centres.length / columns;
    return this.#replaceCentres(k, (c, j) =>
      j < columns ? ((centres[c * columns + j] as number) - (means[j] as number)) * factor : 0,
    );
  }

  /** Every centre to the mean of its packed rows. */
  #packedMeans(k: number): Float64Array {
    const sums = this.#doubles('sums', k * this.#padded);
    const sizes = this.#integers('sizes', k);
    return this.#replaceCentres(k, (c, j) => (sums[c * this.#padded + j] as number) / (sizes[c] as number));
  }

  #replaceCentres(k: number, valueAt: (centre: number, column: number) => number): Float64Array {
    const centres = this.#doubles('centres', k * this.#padded);
    return Float64Array.from({ length: k }, (_, c) => {
      let squared = 0;
      for (let j = 0; j < this.#padded; j++) {
        const value = valueAt(c, j);
        const d = value - (centres[c * this.#padded + j] as number);
        squared += d * d;
        centres[c * this.#padded + j] = value;
      }
      return Math.sqrt(squared);
    });
  }

  #unpackCentres(centres: Float64Array, k: number): void {
    const { columns } = this.#points;
    const { means, factor } = this.#scale;
    const packed = this.#doubles('centres', k * this.#padded);
    for (let c = 0; c < k; c++)
      for (let j = 0; j < columns; j++)
        centres[c * columns + j] = (packed[c * this.#padded + j] as number) / factor + (means[j] as number);
  }

  /** Collects how far a row's own centre and the farthest other one have moved together. */
  #drift(drifts: Float64Array, moved: Float64Array): void {
    let farthest = 0;
    for (const [c, distance] of moved.entries()) if (distance > (moved[farthest] as number)) farthest = c;
    let second = 0;
    for (const [c, distance] of moved.entries()) if (c !== farthest) second = Math.max(second, distance);
    const rounded = this.#floats('drifts', moved.length);
    for (const [c, distance] of moved.entries()) {
      const other = c === farthest ? second : (moved[farthest] as number);
      drifts[c] = (drifts[c] as number) + (distance + other) * (1 + 1e-9);
      // Rounded up: a deadline may be reached too soon, never too late.
      rounded[c] = (drifts[c] as number) * (1 + 2e-7);
    }
  }

  /**
   * Looks at all rows, or at those whose deadline has passed; returns how many changed their cluster.
   * @param exact centres of the rows as given, by which those rows decide that are not certain
   */
  #assign(k: number, all: boolean, exact?: Float64Array): number {
    const kernels = this.#kernels;
    const at = this.#at;
    const { rows } = this.#points;
    const loss = this.#packCentres(k);
    const due = all ? rows : kernels.kMeansDue(rows, at.labels, at.deadlines, at.drifts, at.indices);
    const dense = due > DENSE * rows;
    const total = dense ? rows : due;
    const undecided = exact === undefined ? 0 : at.undecided;
    let changed = 0;
    for (let from = 0; from < total; from += BLOCK_ROWS) {
      const count = Math.min(BLOCK_ROWS, total - from);
      const indices = dense ? 0 : at.indices + 4 * from;
      const first = dense ? from : 0;
      kernels.turnRows(at.rows, this.#padded, first, indices, count, at.block, at.norms);
      this.#nearest(count, k, loss);
      changed += kernels.kMeansSettle(
        at.rows,
        this.#padded,
        first,
        indices,
        count,
        at.best,
        at.gaps,
        at.labels,
        at.deadlines,
        at.drifts,
        at.centres,
        k,
        at.sums,
        at.sizes,
        undecided,
      );
      if (exact !== undefined) changed += this.#decide(k, exact);
    }
    return changed;
  }

  /** Decides the rows that the kernel has left undecided, in double precision. */
  #decide(k: number, centres: Float64Array): number {
    const { rows, columns, values } = this.#points;
    const labels = this.#integers('labels', rows);
    const sizes = this.#integers('sizes', k);
    let changed = 0;
    for (const row of this.#integers('undecided', this.#kernels.kMeansUndecided())) {
      const { nearest } = nearestCentre(values, row * columns, centres, columns);
      const label = labels[row] as number;
      if (nearest === label) continue;
      changed++;
      labels[row] = nearest;
      sizes[label] = (sizes[label] as number) - 1;
      sizes[nearest] = (sizes[nearest] as number) + 1;
    }
    return changed;
  }

  #nearest(count: number, k: number, { factor, offset }: Loss): void {
    const { block, norms, best, gaps, packedCentres, centreNorms, scores } = this.#at;
    const padded = this.#padded;
    if (this.#multiply === undefined) {
      const groups = Math.ceil(k / 4);
      const { kMeansNearest } = this.#kernels;
      const { columns } = this.#points;
      kMeansNearest(block, norms, count, columns, packedCentres, centreNorms, groups, factor, offset, best, gaps);
      return;
    }
    this.#multiply(0, 0, k, BLOCK_ROWS, padded, packedCentres, padded, block, BLOCK_ROWS, scores, BLOCK_ROWS);
    this.#kernels.kMeansSelect(scores, norms, count, centreNorms, k, factor, offset, best, gaps);
  }

  /** Centres as the products want them, and what rounding may do to the difference of two scores. */
  #packCentres(k: number): Loss {
    const { columns } = this.#points;
    const padded = this.#padded;
    const slots = Math.ceil(k / 4) * 4;
    const centres = this.#doubles('centres', k * padded);
    const packed = this.#floats('packedCentres', slots * padded).fill(0);
    const norms = this.#floats('centreNorms', slots).fill(FAR);
    let longest = 0;
    for (let c = 0; c < k; c++) {
      let norm = 0;
      for (let j = 0; j < columns; j++) {
        const value = Math.fround(centres[c * padded + j] as number);
        norm += value * value;
        const grouped = (Math.floor(c / 4) * columns + j) * 4 + (c % 4);
        packed[this.#multiply === undefined ? grouped : c * padded + j] = -2 * value;
      }
      norms[c] = norm;
      longest = Math.max(longest, norm);
    }
    // Each score errs by less than (columns + 4) roundings of |x|^2 + 2 |c|^2; some room is left.
    const factor = 2 * (padded + 8) * ROUNDING;
    return { factor, offset: factor * 2 * longest + 1e-34 };
  }

  /** Gives each empty cluster the row that lies farthest from its centre, from clusters that keep another row. */
  #refill(k: number): void {
    const { rows } = this.#points;
    const padded = this.#padded;
    const packed = this.#floats('rows', rows * padded);
    const centres = this.#doubles('centres', k * padded);
    const labels = this.#integers('labels', rows);
    const sizes = this.#integers('sizes', k);
    const sums = this.#doubles('sums', k * padded);
    const squared = Float64Array.from(labels, (label, i) => {
      let sum = 0;
      for (let j = 0; j < padded; j++)
        sum += ((packed[i * padded + j] as number) - (centres[label * padded + j] as number)) ** 2;
      return sum;
    });
    for (let empty = 0; empty < k; empty++) {
      if (sizes[empty] !== 0) continue;
      const row = farthestRow(sizes, labels, squared);
      if (row < 0) return;
      const from = labels[row] as number;
      sizes[from] = (sizes[from] as number) - 1;
      sizes[empty] = 1;
      labels[row] = empty;
      squared[row] = 0;
      // To be looked at again whatever happens.
      this.#floats('deadlines', rows)[row] = 0;
      for (let j = 0; j < padded; j++) {
        const value = packed[row * padded + j] as number;
        sums[from * padded + j] = (sums[from * padded + j] as number) - value;
        sums[empty * padded + j] = value;
      }
    }
  }
}

interface Loss {
  readonly factor: number;
  readonly offset: number;
}
