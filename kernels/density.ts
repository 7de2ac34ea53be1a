/**
 * Dense regions (DBSCAN): who has enough rows within eps, and which of those hang together.
 *
 * Distances are sums of squared differences in single precision. For every row there is a `low` and a `high`: below
 * the one a row is within eps for certain, above the other it is not, and between them double precision decides. A
 * row's computed distance from a box is never above that from a row in it, since rounding keeps order.
 */
import { boxGap, Leaves } from './leaves';
import { allocate } from './memory';

// @ts-ignore: decorator
@unmanaged
export class Region {
  leaves: Leaves;
  squaredEps: f64;
  /** Per slot, single precision: see above. */
  lows: usize;
  highs: usize;
  /** Leaves that may hold rows within eps of a row of the present one, itself first, and how many they are. */
  near: usize;
  nearCount: i32;
  /** Per slot one byte: 1 for core rows. */
  core: usize;
  /** Per slot the next slot on the way to the root of its component. */
  parents: usize;
  /** Per leaf: a core slot if all its core rows are known to be one component, else one of the two below. */
  unions: usize;
}

/** The core rows of a leaf are not known to be one component. */
const PARTED = -1;
/** A leaf has no core row. */
const WITHOUT = -2;

export function makeRegion(leaves: Leaves, squaredEps: f64, lows: usize, highs: usize, core: usize, parents: usize): Region {
  const region = changetype<Region>(allocate(offsetof<Region>()));
  region.leaves = leaves;
  region.squaredEps = squaredEps;
  region.lows = lows;
  region.highs = highs;
  region.core = core;
  region.parents = parents;
  region.near = allocate(<usize>leaves.count << 2);
  region.unions = allocate(<usize>leaves.count << 2);
  return region;
}

function listNear(region: Region, leaf: i32): void {
  const leaves = region.leaves;
  const pitch = leaves.pitch;
  let high: f32 = 0;
  for (let slot = leaf * pitch; slot < (leaf + 1) * pitch; slot++) high = max<f32>(high, load<f32>(region.highs + (<usize>slot << 2)));
  store<i32>(region.near, leaf);
  let count = 1;
  for (let other = 0; other < leaves.count; other++) {
    if (other == leaf || boxGap(leaves, leaf, other) > high) continue;
    store<i32>(region.near + (<usize>count << 2), other);
    count++;
  }
  region.nearCount = count;
}

/** True if no row of a leaf can be within `high` of the single-precision row at `row`. */
// @ts-ignore: decorator
@inline
function isFar(leaves: Leaves, row: usize, leaf: i32, high: f32): bool {
  const bytes = <usize>leaves.columns << 2;
  const low = leaves.boxes + <usize>leaf * bytes * 2;
  let sum: f32 = 0;
  for (let at: usize = 0; at < bytes; at += 4) {
    const x = load<f32>(row + at);
    const gap = max<f32>(max<f32>(load<f32>(low + at) - x, x - load<f32>(low + bytes + at)), 0);
    sum += gap * gap;
  }
  return sum > high;
}

/**
 * Which of eight slots of a leaf, from `first` on, hold rows within eps: one bit a slot.
 * @param row the row in single precision, `exact` in double
 */
// @ts-ignore: decorator
@inline
function within(
  leaves: Leaves, squaredEps: f64, row: usize, exact: usize, low: f32, high: f32, leaf: i32, first: i32,
): i32 {
  const columns = leaves.columns;
  const pitch = leaves.pitch;
  const stride = <usize>pitch << 2;
  let lane = leaves.lanes + (<usize>leaf * columns * pitch + first << 2);
  let a = f32x4.splat(0);
  let b = a;
  for (let c = 0; c < columns; c++) {
    const x = v128.load32_splat(row + (<usize>c << 2));
    const d = f32x4.sub(x, v128.load(lane));
    const e = f32x4.sub(x, v128.load(lane, 16));
    a = f32x4.add(a, f32x4.mul(d, d));
    b = f32x4.add(b, f32x4.mul(e, e));
    lane += stride;
  }
  const highs = f32x4.splat(high);
  let bits = i32x4.bitmask(f32x4.le(a, highs)) | (i32x4.bitmask(f32x4.le(b, highs)) << 4);
  if (!bits) return 0;
  const lows = f32x4.splat(low);
  let unsure = bits & (i32x4.bitmask(f32x4.ge(a, lows)) | (i32x4.bitmask(f32x4.ge(b, lows)) << 4));
  while (unsure) {
    const i = ctz(unsure);
    unsure &= unsure - 1;
    if (!isWithin(leaves, squaredEps, exact, leaf * pitch + first + i)) bits ^= 1 << i;
  }
  return bits;
}

function isWithin(leaves: Leaves, squaredEps: f64, exact: usize, slot: i32): bool {
  const columns = leaves.columns;
  const other = leaves.exact + (<usize>slot * columns << 3);
  let sum: f64 = 0;
  for (let c = 0; c < columns; c++) {
    const d = load<f64>(exact + (<usize>c << 3)) - load<f64>(other + (<usize>c << 3));
    sum += d * d;
  }
  return sum <= squaredEps;
}

/** As `within`, for a row in a slot. */
// @ts-ignore: decorator
@inline
function withinOf(region: Region, slot: i32, leaf: i32, first: i32): i32 {
  const leaves = region.leaves;
  const at = <usize>slot * leaves.columns;
  const low = load<f32>(region.lows + (<usize>slot << 2));
  const high = load<f32>(region.highs + (<usize>slot << 2));
  return within(leaves, region.squaredEps, leaves.rows + (at << 2), leaves.exact + (at << 3), low, high, leaf, first);
}

// @ts-ignore: decorator
@inline
function isFarOf(region: Region, slot: i32, leaf: i32): bool {
  const leaves = region.leaves;
  return isFar(leaves, leaves.rows + (<usize>slot * leaves.columns << 2), leaf, load<f32>(region.highs + (<usize>slot << 2)));
}

// @ts-ignore: decorator
@inline
function sizeOf(leaves: Leaves, leaf: i32): i32 {
  return load<i32>(leaves.sizes + (<usize>leaf << 2));
}

/**
 * Marks the core rows of a leaf: those with at least `minPoints` rows within eps, themselves included. The search for
 * a row ends as soon as that is known.
 * @param kept receives the slots within eps of the rows that are not core, row after row; room for minPoints a row
 * @param ends receives for each row of the leaf where its slots end
 */
export function countLeaf(region: Region, leaf: i32, minPoints: i32, kept: usize, ends: usize): void {
  const leaves = region.leaves;
  const pitch = leaves.pitch;
  listNear(region, leaf);
  const size = sizeOf(leaves, leaf);
  let end = 0;
  for (let i = 0; i < size; i++) {
    const slot = leaf * pitch + i;
    let count = 0;
    for (let n = 0; n < region.nearCount && count < minPoints; n++) {
      const other = load<i32>(region.near + (<usize>n << 2));
      if (n > 0 && isFarOf(region, slot, other)) continue;
      const otherSize = sizeOf(leaves, other);
      for (let first = 0; first < otherSize && count < minPoints; first += 8) {
        let bits = withinOf(region, slot, other, first);
        while (bits && count < minPoints) {
          store<i32>(kept + (<usize>(end + count) << 2), other * pitch + first + ctz(bits));
          bits &= bits - 1;
          count++;
        }
      }
    }
    const isCore = count >= minPoints;
    store<u8>(region.core + slot, u8(isCore));
    if (!isCore) end += count;
    store<i32>(ends + (<usize>i << 2), end);
  }
}

/** Every slot is a component of its own. */
export function beginUnions(region: Region): void {
  const leaves = region.leaves;
  for (let slot = 0; slot < leaves.count * leaves.pitch; slot++) store<i32>(region.parents + (<usize>slot << 2), slot);
  for (let leaf = 0; leaf < leaves.count; leaf++) store<i32>(region.unions + (<usize>leaf << 2), PARTED);
}

/** The root of a slot's component; halves the way there. */
export function rootOf(region: Region, slot: i32): i32 {
  const parents = region.parents;
  let parent = load<i32>(parents + (<usize>slot << 2));
  while (parent != slot) {
    const above = load<i32>(parents + (<usize>parent << 2));
    store<i32>(parents + (<usize>slot << 2), above);
    slot = above;
    parent = load<i32>(parents + (<usize>slot << 2));
  }
  return slot;
}

/** See `Region.unions`; looks again as long as the core rows are not known to be one. */
function unionOf(region: Region, leaf: i32): i32 {
  const known = load<i32>(region.unions + (<usize>leaf << 2));
  if (known != PARTED) return known;
  const first = leaf * region.leaves.pitch;
  const end = first + sizeOf(region.leaves, leaf);
  let one = WITHOUT;
  let root = 0;
  for (let slot = first; slot < end; slot++) {
    if (load<u8>(region.core + slot) == 0) continue;
    const found = rootOf(region, slot);
    if (one == WITHOUT) {
      one = slot;
      root = found;
    } else if (found != root) return PARTED;
  }
  store<i32>(region.unions + (<usize>leaf << 2), one);
  return one;
}

/** Joins the core rows of a leaf that are within eps of each other. */
export function uniteWithin(region: Region, leaf: i32): void {
  uniteLeaves(region, leaf, leaf);
}

/** Joins the core rows of a leaf with those of later ones. */
export function uniteAcross(region: Region, leaf: i32): void {
  if (unionOf(region, leaf) == WITHOUT) return;
  listNear(region, leaf);
  for (let n = 1; n < region.nearCount; n++) {
    const other = load<i32>(region.near + (<usize>n << 2));
    if (other > leaf) uniteLeaves(region, leaf, other);
  }
}

function uniteLeaves(region: Region, leaf: i32, other: i32): void {
  const pitch = region.leaves.pitch;
  const first = leaf * pitch;
  const end = first + sizeOf(region.leaves, leaf);
  if (unionOf(region, other) == WITHOUT || areOne(region, leaf, other)) return;
  for (let slot = first; slot < end; slot++) {
    if (load<u8>(region.core + slot) == 0) continue;
    const union = unionOf(region, other);
    // Nothing to win where the whole other leaf is of the same component already.
    if (union >= 0 && rootOf(region, union) == rootOf(region, slot)) {
      if (leaf == other) return;
      continue;
    }
    if (leaf != other && isFarOf(region, slot, other)) continue;
    joinRow(region, slot, other, union >= 0);
    if (leaf != other && areOne(region, leaf, other)) return;
  }
}

// @ts-ignore: decorator
@inline
function areOne(region: Region, leaf: i32, other: i32): bool {
  const a = unionOf(region, leaf);
  const b = unionOf(region, other);
  return leaf != other ? a >= 0 && b >= 0 && rootOf(region, a) == rootOf(region, b) : a >= 0;
}

/** Joins a core row with the core rows of a leaf within eps; with the first of them only, where `isOne` says that they are one. */
function joinRow(region: Region, slot: i32, leaf: i32, isOne: bool): void {
  const pitch = region.leaves.pitch;
  const size = sizeOf(region.leaves, leaf);
  let root = rootOf(region, slot);
  for (let first = 0; first < size; first += 8) {
    let bits = withinOf(region, slot, leaf, first);
    while (bits) {
      const other = leaf * pitch + first + ctz(bits);
      bits &= bits - 1;
      if (load<u8>(region.core + other) == 0) continue;
      const otherRoot = rootOf(region, other);
      if (otherRoot != root) {
        store<i32>(region.parents + (<usize>max(root, otherRoot) << 2), min(root, otherRoot));
        root = min(root, otherRoot);
      }
      if (isOne) return;
    }
  }
}

/**
 * The smallest label of a row within eps of a row that is in no slot; -1 if there is none.
 * @param labels one a slot, not negative
 * @param leafLabels per leaf the smallest label
 */
export function labelAround(
  region: Region, labels: usize, leafLabels: usize, row: usize, exact: usize, low: f32, high: f32,
): i32 {
  const leaves = region.leaves;
  const pitch = leaves.pitch;
  let best = i32.MAX_VALUE;
  for (let leaf = 0; leaf < leaves.count; leaf++) {
    const least = load<i32>(leafLabels + (<usize>leaf << 2));
    if (least >= best || isFar(leaves, row, leaf, high)) continue;
    const size = sizeOf(leaves, leaf);
    for (let first = 0; first < size && best > least; first += 8) {
      let bits = within(leaves, region.squaredEps, row, exact, low, high, leaf, first);
      // A row from outside may stand where slots without a row do.
      if (size - first < 8) bits &= (1 << (size - first)) - 1;
      while (bits) {
        best = min(best, load<i32>(labels + (<usize>(leaf * pitch + first + ctz(bits)) << 2)));
        bits &= bits - 1;
      }
    }
  }
  return best == i32.MAX_VALUE ? -1 : best;
}
