/** Distances for k-means++: what would be left if one more row were a centre. */
const BLOCK_ROWS: i32 = 256;
const COLUMN_BYTES: usize = 1024;

/**
 * Squared distance of every row to the row `point` (packed values, one column after the other), or the distance `held`
 * where that is less (held = 0: none), in single precision; `sums` gets the sum of each block of 256 rows in doubles.
 */
export function kMeansLeft(
  blocks: usize, count: i32, columns: i32, point: usize, held: usize, left: usize, sums: usize,
): void {
  for (let first = 0; first < count; first += BLOCK_ROWS) {
    const rows = min(BLOCK_ROWS, count - first);
    let total: f64 = 0;
    for (let i = 0; i < rows; i += 4) {
      const offset = <usize>(first + i) << 2;
      let from = blocks + (<usize>i << 2);
      let squared = f32x4.splat(0);
      for (let j = 0; j < columns; j++) {
        const d = f32x4.sub(v128.load(from), v128.load32_splat(point + (<usize>j << 2)));
        squared = f32x4.add(squared, f32x4.mul(d, d));
        from += COLUMN_BYTES;
      }
      if (held != 0) squared = f32x4.pmin(squared, v128.load(held + offset));
      v128.store(left + offset, squared);
      const lanes = min(4, rows - i);
      if (lanes == 4) {
        const pairs = f64x2.add(
          f64x2.promote_low_f32x4(squared),
          f64x2.promote_low_f32x4(v128.shuffle<f32>(squared, squared, 2, 3, 2, 3)),
        );
        total += f64x2.extract_lane(pairs, 0) + f64x2.extract_lane(pairs, 1);
      } else {
        for (let lane = 0; lane < lanes; lane++) total += <f64>load<f32>(left + offset + (<usize>lane << 2));
      }
    }
    store<f64>(sums, total);
    sums += 8;
    blocks += <usize>columns * COLUMN_BYTES;
  }
}
