/**
 * Sums behind a covariance matrix, block of rows by block of rows, in double precision. Each block is centred on its
 * own means; the caller merges blocks (Chan, Golub, LeVeque 1979), which loses nothing to large means.
 */

/**
 * Lays `count` rows out one column below the other, `stride` values apart (a multiple of 2), less the mean of the column
 * in the block; `means` gets the means. What a column has beyond its rows is 0.
 */
export function centreColumns(
  rows: usize, count: i32, columns: i32, stride: i32, target: usize, means: usize,
): void {
  const bytes = <usize>columns << 3;
  const apart = <usize>stride << 3;
  let j = 0;
  // Two columns of two rows at a time, turned round in registers.
  for (; j + 2 <= columns; j += 2) {
    let from = rows + (<usize>j << 3);
    let to = target + <usize>j * apart;
    let sums = f64x2.splat(0);
    let i = 0;
    for (; i + 2 <= count; i += 2) {
      const x = v128.load(from);
      const y = v128.load(from + bytes);
      v128.store(to, v128.shuffle<f64>(x, y, 0, 2));
      v128.store(to + apart, v128.shuffle<f64>(x, y, 1, 3));
      sums = f64x2.add(sums, f64x2.add(x, y));
      from += 2 * bytes;
      to += 16;
    }
    if (i < count) {
      const x = v128.load(from);
      v128.store64_lane(to, x, 0);
      v128.store64_lane(to + apart, x, 1);
      sums = f64x2.add(sums, x);
    }
    const first = target + <usize>j * apart;
    store<f64>(means + (<usize>j << 3), subtractMean(first, f64x2.extract_lane(sums, 0), count, stride));
    store<f64>(means + (<usize>j << 3), subtractMean(first + apart, f64x2.extract_lane(sums, 1), count, stride), 8);
  }
  if (j < columns) {
    let from = rows + (<usize>j << 3);
    const to = target + <usize>j * apart;
    let sum: f64 = 0;
    for (let i = 0; i < count; i++) {
      const x = load<f64>(from);
      sum += x;
      store<f64>(to + (<usize>i << 3), x);
      from += bytes;
    }
    store<f64>(means + (<usize>j << 3), subtractMean(to, sum, count, stride));
  }
}

/** Centres a column on the mean of its `count` values, fills it up with zeros, and returns the mean. */
function subtractMean(column: usize, sum: f64, count: i32, stride: i32): f64 {
  const mean = sum / count;
  const subtract = f64x2.splat(mean);
  for (let i = 0; i < count; i += 2) {
    const at = column + (<usize>i << 3);
    v128.store(at, f64x2.sub(v128.load(at), subtract));
  }
  for (let i = count; i < stride; i++) store<f64>(column + (<usize>i << 3), 0);
  return mean;
}

/**
 * Adds to `products` (size x size, size even, upper triangle of 2 x 2 tiles) the products of all pairs of columns,
 * summed over `count` rows (even). Two columns by two are in registers at a time.
 */
export function addProducts(columns: usize, count: i32, stride: i32, size: i32, products: usize): void {
  const apart = <usize>stride << 3;
  const bytes = <usize>count << 3;
  const row = <usize>size << 3;
  for (let a = 0; a < size; a += 2) {
    const first = columns + <usize>a * apart;
    for (let b = a; b < size; b += 2) {
      let left = first;
      let right = columns + <usize>b * apart;
      const end = left + bytes;
      let s00 = f64x2.splat(0);
      let s01 = s00;
      let s10 = s00;
      let s11 = s00;
      for (; left < end; left += 16) {
        const x0 = v128.load(left);
        const x1 = v128.load(left + apart);
        const y0 = v128.load(right);
        const y1 = v128.load(right + apart);
        s00 = f64x2.add(s00, f64x2.mul(x0, y0));
        s01 = f64x2.add(s01, f64x2.mul(x0, y1));
        s10 = f64x2.add(s10, f64x2.mul(x1, y0));
        s11 = f64x2.add(s11, f64x2.mul(x1, y1));
        right += 16;
      }
      const to = products + <usize>a * row + (<usize>b << 3);
      v128.store(to, f64x2.add(v128.load(to), sums(s00, s01)));
      v128.store(to + row, f64x2.add(v128.load(to + row), sums(s10, s11)));
    }
  }
}

/** The two sums of lanes, side by side. */
// @ts-ignore: decorator
@inline
function sums(left: v128, right: v128): v128 {
  return f64x2.add(v128.shuffle<f64>(left, right, 0, 2), v128.shuffle<f64>(left, right, 1, 3));
}

/**
 * Scores of rows on two components at a time: sum over columns of (x - mean) * vector, in the order of columns.
 * `vectors`: `[pair][column][2]`; `scores`: `[row][2 * pairs]`.
 */
export function projectRows(
  rows: usize, count: i32, columns: i32, means: usize, vectors: usize, pairs: i32, scores: usize,
): void {
  const bytes = <usize>columns << 3;
  for (let i = 0; i < count; i++) {
    let vector = vectors;
    for (let pair = 0; pair < pairs; pair++) {
      let score = f64x2.splat(0);
      for (let j = 0; j < columns; j++) {
        const at = <usize>j << 3;
        const x = f64x2.splat(load<f64>(rows + at) - load<f64>(means + at));
        score = f64x2.add(score, f64x2.mul(x, v128.load(vector)));
        vector += 16;
      }
      v128.store(scores, score);
      scores += 16;
    }
    rows += bytes;
  }
}
