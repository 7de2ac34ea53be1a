/**
 * One pass of UMAP's layout (McInnes, Healy and Melville, arXiv 1802.03426) in pieces that any number of threads can
 * share. Rows are taken in turns: those of one turn read where all points stood when it began, and move together when it
 * ends. Random numbers are a function of pass, row and draw.
 *
 * A row takes its forces one after the other, each from where the one before has brought it: an edge's pull, then the
 * pushes that balance it. Early steps are longer than the distances of near rows, which is how the layout gets unstuck:
 * forces taken together, or all pushes before or after all pulls, leave worse maps. So the four lanes are four rows.
 */
import { multiplyAdd } from './elementary';
import { sortKeys } from './keys';

/** All that pieces need; written by the caller before the threads begin. Addresses are in bytes. */
// @ts-ignore: decorator
@unmanaged
class Pass {
  /** The first row that moves, and how many do; those before stand still. */
  first: i32;
  rows: i32;
  /** Rows that random draws come from: 0 to `population - 1`. */
  population: i32;
  /** Row `first + i` has its turn when i % turns is `turn`. */
  turns: i32;
  turn: i32;
  /** Of the pass, from 0. */
  number: f32;
  /** Of this pass's random numbers. */
  seed: u32;
  /** Step size. */
  rate: f32;
  /** Draws of a random row for each edge. */
  draws: i32;
  /** Weight of a pull: 2 where each end of an edge is its head once, since a pull moves only one end, and not both. */
  pull: f32;
  /** Of the curve 1 / (1 + a d^2b). */
  a: f32;
  b: f32;
  /** Pairs x, y of all rows; `moved` of those of this turn. */
  points: usize;
  moved: usize;
  /** Edges of row `first + i`: `starts[i] .. starts[i + 1] - 1`. */
  starts: usize;
  targets: usize;
  /** Passes between two pulls of an edge, and the pass of its next one. */
  periods: usize;
  due: usize;
  /** Room for the lists of a piece: `room` bytes a thread. */
  scratch: usize;
  room: u32;
}

const ROWS_A_PIECE = 128;

/** Moves the rows `piece * 128 ..` of this turn. */
export function umapMove(piece: i32, thread: i32, pass: usize): void {
  const p = changetype<Pass>(pass);
  const first = p.turn + piece * ROWS_A_PIECE * p.turns;
  const rows = min(ROWS_A_PIECE, (p.rows - first + p.turns - 1) / p.turns);
  const keys = p.scratch + <usize>thread * p.room;
  listEdgesDue(p, first, rows, keys);
  // Sorted, so that rows with about equally many edges go side by side.
  sortKeys(keys, rows);
  for (let at = 0; at < rows; at += 4) moveFour(p, first, keys + (<usize>at << 3), min(4, rows - at));
}

/** Ends a turn: its rows stand where they moved to. */
export function umapSettle(pass: usize): void {
  const p = changetype<Pass>(pass);
  for (let i = p.turn; i < p.rows; i += p.turns)
    store<f64>(p.points + (<usize>(p.first + i) << 3), load<f64>(p.moved + (<usize>i << 3)));
}

/**
 * Lists the other ends of the edges that pull in this pass, and before all lists a key for each row: how many there are,
 * the number of the row in the piece (a byte), and the address of its list.
 */
function listEdgesDue(p: Pass, first: i32, rows: i32, keys: usize): void {
  let list = keys + (ROWS_A_PIECE << 3);
  for (let n = 0; n < rows; n++) {
    const start = list;
    const starts = p.starts + (<usize>(first + n * p.turns) << 2);
    const end = load<u32>(starts, 4);
    for (let edge = load<u32>(starts); edge < end; edge++) {
      const at = <usize>edge << 2;
      const due = load<f32>(p.due + at);
      if (due > p.number) continue;
      store<f32>(p.due + at, due + load<f32>(p.periods + at));
      store<u32>(list, load<u32>(p.targets + at));
      list += 4;
    }
    const count = <u64>(list - start >> 2);
    store<u64>(keys + (<usize>n << 3), (count << 40) | (<u64>n << 32) | <u64>start);
  }
}

// @ts-ignore: decorator
@inline
function countOf(key: u64): i32 {
  return <i32>(key >> 40);
}

/** Number of the row among those that move. */
// @ts-ignore: decorator
@inline
function rowOf(p: Pass, first: i32, key: u64): i32 {
  return first + <i32>((key >> 32) & 0xff) * p.turns;
}

/** Other end of edge `q` of those due; the row itself where there are fewer. */
// @ts-ignore: decorator
@inline
function otherEnd(p: Pass, key: u64, q: i32, row: i32): i32 {
  return q < countOf(key) ? load<i32>(<usize>(<u32>key) + (<usize>q << 2)) : p.first + row;
}

/** Moves the rows of `lanes` keys, in ascending order; the last one fills lanes that are left, to the same end. */
function moveFour(p: Pass, first: i32, keys: usize, lanes: i32): void {
  const k0 = load<u64>(keys);
  const k1 = load<u64>(keys + (<usize>min(1, lanes - 1) << 3));
  const k2 = load<u64>(keys + (<usize>min(2, lanes - 1) << 3));
  const k3 = load<u64>(keys + (<usize>(lanes - 1) << 3));
  const i0 = rowOf(p, first, k0);
  const i1 = rowOf(p, first, k1);
  const i2 = rowOf(p, first, k2);
  const i3 = rowOf(p, first, k3);
  const rows = i32x4.add(fourOf(i0, i1, i2, i3), i32x4.splat(p.first));
  const counts = fourOf(countOf(k0), countOf(k1), countOf(k2), countOf(k3));
  const points = p.points;
  const own = points + (<usize>p.first << 3);
  const rate = f32x4.splat(p.rate);
  const pullRate = f32x4.splat(p.rate * p.pull);
  const draws = p.draws;
  let x = gathered(own, i0, i1, i2, i3);
  let y = gathered(own + 4, i0, i1, i2, i3);
  const most = countOf(k3);
  for (let q = 0; q < most; q++) {
    const due = i32x4.gt_s(counts, i32x4.splat(q));
    const e0 = otherEnd(p, k0, q, i0);
    const e1 = otherEnd(p, k1, q, i1);
    const e2 = otherEnd(p, k2, q, i2);
    const e3 = otherEnd(p, k3, q, i3);
    let dx = f32x4.sub(x, gathered(points, e0, e1, e2, e3));
    let dy = f32x4.sub(y, gathered(points + 4, e0, e1, e2, e3));
    let force = v128.and(pulling(p, squaredLength(dx, dy)), due);
    x = f32x4.add(x, f32x4.mul(pullRate, clipped(f32x4.mul(force, dx))));
    y = f32x4.add(y, f32x4.mul(pullRate, clipped(f32x4.mul(force, dy))));
    for (let draw = q * draws; draw < (q + 1) * draws; draw++) {
      const random = randomNumbers(p.seed, rows, draw);
      const r0 = below(p, i32x4.extract_lane(random, 0));
      const r1 = below(p, i32x4.extract_lane(random, 1));
      const r2 = below(p, i32x4.extract_lane(random, 2));
      const r3 = below(p, i32x4.extract_lane(random, 3));
      dx = f32x4.sub(x, gathered(points, r0, r1, r2, r3));
      dy = f32x4.sub(y, gathered(points + 4, r0, r1, r2, r3));
      // A row does not push itself: it may have left the place that it is seen at.
      const others = v128.and(due, i32x4.ne(fourOf(r0, r1, r2, r3), rows));
      force = v128.and(pushing(p, squaredLength(dx, dy)), others);
      x = f32x4.add(x, f32x4.mul(rate, clipped(f32x4.mul(force, dx))));
      y = f32x4.add(y, f32x4.mul(rate, clipped(f32x4.mul(force, dy))));
    }
  }
  const low = v128.shuffle<f32>(x, y, 0, 4, 1, 5);
  const high = v128.shuffle<f32>(x, y, 2, 6, 3, 7);
  v128.store64_lane(p.moved + (<usize>i0 << 3), low, 0);
  v128.store64_lane(p.moved + (<usize>i1 << 3), low, 1);
  v128.store64_lane(p.moved + (<usize>i2 << 3), high, 0);
  v128.store64_lane(p.moved + (<usize>i3 << 3), high, 1);
}

/** Force of an edge, over the difference of its ends. */
// @ts-ignore: decorator
@inline
function pulling(p: Pass, squared: v128): v128 {
  const power = power4(squared, f32x4.splat(p.b));
  const above = f32x4.mul(f32x4.splat(-2 * p.a * p.b), power);
  return f32x4.div(above, f32x4.mul(squared, f32x4.add(f32x4.mul(f32x4.splat(p.a), power), f32x4.splat(1))));
}

/** Force of a random row, over the difference. */
// @ts-ignore: decorator
@inline
function pushing(p: Pass, squared: v128): v128 {
  const power = power4(squared, f32x4.splat(p.b));
  const near = f32x4.add(squared, f32x4.splat(0.001));
  return f32x4.div(f32x4.splat(2 * p.b), f32x4.mul(near, f32x4.add(f32x4.mul(f32x4.splat(p.a), power), f32x4.splat(1))));
}

// @ts-ignore: decorator
@inline
function fourOf(i: i32, j: i32, k: i32, l: i32): v128 {
  const v = i32x4.replace_lane(i32x4.replace_lane(i32x4.splat(i), 1, j), 2, k);
  return i32x4.replace_lane(v, 3, l);
}

/**
 * x to the power `b` by log2 and exp2, relative error about 1e-5: polynomials nearest in the largest error (Remez), since
 * a step takes no more digits. x is a positive normal number; powers end at the
 * normal numbers.
 */
// @ts-ignore: decorator
@inline
function power4(x: v128, b: v128): v128 {
  // x = (1 + f) 2^n with 1 + f from sqrt(1/2) to sqrt(2).
  const n = i32x4.shr_s(i32x4.sub(x, i32x4.splat(0x3f3504f3)), 23);
  const f = f32x4.sub(i32x4.sub(x, i32x4.shl(n, 23)), f32x4.splat(1));
  const f2 = f32x4.mul(f, f);
  // Pairs of terms, so that one product need not wait for another.
  let log = multiplyAdd(f32x4.splat(-0.2065919), f, f32x4.splat(0.32215504));
  log = multiplyAdd(log, f2, multiplyAdd(f32x4.splat(-0.36749), f, f32x4.splat(0.479348)));
  log = multiplyAdd(log, f2, multiplyAdd(f32x4.splat(-0.72113186), f, f32x4.splat(1.4427135)));
  log = multiplyAdd(log, f, f32x4.convert_i32x4_s(n));
  const t = f32x4.max(f32x4.min(f32x4.mul(b, log), f32x4.splat(127)), f32x4.splat(-126));
  const whole = f32x4.nearest(t);
  const r = f32x4.sub(t, whole);
  const r2 = f32x4.mul(r, r);
  let y = multiplyAdd(f32x4.splat(0.009685712), r2, multiplyAdd(f32x4.splat(0.055922028), r, f32x4.splat(0.24021865)));
  y = multiplyAdd(y, r2, multiplyAdd(f32x4.splat(0.69312104), r, f32x4.splat(1)));
  return f32x4.mul(y, i32x4.shl(i32x4.add(i32x4.trunc_sat_f32x4_s(whole), i32x4.splat(127)), 23));
}

/** No force is beyond 4 along an axis. */
// @ts-ignore: decorator
@inline
function clipped(force: v128): v128 {
  return f32x4.max(f32x4.min(force, f32x4.splat(4)), f32x4.splat(-4));
}

/** Kept above zero, where powers have no logarithm; the difference that the force is multiplied with is zero there. */
// @ts-ignore: decorator
@inline
function squaredLength(dx: v128, dy: v128): v128 {
  return f32x4.max(f32x4.add(f32x4.mul(dx, dx), f32x4.mul(dy, dy)), f32x4.splat(1e-12));
}

/** Floats at the given pairs. */
// @ts-ignore: decorator
@inline
function gathered(from: usize, i: u32, j: u32, k: u32, l: u32): v128 {
  let v = v128.load32_zero(from + (<usize>i << 3));
  v = v128.load32_lane(from + (<usize>j << 3), v, 1);
  v = v128.load32_lane(from + (<usize>k << 3), v, 2);
  return v128.load32_lane(from + (<usize>l << 3), v, 3);
}

/** A whole number below the population from 32 random bits; the bias is below population / 2^32. */
// @ts-ignore: decorator
@inline
function below(p: Pass, bits: i32): u32 {
  return <u32>((<u64>(<u32>bits) * <u64>p.population) >> 32);
}

/** Draw `draw` of four rows: a counter, mixed as MurmurHash3 ends (Appleby, 2011). */
// @ts-ignore: decorator
@inline
function randomNumbers(seed: u32, rows: v128, draw: i32): v128 {
  const counter = i32x4.add(i32x4.mul(rows, i32x4.splat(0x9e3779b1)), i32x4.splat(draw * 0x85ebca77));
  let h = v128.xor(counter, i32x4.splat(seed));
  h = i32x4.mul(v128.xor(h, i32x4.shr_u(h, 16)), i32x4.splat(0x85ebca6b));
  h = i32x4.mul(v128.xor(h, i32x4.shr_u(h, 13)), i32x4.splat(0xc2b2ae35));
  return v128.xor(h, i32x4.shr_u(h, 16));
}
