/**
 * Moving rows between clusters. A row is looked at again only when its *deadline* has passed: while the centres have
 * together moved less than the gap between its two nearest ones, it stays where it is (Hamerly, "Making k-means even
 * faster", SDM 2010, kept as one number a row).
 */

/** Numbers of the rows whose deadline `drifts[label]` has reached; returns how many. Room for count + 1 is needed. */
export function kMeansDue(count: i32, labels: usize, deadlines: usize, drifts: usize, indices: usize): i32 {
  let due = 0;
  for (let i = 0; i < count; i++) {
    const at = <usize>i << 2;
    store<i32>(indices + (<usize>due << 2), i);
    due += i32(load<f32>(drifts + (<usize>load<i32>(labels + at) << 2)) >= load<f32>(deadlines + at));
  }
  return due;
}

let exactBest: i32 = 0;
let exactGap: f64 = 0;

/** The nearest of all centres in double precision, the first of equally near ones, and the gap to the second. */
function decide(row: usize, columns: i32, centres: usize, k: i32): void {
  let best = 0;
  let least: f64 = Infinity;
  let second: f64 = Infinity;
  for (let c = 0; c < k; c++) {
    const squared = squaredDistance(row, centres, columns);
    centres += <usize>columns << 3;
    if (squared < least) {
      second = least;
      least = squared;
      best = c;
    } else if (squared < second) {
      second = squared;
    }
  }
  exactBest = best;
  // A little less than the difference, whatever its rounding.
  exactGap = sqrt<f64>(second) * (1 - 1e-14) - sqrt<f64>(least);
}

// @ts-ignore: decorator
@inline
function squaredDistance(a: usize, b: usize, columns: i32): f64 {
  let sum: f64 = 0;
  for (let j = 0; j < columns; j++) {
    const at = <usize>j << 3;
    const d = load<f64>(a + at) - load<f64>(b + at);
    sum += d * d;
  }
  return sum;
}

/**
 * Gives `count` rows, `first`, `first + 1`, ... or those of `indices` (if not 0), the centres that `best` and `gaps`
 * name, those that are not certain after a look in double precision; moves their values between the `sums` of
 * clusters. A label of -1 is none yet. `scale`: of distances in `gaps` to those of `rows`. Returns how many changed.
 */
export function kMeansSettle(
  rows: usize, columns: i32, first: i32, indices: usize, count: i32, best: usize, gaps: usize, labels: usize,
  deadlines: usize, drifts: usize, centres: usize, k: i32, scale: f64, sums: usize, sizes: usize,
): i32 {
  let changed = 0;
  const bytes = <usize>columns << 3;
  for (let i = 0; i < count; i++) {
    const at = <usize>i << 2;
    const id = indices != 0 ? load<i32>(indices + at) : first + i;
    const row = rows + <usize>id * bytes;
    let to = load<i32>(best + at);
    let gap = load<f32>(gaps + at);
    if (!(gap > 0)) {
      decide(row, columns, centres, k);
      to = exactBest;
      gap = <f32>(exactGap * scale);
    }
    store<f32>(deadlines + (<usize>id << 2), (load<f32>(drifts + (<usize>to << 2)) + gap) * <f32>0.999999);
    const label = labels + (<usize>id << 2);
    const from = load<i32>(label);
    if (from == to) continue;
    changed++;
    store<i32>(label, to);
    addRow(row, columns, sums + <usize>to * bytes, 1);
    store<i32>(sizes + (<usize>to << 2), load<i32>(sizes + (<usize>to << 2)) + 1);
    if (from < 0) continue;
    addRow(row, columns, sums + <usize>from * bytes, -1);
    store<i32>(sizes + (<usize>from << 2), load<i32>(sizes + (<usize>from << 2)) - 1);
  }
  return changed;
}

/** The sums of all clusters afresh, in the order of rows. */
export function kMeansSums(rows: usize, count: i32, columns: i32, labels: usize, sums: usize): void {
  const bytes = <usize>columns << 3;
  for (let i = 0; i < count; i++)
    addRow(rows + <usize>i * bytes, columns, sums + <usize>load<i32>(labels + (<usize>i << 2)) * bytes, 1);
}

// @ts-ignore: decorator
@inline
function addRow(row: usize, columns: i32, sum: usize, sign: f64): void {
  const factor = f64x2.splat(sign);
  let j = 0;
  for (; j + 2 <= columns; j += 2) {
    const at = <usize>j << 3;
    v128.store(sum + at, f64x2.add(v128.load(sum + at), f64x2.mul(v128.load(row + at), factor)));
  }
  if (j < columns) {
    const at = <usize>j << 3;
    store<f64>(sum + at, load<f64>(sum + at) + load<f64>(row + at) * sign);
  }
}

/** Squared distance of every row to the centre of its cluster, in double precision. */
export function kMeansSquared(rows: usize, count: i32, columns: i32, labels: usize, centres: usize, squared: usize): void {
  const bytes = <usize>columns << 3;
  for (let i = 0; i < count; i++) {
    const centre = centres + <usize>load<i32>(labels + (<usize>i << 2)) * bytes;
    store<f64>(squared + (<usize>i << 3), squaredDistance(rows + <usize>i * bytes, centre, columns));
  }
}
