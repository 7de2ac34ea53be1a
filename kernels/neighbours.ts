/**
 * Exact nearest neighbours: candidates by products of matrices in single precision, distances in double precision.
 *
 * For rows q and p, |q - p|^2 = |q|^2 + |p|^2 - 2 qp. Rounding makes it wrong by at most margin(q) + margin(p), a small
 * part of the squared norms, whoever computes the products and in what order. So `low`, the computed value less both
 * margins, is never above the distance. A row keeps every row whose low is within its `radius`, a distance within which
 * it is known to have k rows: its neighbours are among those. At the end they are measured in double precision, column
 * by column, and sorted by (distance, row), so the result is that of measuring all pairs, bit for bit.
 */
import { selectSmallest, sortKeys } from './keys';
import { boxGap, Leaves } from './leaves';
import { allocate } from './memory';

// @ts-ignore: decorator
@unmanaged
export class Search {
  leaves: Leaves;
  k: i32;
  /** Candidates that a row of the present leaf has room for: at least k and twice a leaf. */
  capacity: i32;
  /** Square of the factor by which single-precision values were scaled, a power of two. */
  scale: f64;
  /** Per slot, single precision: squared norm less the margin, and the margin. */
  lowNorms: usize;
  margins: usize;
  /** Per leaf: its largest margin. */
  leafMargins: usize;
  /** The leaf whose rows look for neighbours, and per row of it: candidates as keys, how many, and the radius. */
  leaf: i32;
  candidates: usize;
  counts: usize;
  radii: usize;
  /** Keys of all leaves in the order of their distance. */
  visits: usize;
  /** Rows of the leaf that may find something in another one, and their values where they are not all. */
  active: usize;
  panel: usize;
  /** Products of the active rows (times -2) and the rows of the other leaf; distances of rows: `pitch`. */
  scores: usize;
  /** For measuring the candidates of one row: distances, sort tags, and their order. */
  distances: usize;
  tags: usize;
  ranking: usize;
}

export function makeSearch(
  leaves: Leaves, k: i32, capacity: i32, scale: f64, lowNorms: usize, margins: usize, leafMargins: usize,
  candidates: usize, scores: usize, panel: usize, visits: usize,
): Search {
  const search = changetype<Search>(allocate(offsetof<Search>()));
  search.leaves = leaves;
  search.k = k;
  search.capacity = capacity;
  search.scale = scale;
  search.lowNorms = lowNorms;
  search.margins = margins;
  search.leafMargins = leafMargins;
  search.candidates = candidates;
  search.scores = scores;
  search.panel = panel;
  search.visits = visits;
  const pitch = <usize>leaves.pitch;
  search.counts = allocate(pitch << 2);
  search.radii = allocate(pitch << 2);
  search.active = allocate(pitch << 2);
  // Two more than needed, since they are compared in pairs.
  search.distances = allocate(<usize>(capacity + 4) << 3);
  search.tags = allocate(<usize>(capacity + 4) << 3);
  search.ranking = allocate(<usize>(capacity + 4) << 2);
  return search;
}

/** Begins with a leaf: no candidates, no limits, all leaves by the distance of their boxes, itself first. */
export function beginLeaf(search: Search, leaf: i32): void {
  const leaves = search.leaves;
  search.leaf = leaf;
  const size = load<i32>(leaves.sizes + (<usize>leaf << 2));
  for (let i = 0; i < leaves.pitch; i++) {
    store<i32>(search.counts + (<usize>i << 2), 0);
    store<f32>(search.radii + (<usize>i << 2), i < size ? f32.MAX_VALUE : -1);
  }
  const margin = load<f32>(search.leafMargins + (<usize>leaf << 2));
  for (let other = 0; other < leaves.count; other++) {
    const low = max<f32>(boxGap(leaves, leaf, other) - margin - load<f32>(search.leafMargins + (<usize>other << 2)), 0);
    const number = other == leaf ? 0 : other + 1;
    store<u64>(search.visits + (<usize>other << 3), (<u64>reinterpret<u32>(other == leaf ? 0 : low) << 32) | <u64>number);
  }
  sortKeys(search.visits, leaves.count);
}

/** The leaf to be visited as number `turn`; -1 where it and all later ones are too far for every row. */
export function visitedLeaf(search: Search, turn: i32): i32 {
  const visit = load<u64>(search.visits + (<usize>turn << 3));
  const number = <i32>(<u32>visit);
  if (number == 0) return search.leaf;
  const gap = reinterpret<f32>(<u32>(visit >> 32));
  for (let i = 0; i < search.leaves.pitch; i++)
    if (load<f32>(search.radii + (<usize>i << 2)) >= gap) return number - 1;
  return -1;
}

/**
 * Lists the rows whose radius reaches the box of another leaf.
 * @returns how many; the first operand of their products is at `activeRows`
 */
export function listActive(search: Search, other: i32): i32 {
  const leaves = search.leaves;
  const columns = leaves.columns;
  const pitch = leaves.pitch;
  const slot = <usize>search.leaf * pitch;
  const lanes = leaves.lanes + (slot * columns << 2);
  const box = leaves.boxes + (<usize>other * columns << 3);
  const margin = f32x4.splat(load<f32>(search.leafMargins + (<usize>other << 2)));
  const zero = f32x4.splat(0);
  let count = 0;
  for (let i = 0; i < pitch; i += 4) {
    let lane = lanes + (<usize>i << 2);
    let sum = zero;
    for (let c = 0; c < columns; c++) {
      const x = v128.load(lane);
      const low = v128.load32_splat(box + (<usize>c << 2));
      const high = v128.load32_splat(box + (<usize>(columns + c) << 2));
      const gap = f32x4.max(f32x4.max(f32x4.sub(low, x), f32x4.sub(x, high)), zero);
      sum = f32x4.add(sum, f32x4.mul(gap, gap));
      lane += <usize>pitch << 2;
    }
    const room = f32x4.add(f32x4.add(margin, v128.load(search.margins + (slot + i << 2))), v128.load(search.radii + (<usize>i << 2)));
    // A row without a limit looks everywhere; a slot without a row has a radius below 0 and looks nowhere.
    let bits = i32x4.bitmask(f32x4.le(sum, room)) & i32x4.bitmask(f32x4.ge(v128.load(search.radii + (<usize>i << 2)), zero));
    while (bits) {
      store<i32>(search.active + (<usize>count << 2), i + ctz(bits));
      bits &= bits - 1;
      count++;
    }
  }
  return count;
}

/** Address of the values (times -2) of the `count` rows that `listActive` found, one below the other. */
export function activeRows(search: Search, count: i32): usize {
  const leaves = search.leaves;
  const rowBytes = <usize>leaves.columns << 2;
  const rows = leaves.rows + <usize>search.leaf * leaves.pitch * rowBytes;
  // The first `count` rows of the leaf, where no row is left out before the last.
  if (load<i32>(search.active + (<usize>(count - 1) << 2)) == count - 1) return rows;
  for (let a = 0; a < count; a++)
    memory.copy(search.panel + <usize>a * rowBytes, rows + <usize>load<i32>(search.active + (<usize>a << 2)) * rowBytes, rowBytes);
  return search.panel;
}

/** Takes the rows of another leaf that are within the radius of an active row into its candidates. */
export function takeScores(search: Search, other: i32, count: i32): void {
  const leaves = search.leaves;
  const pitch = leaves.pitch;
  const own = <usize>search.leaf * pitch;
  const first = <usize>other * pitch;
  const lowNorms = search.lowNorms + (first << 2);
  for (let a = 0; a < count; a++) {
    const i = load<i32>(search.active + (<usize>a << 2));
    const slot = <u32>(own + i);
    const lowNorm = load<f32>(search.lowNorms + (<usize>slot << 2));
    const radius = load<f32>(search.radii + (<usize>i << 2));
    const limit = f32x4.splat(radius - lowNorm);
    const scores = search.scores + (<usize>a * pitch << 2);
    const candidates = search.candidates + (<usize>i * search.capacity << 3);
    const before = load<i32>(search.counts + (<usize>i << 2));
    let found = before;
    for (let j = 0; j < pitch; j += 16) {
      const at = scores + (<usize>j << 2);
      const norms = lowNorms + (<usize>j << 2);
      const s0 = f32x4.le(f32x4.add(v128.load(at), v128.load(norms)), limit);
      const s1 = f32x4.le(f32x4.add(v128.load(at, 16), v128.load(norms, 16)), limit);
      const s2 = f32x4.le(f32x4.add(v128.load(at, 32), v128.load(norms, 32)), limit);
      const s3 = f32x4.le(f32x4.add(v128.load(at, 48), v128.load(norms, 48)), limit);
      if (!v128.any_true(v128.or(v128.or(s0, s1), v128.or(s2, s3)))) continue;
      let bits = i32x4.bitmask(s0) | (i32x4.bitmask(s1) << 4) | (i32x4.bitmask(s2) << 8) | (i32x4.bitmask(s3) << 12);
      while (bits) {
        const lane = ctz(bits);
        bits &= bits - 1;
        const offset = <usize>lane << 2;
        const low = max<f32>(load<f32>(at + offset) + load<f32>(norms + offset) + lowNorm, 0);
        const target = <u32>first + j + lane;
        store<u64>(candidates + (<usize>found << 3), (<u64>reinterpret<u32>(low) << 32) | <u64>target);
        found += i32(target != slot);
      }
    }
    store<i32>(search.counts + (<usize>i << 2), found);
    if (found > before && shouldShrink(search, radius, before, found)) shrink(search, i);
  }
}

/** Shrinking costs a little, a radius that is too wide costs more; room for a whole leaf must remain. */
// @ts-ignore: decorator
@inline
function shouldShrink(search: Search, radius: f32, before: i32, found: i32): bool {
  const k = search.k;
  return found > k && (radius == f32.MAX_VALUE || found > search.capacity - search.leaves.pitch
    || (found - before > 8 && found > k + (k >> 1) + 16));
}

/** Draws the radius of row `i` of the leaf in to what its candidates prove, and drops those that are now too far. */
function shrink(search: Search, i: i32): void {
  const candidates = search.candidates + (<usize>i * search.capacity << 3);
  let count = load<i32>(search.counts + (<usize>i << 2));
  const slot = <usize>search.leaf * search.leaves.pitch + i;
  const margin = load<f32>(search.margins + (slot << 2));
  let radius: f32 = 0;
  selectSmallest(candidates, count, search.k);
  for (let c = 0; c < search.k; c++) {
    const low = reinterpret<f32>(load<u32>(candidates + (<usize>c << 3), 4));
    const target = <usize>load<u32>(candidates + (<usize>c << 3));
    radius = max<f32>(radius, low + 2 * (margin + load<f32>(search.margins + (target << 2))));
  }
  // The margins are far wider than the rounding of these sums, and so is what is added here.
  radius = min<f32>(load<f32>(search.radii + (<usize>i << 2)), radius * <f32>1.000001);
  store<f32>(search.radii + (<usize>i << 2), radius);
  count = keepWithin(candidates, count, search.k, radius);
  store<i32>(search.counts + (<usize>i << 2), count);
  if (count > search.capacity - search.leaves.pitch) settle(search, i);
}

/** Drops candidates from the k-th on whose low is beyond the radius. */
function keepWithin(candidates: usize, count: i32, k: i32, radius: f32): i32 {
  let kept = k;
  for (let c = k; c < count; c++) {
    const candidate = load<u64>(candidates + (<usize>c << 3));
    store<u64>(candidates + (<usize>kept << 3), candidate);
    kept += i32(reinterpret<f32>(<u32>(candidate >> 32)) <= radius);
  }
  return kept;
}

/** Single precision cannot tell so many candidates apart: measures them, and keeps the k nearest. */
function settle(search: Search, i: i32): void {
  const candidates = search.candidates + (<usize>i * search.capacity << 3);
  measure(search, i);
  // The places of the candidates are still needed while their keys change: they go through the tags.
  for (let rank = 0; rank < search.k; rank++) {
    const c = <usize>load<i32>(search.ranking + (<usize>rank << 2));
    const target = <u64>load<u32>(candidates + (c << 3));
    const scaled = <f32>(load<f64>(search.distances + (c << 3)) * search.scale * (1 - 1e-6));
    store<u64>(search.tags + (<usize>rank << 3), (<u64>reinterpret<u32>(scaled) << 32) | target);
  }
  memory.copy(candidates, search.tags, <usize>search.k << 3);
  store<i32>(search.counts + (<usize>i << 2), search.k);
  const last = <usize>load<i32>(search.ranking + (<usize>(search.k - 1) << 2));
  const radius = <f32>(load<f64>(search.distances + (last << 3)) * search.scale * (1 + 1e-6)) + f32.MIN_NORMAL_VALUE;
  store<f32>(search.radii + (<usize>i << 2), min<f32>(load<f32>(search.radii + (<usize>i << 2)), radius));
}

/** Distances of all candidates of row `i` in double precision, and their ranking by (distance, row). */
function measure(search: Search, i: i32): void {
  const leaves = search.leaves;
  const candidates = search.candidates + (<usize>i * search.capacity << 3);
  const count = load<i32>(search.counts + (<usize>i << 2));
  const rowBytes = <usize>leaves.columns << 3;
  const row = leaves.exact + (<usize>search.leaf * leaves.pitch + i) * rowBytes;
  for (let c = 0; c < count; c += 4) {
    // Four at a time, so that one sum need not wait for another; the last ones may be measured twice.
    const c1 = min(c + 1, count - 1);
    const c2 = min(c + 2, count - 1);
    const c3 = min(c + 3, count - 1);
    const r0 = leaves.exact + <usize>load<u32>(candidates + (<usize>c << 3)) * rowBytes;
    const r1 = leaves.exact + <usize>load<u32>(candidates + (<usize>c1 << 3)) * rowBytes;
    const r2 = leaves.exact + <usize>load<u32>(candidates + (<usize>c2 << 3)) * rowBytes;
    const r3 = leaves.exact + <usize>load<u32>(candidates + (<usize>c3 << 3)) * rowBytes;
    let s01 = f64x2.splat(0);
    let s23 = s01;
    for (let at: usize = 0; at < rowBytes; at += 8) {
      const x = v128.load64_splat(row + at);
      const d01 = f64x2.sub(x, v128.load64_lane(r1 + at, v128.load64_zero(r0 + at), 1));
      const d23 = f64x2.sub(x, v128.load64_lane(r3 + at, v128.load64_zero(r2 + at), 1));
      s01 = f64x2.add(s01, f64x2.mul(d01, d01));
      s23 = f64x2.add(s23, f64x2.mul(d23, d23));
    }
    store<f64>(search.distances + (<usize>c << 3), f64x2.extract_lane(s01, 0));
    store<f64>(search.distances + (<usize>c1 << 3), f64x2.extract_lane(s01, 1));
    store<f64>(search.distances + (<usize>c2 << 3), f64x2.extract_lane(s23, 0));
    store<f64>(search.distances + (<usize>c3 << 3), f64x2.extract_lane(s23, 1));
  }
  rank(search, candidates, count);
}

/**
 * Sorts by tags, distances whose last bits give way to the candidate's number. Their order is that of the distances up
 * to near ties, which a pass of insertions then puts right.
 */
function rank(search: Search, candidates: usize, count: i32): void {
  const ranking = search.ranking;
  const mask = (<u64>1 << (64 - <i32>clz<u64>(<u64>count))) - 1;
  for (let c = 0; c < count; c++)
    store<u64>(search.tags + (<usize>c << 3), (load<u64>(search.distances + (<usize>c << 3)) & ~mask) | <u64>c);
  if (count <= 160) rankByCounting(search.tags, count, ranking);
  else {
    sortKeys(search.tags, count);
    for (let r = 0; r < count; r++) store<i32>(ranking + (<usize>r << 2), <i32>(load<u64>(search.tags + (<usize>r << 3)) & mask));
  }
  for (let r = 1; r < count; r++) {
    const held = load<i32>(ranking + (<usize>r << 2));
    let place = r;
    while (place > 0 && isBefore(search, candidates, held, load<i32>(ranking + (<usize>(place - 1) << 2)))) {
      store<i32>(ranking + (<usize>place << 2), load<i32>(ranking + (<usize>(place - 1) << 2)));
      place--;
    }
    store<i32>(ranking + (<usize>place << 2), held);
  }
}

/** The place of a tag is the number of smaller ones: more comparisons than sorting has, but none that must be guessed. */
function rankByCounting(tags: usize, count: i32, ranking: usize): void {
  store<u64>(tags + (<usize>count << 3), u64.MAX_VALUE >> 12 | <u64>0x7fe << 52);
  const end = tags + (<usize>count << 3);
  for (let c = 0; c < count; c++) {
    // Bits of numbers from 0 on are in the order of the numbers.
    const tag = v128.load64_splat(tags + (<usize>c << 3));
    let smaller = i64x2.splat(0);
    for (let at = tags; at < end; at += 16) smaller = i64x2.sub(smaller, f64x2.lt(v128.load(at), tag));
    const place = <usize>(i64x2.extract_lane(smaller, 0) + i64x2.extract_lane(smaller, 1));
    store<i32>(ranking + (place << 2), c);
  }
}

// @ts-ignore: decorator
@inline
function isBefore(search: Search, candidates: usize, a: i32, b: i32): bool {
  const x = load<f64>(search.distances + (<usize>a << 3));
  const y = load<f64>(search.distances + (<usize>b << 3));
  if (x != y) return x < y;
  const rowOf = search.leaves.rowOf;
  return load<i32>(rowOf + (<usize>load<u32>(candidates + (<usize>a << 3)) << 2))
    < load<i32>(rowOf + (<usize>load<u32>(candidates + (<usize>b << 3)) << 2));
}

/** Writes rows and squared distances of the k nearest of row `i` of the leaf, nearest first. */
export function finishRow(search: Search, i: i32, rows: usize, squared: usize): void {
  const candidates = search.candidates + (<usize>i * search.capacity << 3);
  if (load<i32>(search.counts + (<usize>i << 2)) > search.k) shrink(search, i);
  measure(search, i);
  for (let r = 0; r < search.k; r++) {
    const c = <usize>load<i32>(search.ranking + (<usize>r << 2));
    const target = <usize>load<u32>(candidates + (c << 3));
    store<i32>(rows + (<usize>r << 2), load<i32>(search.leaves.rowOf + (target << 2)));
    store<f64>(squared + (<usize>r << 3), load<f64>(search.distances + (c << 3)));
  }
}
