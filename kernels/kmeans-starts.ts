/** Distances for k-means++: what would be left if one more row were a centre. */
const BLOCK_ROWS: i32 = 256;

/**
 * Squared distance of every packed row to the row `point`, or the distance `held` where that is less (held = 0: none),
 * in single precision; `sums` gets the sum of each block of 256 rows in doubles. Room for a multiple of four is needed.
 */
export function kMeansLeft(
  rows: usize, count: i32, padded: i32, point: usize, held: usize, left: usize, sums: usize,
): void {
  const bytes = <usize>padded << 2;
  const last = rows + <usize>(count - 1) * bytes;
  for (let first = 0; first < count; first += BLOCK_ROWS) {
    const end = min(count, first + BLOCK_ROWS);
    let total: f64 = 0;
    for (let i = first; i < end; i += 4) {
      const offset = <usize>i << 2;
      const row = rows + <usize>i * bytes;
      let squared = fourDistances(
        row, min(row + bytes, last), min(row + 2 * bytes, last), min(row + 3 * bytes, last), point, bytes,
      );
      if (held != 0) squared = f32x4.pmin(squared, v128.load(held + offset));
      v128.store(left + offset, squared);
      for (let lane = i; lane < min(i + 4, end); lane++) total += <f64>load<f32>(left + (<usize>lane << 2));
    }
    store<f64>(sums, total);
    sums += 8;
  }
}

// @ts-ignore: decorator
@inline
function fourDistances(a: usize, b: usize, c: usize, d: usize, point: usize, bytes: usize): v128 {
  let sa = f32x4.splat(0);
  let sb = sa;
  let sc = sa;
  let sd = sa;
  for (let at: usize = 0; at < bytes; at += 16) {
    const p = v128.load(point + at);
    sa = plusSquare(sa, v128.load(a + at), p);
    sb = plusSquare(sb, v128.load(b + at), p);
    sc = plusSquare(sc, v128.load(c + at), p);
    sd = plusSquare(sd, v128.load(d + at), p);
  }
  const ab = f32x4.add(v128.shuffle<f32>(sa, sb, 0, 4, 1, 5), v128.shuffle<f32>(sa, sb, 2, 6, 3, 7));
  const cd = f32x4.add(v128.shuffle<f32>(sc, sd, 0, 4, 1, 5), v128.shuffle<f32>(sc, sd, 2, 6, 3, 7));
  return f32x4.add(v128.shuffle<f32>(ab, cd, 0, 1, 4, 5), v128.shuffle<f32>(ab, cd, 2, 3, 6, 7));
}

// @ts-ignore: decorator
@inline
function plusSquare(sum: v128, x: v128, p: v128): v128 {
  const d = f32x4.sub(x, p);
  return f32x4.add(sum, f32x4.mul(d, d));
}
