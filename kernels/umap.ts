/**
 * One pass of UMAP's layout (McInnes, Healy and Melville, arXiv 1802.03426) in pieces that any number of threads can
 * share. Rows are taken in turns: those of one turn read where all points stood when it began, and move together when it
 * ends. Random numbers are a function of pass, row and draw.
 */
import { exp4, log4, sumOfLanes } from './elementary';

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
  /** Times that an edge pulls: twice where both its ends are heads of it, since each pull moves one end only. */
  pulls: i32;
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
  /** Room for `longest` row numbers a thread. */
  scratch: usize;
  longest: i32;
}

const ROWS_A_PIECE = 128;

/** Moves the rows `piece * 128 ..` of this turn. */
export function umapMove(piece: i32, thread: i32, pass: usize): void {
  const p = changetype<Pass>(pass);
  const scratch = p.scratch + (<usize>thread * <usize>p.longest << 2);
  const end = min(p.rows, p.turn + (piece + 1) * ROWS_A_PIECE * p.turns);
  for (let i = p.turn + piece * ROWS_A_PIECE * p.turns; i < end; i += p.turns) moveRow(p, i, scratch);
}

/** Ends a turn: its rows stand where they moved to. */
export function umapSettle(pass: usize): void {
  const p = changetype<Pass>(pass);
  for (let i = p.turn; i < p.rows; i += p.turns)
    store<f64>(p.points + (<usize>(p.first + i) << 3), load<f64>(p.moved + (<usize>i << 3)));
}

function moveRow(p: Pass, i: i32, scratch: usize): void {
  const row = p.first + i;
  let place = v128.load64_zero(p.points + (<usize>row << 3));
  const count = edgesDue(p, i, row, scratch);
  for (let pull = 0; pull < p.pulls; pull++) {
    for (let at = 0; at < count; at += 4) place = f32x4.add(place, attraction(p, place, row, scratch + (<usize>at << 2)));
    if (pull > 0) continue;
    const draws = count * p.draws;
    for (let draw = 0; draw < draws; draw += 4)
      place = f32x4.add(place, repulsion(p, place, row, draw, min(4, draws - draw)));
  }
  v128.store64_lane(p.moved + (<usize>i << 3), place, 0);
}

/** Lists the other ends of the edges that pull in this pass, filled up to a multiple of four by the row itself, which does not count. */
function edgesDue(p: Pass, i: i32, row: i32, list: usize): i32 {
  let count: i32 = 0;
  const end = load<u32>(p.starts + (<usize>i << 2), 4);
  for (let edge = load<u32>(p.starts + (<usize>i << 2)); edge < end; edge++) {
    const at = <usize>edge << 2;
    const due = load<f32>(p.due + at);
    if (due > p.number) continue;
    store<f32>(p.due + at, due + load<f32>(p.periods + at));
    store<u32>(list + (<usize>count << 2), load<u32>(p.targets + at));
    count++;
  }
  for (let fill = count; (fill & 3) != 0; fill++) store<i32>(list + (<usize>fill << 2), row);
  return count;
}

/** Step towards the four rows listed, all seen from `place`: x and y, then zeros. */
function attraction(p: Pass, place: v128, row: i32, list: usize): v128 {
  const i = load<u32>(list);
  const j = load<u32>(list, 4);
  const k = load<u32>(list, 8);
  const l = load<u32>(list, 12);
  const dx = f32x4.sub(f32x4.splat(f32x4.extract_lane(place, 0)), gatherX(p, i, j, k, l));
  const dy = f32x4.sub(f32x4.splat(f32x4.extract_lane(place, 1)), gatherY(p, i, j, k, l));
  const squared = squaredLength(dx, dy);
  const power = exp4(f32x4.mul(f32x4.splat(p.b), log4(squared)));
  const above = f32x4.mul(f32x4.splat(-2 * p.a * p.b), power);
  const below = f32x4.mul(squared, f32x4.add(f32x4.mul(f32x4.splat(p.a), power), f32x4.splat(1)));
  const others = i32x4.ne(v128.load(list), i32x4.splat(row));
  return step(p, v128.and(f32x4.div(above, below), others), dx, dy);
}

/** Step away from up to four random rows, all seen from `place`: x and y, then zeros. */
function repulsion(p: Pass, place: v128, row: i32, draw: i32, count: i32): v128 {
  const random = randomNumbers(p.seed, row, draw);
  const i = below(p, i32x4.extract_lane(random, 0));
  const j = below(p, i32x4.extract_lane(random, 1));
  const k = below(p, i32x4.extract_lane(random, 2));
  const l = below(p, i32x4.extract_lane(random, 3));
  const dx = f32x4.sub(f32x4.splat(f32x4.extract_lane(place, 0)), gatherX(p, i, j, k, l));
  const dy = f32x4.sub(f32x4.splat(f32x4.extract_lane(place, 1)), gatherY(p, i, j, k, l));
  const squared = squaredLength(dx, dy);
  const power = exp4(f32x4.mul(f32x4.splat(p.b), log4(squared)));
  const near = f32x4.add(squared, f32x4.splat(0.001));
  const force = f32x4.div(
    f32x4.splat(2 * p.b),
    f32x4.mul(near, f32x4.add(f32x4.mul(f32x4.splat(p.a), power), f32x4.splat(1))),
  );
  // A row does not push itself: it may have left the place that it is seen at.
  const drawn = i32x4.lt_s(i32x4(0, 1, 2, 3), i32x4.splat(count));
  const others = i32x4.ne(fourOf(i, j, k, l), i32x4.splat(row));
  return step(p, v128.and(force, v128.and(drawn, others)), dx, dy);
}

// @ts-ignore: decorator
@inline
function fourOf(i: i32, j: i32, k: i32, l: i32): v128 {
  const v = i32x4.replace_lane(i32x4.replace_lane(i32x4.splat(i), 1, j), 2, k);
  return i32x4.replace_lane(v, 3, l);
}

/** Sum of the forces, none beyond 4 along an axis, times the rate. */
// @ts-ignore: decorator
@inline
function step(p: Pass, force: v128, dx: v128, dy: v128): v128 {
  const x = sumOfLanes(clipped(f32x4.mul(force, dx)));
  const y = sumOfLanes(clipped(f32x4.mul(force, dy)));
  return f32x4.replace_lane(f32x4.replace_lane(f32x4.splat(0), 0, p.rate * x), 1, p.rate * y);
}

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

// @ts-ignore: decorator
@inline
function gatherX(p: Pass, i: u32, j: u32, k: u32, l: u32): v128 {
  return gathered(p.points, i, j, k, l);
}

// @ts-ignore: decorator
@inline
function gatherY(p: Pass, i: u32, j: u32, k: u32, l: u32): v128 {
  return gathered(p.points + 4, i, j, k, l);
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

/** Draws `draw` to `draw + 3` of a row: a counter, mixed as MurmurHash3 ends (Appleby, 2011). */
// @ts-ignore: decorator
@inline
function randomNumbers(seed: u32, row: i32, draw: i32): v128 {
  const counter = i32x4.mul(i32x4.add(i32x4.splat(draw), i32x4(0, 1, 2, 3)), i32x4.splat(0x85ebca77));
  let h = v128.xor(i32x4.add(counter, i32x4.splat(row * 0x9e3779b1)), i32x4.splat(seed));
  h = i32x4.mul(v128.xor(h, i32x4.shr_u(h, 16)), i32x4.splat(0x85ebca6b));
  h = i32x4.mul(v128.xor(h, i32x4.shr_u(h, 13)), i32x4.splat(0xc2b2ae35));
  return v128.xor(h, i32x4.shr_u(h, 16));
}
