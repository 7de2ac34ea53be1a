/**
 * For each row of a block the nearest centre and a safe lower bound of how much farther the second one is.
 *
 * |x - c|^2 = |x|^2 + (|c|^2 - 2 c x): the bracket, the score, decides. Eight rows and four centres are in registers at
 * a time. Single precision; what it may have lost is taken off the gap, so that a gap above 0 is certain.
 */
const COLUMN_BYTES: usize = 1024;

/**
 * `centres`: groups of four centres, `[group][column][4]`, each value times -2; `centreNorms`: their squared lengths,
 * 1e30 for absent ones. `lossFactor`, `lossOffset`: rounding may have moved the difference of two scores by
 * lossFactor * |x|^2 + lossOffset. Writes `best` (i32) and `gaps` (f32: distance, or nothing above 0 if not certain).
 */
export function kMeansNearest(
  block: usize, norms: usize, rows: i32, columns: i32, centres: usize, centreNorms: usize, groups: i32,
  lossFactor: f32, lossOffset: f32, best: usize, gaps: usize,
): void {
  for (let i = 0; i < rows; i += 8) {
    const offset = <usize>i << 2;
    const x = block + offset;
    let leastA = f32x4.splat(f32.MAX_VALUE);
    let secondA = leastA;
    let atA = i32x4.splat(0);
    let leastB = leastA;
    let secondB = leastA;
    let atB = atA;
    let centre = centres;
    for (let g = 0; g < groups; g++) {
      const norm = centreNorms + (<usize>g << 4);
      let a0 = v128.load32_splat(norm);
      let a1 = v128.load32_splat(norm, 4);
      let a2 = v128.load32_splat(norm, 8);
      let a3 = v128.load32_splat(norm, 12);
      let b0 = a0;
      let b1 = a1;
      let b2 = a2;
      let b3 = a3;
      let from = x;
      for (let j = 0; j < columns; j++) {
        const xa = v128.load(from);
        const xb = v128.load(from, 16);
        const c0 = v128.load32_splat(centre);
        a0 = f32x4.add(a0, f32x4.mul(xa, c0));
        b0 = f32x4.add(b0, f32x4.mul(xb, c0));
        const c1 = v128.load32_splat(centre, 4);
        a1 = f32x4.add(a1, f32x4.mul(xa, c1));
        b1 = f32x4.add(b1, f32x4.mul(xb, c1));
        const c2 = v128.load32_splat(centre, 8);
        a2 = f32x4.add(a2, f32x4.mul(xa, c2));
        b2 = f32x4.add(b2, f32x4.mul(xb, c2));
        const c3 = v128.load32_splat(centre, 12);
        a3 = f32x4.add(a3, f32x4.mul(xa, c3));
        b3 = f32x4.add(b3, f32x4.mul(xb, c3));
        from += COLUMN_BYTES;
        centre += 16;
      }
      const number = g << 2;
      atA = nearer(a0, leastA, atA, number);
      secondA = f32x4.pmin(secondA, f32x4.pmax(a0, leastA));
      leastA = f32x4.pmin(leastA, a0);
      atA = nearer(a1, leastA, atA, number + 1);
      secondA = f32x4.pmin(secondA, f32x4.pmax(a1, leastA));
      leastA = f32x4.pmin(leastA, a1);
      atA = nearer(a2, leastA, atA, number + 2);
      secondA = f32x4.pmin(secondA, f32x4.pmax(a2, leastA));
      leastA = f32x4.pmin(leastA, a2);
      atA = nearer(a3, leastA, atA, number + 3);
      secondA = f32x4.pmin(secondA, f32x4.pmax(a3, leastA));
      leastA = f32x4.pmin(leastA, a3);
      atB = nearer(b0, leastB, atB, number);
      secondB = f32x4.pmin(secondB, f32x4.pmax(b0, leastB));
      leastB = f32x4.pmin(leastB, b0);
      atB = nearer(b1, leastB, atB, number + 1);
      secondB = f32x4.pmin(secondB, f32x4.pmax(b1, leastB));
      leastB = f32x4.pmin(leastB, b1);
      atB = nearer(b2, leastB, atB, number + 2);
      secondB = f32x4.pmin(secondB, f32x4.pmax(b2, leastB));
      leastB = f32x4.pmin(leastB, b2);
      atB = nearer(b3, leastB, atB, number + 3);
      secondB = f32x4.pmin(secondB, f32x4.pmax(b3, leastB));
      leastB = f32x4.pmin(leastB, b3);
    }
    v128.store(best + offset, atA);
    v128.store(best + offset, atB, 16);
    v128.store(gaps + offset, gapOf(v128.load(norms + offset), leastA, secondA, lossFactor, lossOffset));
    v128.store(gaps + offset, gapOf(v128.load(norms + offset, 16), leastB, secondB, lossFactor, lossOffset), 16);
  }
}

/** As `kMeansNearest`, from scores that a matrix product has made: score of (centre, row) at `[centre][256]`. */
export function kMeansSelect(
  scores: usize, norms: usize, rows: i32, centreNorms: usize, k: i32,
  lossFactor: f32, lossOffset: f32, best: usize, gaps: usize,
): void {
  for (let i = 0; i < rows; i += 4) {
    const offset = <usize>i << 2;
    let from = scores + offset;
    let least = f32x4.splat(f32.MAX_VALUE);
    let second = least;
    let at = i32x4.splat(0);
    for (let c = 0; c < k; c++) {
      const score = f32x4.add(v128.load(from), v128.load32_splat(centreNorms + (<usize>c << 2)));
      at = nearer(score, least, at, c);
      second = f32x4.pmin(second, f32x4.pmax(score, least));
      least = f32x4.pmin(least, score);
      from += COLUMN_BYTES;
    }
    v128.store(best + offset, at);
    v128.store(gaps + offset, gapOf(v128.load(norms + offset), least, second, lossFactor, lossOffset));
  }
}

// @ts-ignore: decorator
@inline
function nearer(score: v128, least: v128, at: v128, centre: i32): v128 {
  return v128.bitselect(i32x4.splat(centre), at, f32x4.lt(score, least));
}

/** sqrt(d2) - sqrt(d1) = (d2 - d1) / (sqrt(d2) + sqrt(d1)), rounded towards "not certain". */
// @ts-ignore: decorator
@inline
function gapOf(norm: v128, least: v128, second: v128, lossFactor: f32, lossOffset: f32): v128 {
  const loss = f32x4.add(f32x4.mul(norm, f32x4.splat(lossFactor)), f32x4.splat(lossOffset));
  const zero = f32x4.splat(0);
  const near = f32x4.sqrt(f32x4.add(f32x4.pmax(zero, f32x4.add(norm, least)), loss));
  const far = f32x4.sqrt(f32x4.add(f32x4.pmax(zero, f32x4.add(norm, second)), loss));
  const gap = f32x4.div(f32x4.sub(f32x4.sub(second, least), loss), f32x4.add(near, far));
  return f32x4.mul(gap, f32x4.splat(0.9999));
}
