/**
 * One iteration of t-SNE in pieces that any number of threads can share: a piece is named by its number, writes only
 * what is its own, and does the same whoever does it. Repulsion by interpolation on a grid and Fourier transforms
 * (Linderman et al., Nature Methods 2019), here by cubic B-splines in place of their quadratics in boxes: smooth, and as
 * good on a grid of less than half the nodes.
 */
import { transform, Transform } from './fourier';
import { sumOfLanes } from './elementary';

/** All that pieces need; written by the caller before the threads begin. Addresses are in bytes. */
// @ts-ignore: decorator
@unmanaged
class Layout {
  rows: i32;
  /** Nodes of the grid along either axis. */
  nodes: i32;
  /** Place of the second node, in x and y: the first point may stand there. */
  low: f32;
  /** Nodes per unit of the map. */
  perUnit: f32;
  /** rows pairs x, y. */
  points: usize;
  /** rows pairs: pull of the neighbours, sum over j of p q (y_i - y_j). */
  pull: usize;
  /** rows pairs: push of all, sum over j of q^2 (y_i - y_j). */
  push: usize;
  /** rows pairs: last step, and its gain. */
  steps: usize;
  gains: usize;
  /** Edges of row i: `starts[i] .. starts[i + 1] - 1`, a multiple of four. */
  starts: usize;
  targets: usize;
  weights: usize;
  /** `nodes` rows of `transform.length` vectors: charges 1, x, y, x^2 + y^2. */
  grid: usize;
  /** Transform of the kernel, `transform.length` floats for each of `transform.length / 2 + 1` columns. */
  kernel: usize;
  forward: usize;
  inverse: usize;
  /** Buffers of four times `transform.length` vectors for each thread. */
  scratch: usize;
  /** A double for each piece of `collect`, six for each piece of `move`. */
  sums: usize;
  /** Added to every point before its step. */
  shiftX: f32;
  shiftY: f32;
  exaggeration: f32;
  /** 1 over the sum of q over all pairs. */
  perZ: f32;
  momentum: f32;
  learningRate: f32;
  /** No step is longer than this. */
  longest: f32;
}

const ROWS_A_PIECE = 512;
const LINES_A_PIECE = 8;

/** Piece 0 puts the charges on the grid, piece i + 1 computes the pull on the i-th 512 rows. */
export function tsneAttract(piece: i32, thread: i32, layout: usize): void {
  const l = changetype<Layout>(layout);
  if (piece == 0) spread(l);
  else attract(l, (piece - 1) * ROWS_A_PIECE, min(piece * ROWS_A_PIECE, l.rows));
}

/** Transforms eight rows of the grid. */
export function tsneTransformRows(piece: i32, thread: i32, layout: usize): void {
  const l = changetype<Layout>(layout);
  transformRows(l, changetype<Transform>(l.forward), piece, thread);
}

/** Transforms eight rows of the grid back. */
export function tsneRestoreRows(piece: i32, thread: i32, layout: usize): void {
  const l = changetype<Layout>(layout);
  transformRows(l, changetype<Transform>(l.inverse), piece, thread);
}

function transformRows(l: Layout, t: Transform, piece: i32, thread: i32): void {
  const bytes = <usize>t.length << 4;
  const scratch = l.scratch + <usize>thread * 4 * bytes;
  const end = min((piece + 1) * LINES_A_PIECE, l.nodes);
  for (let row = piece * LINES_A_PIECE; row < end; row++) {
    const here = l.grid + <usize>row * bytes;
    const result = transform(here, scratch, t);
    if (result != here) memory.copy(here, result, bytes);
  }
}

/** Eight columns of the grid: transformed, times the kernel's transform, and back, two at a time while in cache. */
export function tsneConvolveColumns(piece: i32, thread: i32, layout: usize): void {
  const l = changetype<Layout>(layout);
  const forward = changetype<Transform>(l.forward);
  const inverse = changetype<Transform>(l.inverse);
  const length = forward.length;
  const bytes = <usize>length << 4;
  const used = l.nodes;
  const usedBytes = <usize>used << 4;
  const first = l.scratch + <usize>thread * 4 * bytes;
  const second = first + 2 * bytes;
  const end = min((piece + 1) * LINES_A_PIECE, length);
  // The length is even, so columns come in pairs.
  for (let column = piece * LINES_A_PIECE; column < end; column += 2) {
    let at = l.grid + (<usize>column << 4);
    for (let o: usize = 0; o < usedBytes; o += 16, at += bytes) {
      v128.store(first + o, v128.load(at));
      v128.store(second + o, v128.load(at, 16));
    }
    memory.fill(first + usedBytes, 0, bytes - usedBytes);
    memory.fill(second + usedBytes, 0, bytes - usedBytes);
    const left = convolve(first, bytes, column, l.kernel, forward, inverse);
    const right = convolve(second, bytes, column + 1, l.kernel, forward, inverse);
    at = l.grid + (<usize>column << 4);
    for (let o: usize = 0; o < usedBytes; o += 16, at += bytes) {
      v128.store(at, v128.load(left + o));
      v128.store(at, v128.load(right + o), 16);
    }
  }
}

// @ts-ignore: decorator
@inline
function convolve(
  at: usize,
  bytes: usize,
  column: i32,
  kernel: usize,
  forward: Transform,
  inverse: Transform,
): usize {
  const result = transform(at, at + bytes, forward);
  // The kernel is even: its transform is real and the same from either end.
  const factors = kernel + ((<usize>min(column, forward.length - column) * forward.length) << 2);
  for (let i: usize = 0; i < <usize>forward.length; i++) {
    const value = result + (i << 4);
    v128.store(value, f32x4.mul(v128.load(value), v128.load32_splat(factors + (i << 2))));
  }
  return transform(result, result == at ? at + bytes : at, inverse);
}

/** Weights of the nodes before, at, after and two after a place, `t` of the way from node to node: cubic B-spline. */
// @ts-ignore: decorator
@inline
function weightOf(node: i32, t: f32): f32 {
  const sixth: f32 = 1.0 / 6;
  if (node == 0) return (1 - t) * (1 - t) * (1 - t) * sixth;
  if (node == 1) return ((3 * t - 6) * t * t + 4) * sixth;
  if (node == 2) return (((3 - 3 * t) * t + 3) * t + 1) * sixth;
  return t * t * t * sixth;
}

/** Puts the charges of all points on the sixteen nodes around each, in row order. */
function spread(l: Layout): void {
  const line = <usize>changetype<Transform>(l.forward).length << 4;
  memory.fill(l.grid, 0, <usize>l.nodes * line);
  for (let i: usize = 0; i < <usize>l.rows; i++) {
    const x = load<f32>(l.points + (i << 3));
    const y = load<f32>(l.points + (i << 3), 4);
    const u = (x - l.low) * l.perUnit;
    const v = (y - l.low) * l.perUnit;
    const cellX = max(0, min(<i32>u, l.nodes - 4));
    const cellY = max(0, min(<i32>v, l.nodes - 4));
    const placeX = u - <f32>cellX;
    const placeY = v - <f32>cellY;
    const charges = f32x4(1, x, y, x * x + y * y);
    const w0 = f32x4.splat(weightOf(0, placeY));
    const w1 = f32x4.splat(weightOf(1, placeY));
    const w2 = f32x4.splat(weightOf(2, placeY));
    const w3 = f32x4.splat(weightOf(3, placeY));
    let node = l.grid + <usize>cellX * line + (<usize>cellY << 4);
    for (let a = 0; a < 4; a++, node += line) {
      const share = f32x4.mul(charges, f32x4.splat(weightOf(a, placeX)));
      v128.store(node, f32x4.add(v128.load(node), f32x4.mul(share, w0)));
      v128.store(node, f32x4.add(v128.load(node, 16), f32x4.mul(share, w1)), 16);
      v128.store(node, f32x4.add(v128.load(node, 32), f32x4.mul(share, w2)), 32);
      v128.store(node, f32x4.add(v128.load(node, 48), f32x4.mul(share, w3)), 48);
    }
  }
}

/**
 * Reads the push on 512 rows from the grid, and leaves the sum of their q over all others in `sums[piece]`. With the
 * squared kernel q^2 convolved with 1, x, y and x^2 + y^2, both follow, since q = q^2 (1 + distance^2).
 */
export function tsneCollect(piece: i32, thread: i32, layout: usize): void {
  const l = changetype<Layout>(layout);
  const line = <usize>changetype<Transform>(l.forward).length << 4;
  const from = piece * ROWS_A_PIECE;
  const end = min(from + ROWS_A_PIECE, l.rows);
  let z: f64 = 0;
  for (let i = <usize>from; i < <usize>end; i++) {
    const x = load<f32>(l.points + (i << 3));
    const y = load<f32>(l.points + (i << 3), 4);
    const u = (x - l.low) * l.perUnit;
    const v = (y - l.low) * l.perUnit;
    const cellX = max(0, min(<i32>u, l.nodes - 4));
    const cellY = max(0, min(<i32>v, l.nodes - 4));
    const placeX = u - <f32>cellX;
    const placeY = v - <f32>cellY;
    const w0 = f32x4.splat(weightOf(0, placeY));
    const w1 = f32x4.splat(weightOf(1, placeY));
    const w2 = f32x4.splat(weightOf(2, placeY));
    const w3 = f32x4.splat(weightOf(3, placeY));
    let node = l.grid + <usize>cellX * line + (<usize>cellY << 4);
    let sum = f32x4.splat(0);
    for (let a = 0; a < 4; a++, node += line) {
      let column = f32x4.mul(v128.load(node), w0);
      column = f32x4.add(column, f32x4.mul(v128.load(node, 16), w1));
      column = f32x4.add(column, f32x4.mul(v128.load(node, 32), w2));
      column = f32x4.add(column, f32x4.mul(v128.load(node, 48), w3));
      sum = f32x4.add(sum, f32x4.mul(column, f32x4.splat(weightOf(a, placeX))));
    }
    const ones = <f64>f32x4.extract_lane(sum, 0);
    const xs = <f64>f32x4.extract_lane(sum, 1);
    const ys = <f64>f32x4.extract_lane(sum, 2);
    const squares = <f64>f32x4.extract_lane(sum, 3);
    const atX = <f64>x;
    const atY = <f64>y;
    z += (1 + atX * atX + atY * atY) * ones - 2 * (atX * xs + atY * ys) + squares;
    store<f32>(l.push + (i << 3), <f32>(atX * ones - xs));
    store<f32>(l.push + (i << 3), <f32>(atY * ones - ys), 4);
  }
  // Each row counted itself once.
  store<f64>(l.sums + (<usize>piece << 3), z - (end - from));
}

/** Pull on rows `from .. end - 1`, four edges at a time. */
function attract(l: Layout, from: i32, end: i32): void {
  const one = f32x4.splat(1);
  for (let i = <usize>from; i < <usize>end; i++) {
    const here = l.points + (i << 3);
    const x = v128.load32_splat(here);
    const y = v128.load32_splat(here, 4);
    let pullX = f32x4.splat(0);
    let pullY = f32x4.splat(0);
    const last = <usize>load<u32>(l.starts + (i << 2), 4) << 2;
    for (let edge = <usize>load<u32>(l.starts + (i << 2)) << 2; edge < last; edge += 16) {
      const target = l.targets + edge;
      let ab = v128.load64_zero(l.points + (<usize>load<u32>(target) << 3));
      let cd = v128.load64_zero(l.points + (<usize>load<u32>(target, 8) << 3));
      ab = v128.load64_lane(l.points + (<usize>load<u32>(target, 4) << 3), ab, 1);
      cd = v128.load64_lane(l.points + (<usize>load<u32>(target, 12) << 3), cd, 1);
      const xs = i8x16.shuffle(ab, cd, 0, 1, 2, 3, 8, 9, 10, 11, 16, 17, 18, 19, 24, 25, 26, 27);
      const ys = i8x16.shuffle(ab, cd, 4, 5, 6, 7, 12, 13, 14, 15, 20, 21, 22, 23, 28, 29, 30, 31);
      const dx = f32x4.sub(x, xs);
      const dy = f32x4.sub(y, ys);
      const squared = f32x4.add(f32x4.mul(dx, dx), f32x4.mul(dy, dy));
      const strength = f32x4.div(v128.load(l.weights + edge), f32x4.add(one, squared));
      pullX = f32x4.add(pullX, f32x4.mul(strength, dx));
      pullY = f32x4.add(pullY, f32x4.mul(strength, dy));
    }
    store<f32>(l.pull + (i << 3), sumOfLanes(pullX));
    store<f32>(l.pull + (i << 3), sumOfLanes(pullY), 4);
  }
}

/**
 * Moves 512 rows: momentum, a gain per coordinate that grows while its direction holds, steps cut to `longest`. Leaves
 * in `sums[6 piece]` the sums of x and y and the smallest and largest x and y after it.
 */
export function tsneMove(piece: i32, thread: i32, layout: usize): void {
  const l = changetype<Layout>(layout);
  const from = piece * ROWS_A_PIECE;
  const end = min(from + ROWS_A_PIECE, l.rows);
  const longest = l.longest * l.longest;
  let sumX: f64 = 0;
  let sumY: f64 = 0;
  let lowX: f32 = f32.MAX_VALUE;
  let lowY: f32 = f32.MAX_VALUE;
  let highX: f32 = -f32.MAX_VALUE;
  let highY: f32 = -f32.MAX_VALUE;
  for (let i = <usize>from; i < <usize>end; i++) {
    const o = i << 3;
    const slopeX = l.exaggeration * load<f32>(l.pull + o) - l.perZ * load<f32>(l.push + o);
    const slopeY = l.exaggeration * load<f32>(l.pull + o, 4) - l.perZ * load<f32>(l.push + o, 4);
    const lastX = load<f32>(l.steps + o);
    const lastY = load<f32>(l.steps + o, 4);
    const gainX = grown(load<f32>(l.gains + o), slopeX, lastX);
    const gainY = grown(load<f32>(l.gains + o, 4), slopeY, lastY);
    let stepX = l.momentum * lastX - l.learningRate * gainX * slopeX;
    let stepY = l.momentum * lastY - l.learningRate * gainY * slopeY;
    const length = stepX * stepX + stepY * stepY;
    if (length > longest) {
      const cut = l.longest / sqrt<f32>(length);
      stepX *= cut;
      stepY *= cut;
    }
    const x = load<f32>(l.points + o) + l.shiftX + stepX;
    const y = load<f32>(l.points + o, 4) + l.shiftY + stepY;
    store<f32>(l.gains + o, gainX);
    store<f32>(l.gains + o, gainY, 4);
    store<f32>(l.steps + o, stepX);
    store<f32>(l.steps + o, stepY, 4);
    store<f32>(l.points + o, x);
    store<f32>(l.points + o, y, 4);
    sumX += x;
    sumY += y;
    lowX = min(lowX, x);
    lowY = min(lowY, y);
    highX = max(highX, x);
    highY = max(highY, y);
  }
  const sums = l.sums + <usize>piece * 48;
  store<f64>(sums, sumX);
  store<f64>(sums, sumY, 8);
  store<f64>(sums, lowX, 16);
  store<f64>(sums, lowY, 24);
  store<f64>(sums, highX, 32);
  store<f64>(sums, highY, 40);
}

// @ts-ignore: decorator
@inline
function grown(gain: f32, slope: f32, last: f32): f32 {
  return max<f32>(slope > 0 == last > 0 ? gain * <f32>0.8 : gain + <f32>0.2, 0.01);
}
