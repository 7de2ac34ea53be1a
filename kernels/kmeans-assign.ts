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

/** The nearest of all centres (doubles), the first of equally near ones, to a row in single precision. */
function nearestExactly(row: usize, padded: i32, centres: usize, k: i32): i32 {
  let nearest = 0;
  let least: f64 = Infinity;
  for (let c = 0; c < k; c++) {
    let squared: f64 = 0;
    for (let j = 0; j < padded; j++) {
      const d = <f64>load<f32>(row + (<usize>j << 2)) - load<f64>(centres + (<usize>j << 3));
      squared += d * d;
    }
    if (squared < least) {
      least = squared;
      nearest = c;
    }
    centres += <usize>padded << 3;
  }
  return nearest;
}

let undecidedRows: i32 = 0;

/** How many rows the last `kMeansSettle` has left undecided. */
export function kMeansUndecided(): i32 {
  return undecidedRows;
}

/**
 * Gives `count` packed rows, `first`, `first + 1`, ... or those of `indices` (if not 0), the centres that `best` names,
 * and moves their values between the `sums` of clusters. A label of -1 is none yet. Rows whose gap is not above 0 are
 * not certain: their numbers are left in `undecided`, or, if that is 0, they are decided in double precision; either
 * way they are looked at again next time. Returns how many rows changed their cluster.
 */
export function kMeansSettle(
  rows: usize, padded: i32, first: i32, indices: usize, count: i32, best: usize, gaps: usize, labels: usize,
  deadlines: usize, drifts: usize, centres: usize, k: i32, sums: usize, sizes: usize, undecided: usize,
): i32 {
  let changed = 0;
  undecidedRows = 0;
  for (let i = 0; i < count; i++) {
    const at = <usize>i << 2;
    const id = indices != 0 ? load<i32>(indices + at) : first + i;
    const row = rows + <usize>id * (<usize>padded << 2);
    let to = load<i32>(best + at);
    let gap = load<f32>(gaps + at);
    if (!(gap > 0)) {
      gap = 0;
      if (undecided != 0) {
        store<i32>(undecided + (<usize>undecidedRows << 2), id);
        undecidedRows++;
        store<f32>(deadlines + (<usize>id << 2), 0);
        continue;
      }
      to = nearestExactly(row, padded, centres, k);
    }
    store<f32>(deadlines + (<usize>id << 2), (load<f32>(drifts + (<usize>to << 2)) + gap) * <f32>0.999999);
    const label = labels + (<usize>id << 2);
    const from = load<i32>(label);
    if (from == to) continue;
    changed++;
    store<i32>(label, to);
    addRow(row, padded, sums + <usize>to * (<usize>padded << 3), 1);
    store<i32>(sizes + (<usize>to << 2), load<i32>(sizes + (<usize>to << 2)) + 1);
    if (from < 0) continue;
    addRow(row, padded, sums + <usize>from * (<usize>padded << 3), -1);
    store<i32>(sizes + (<usize>from << 2), load<i32>(sizes + (<usize>from << 2)) - 1);
  }
  return changed;
}

/** Adds a row of single precision, times `sign`, to a sum of doubles. */
// @ts-ignore: decorator
@inline
function addRow(row: usize, padded: i32, sum: usize, sign: f64): void {
  const factor = f64x2.splat(sign);
  for (let j = 0; j < padded; j += 4) {
    const values = v128.load(row + (<usize>j << 2));
    const low = f64x2.promote_low_f32x4(values);
    const high = f64x2.promote_low_f32x4(v128.shuffle<f32>(values, values, 2, 3, 2, 3));
    const to = sum + (<usize>j << 3);
    v128.store(to, f64x2.add(v128.load(to), f64x2.mul(low, factor)));
    v128.store(to, f64x2.add(v128.load(to, 16), f64x2.mul(high, factor)), 16);
  }
}
