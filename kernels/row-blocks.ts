/**
 * Rows of doubles as blocks of 256 rows in single precision, one column below the other, so that four rows of a column
 * are one register. Values are shifted and scaled on the way: (x - mean) * scale.
 */
const BLOCK_ROWS: i32 = 256;
const COLUMN_BYTES: usize = <usize>BLOCK_ROWS << 2;

/** Packs all rows. `norms` gets the squared length of every packed row; the last block is filled up with its last row. */
export function packRowBlocks(
  rows: usize, count: i32, columns: i32, means: usize, scale: f64, blocks: usize, norms: usize,
): void {
  const bytes = <usize>columns << 3;
  const last = rows + <usize>(count - 1) * bytes;
  for (let i = 0; i < count; i += 4) {
    const block = blocks + <usize>(i / BLOCK_ROWS) * (<usize>columns * COLUMN_BYTES);
    const row = rows + <usize>i * bytes;
    packFour(
      row, min(row + bytes, last), min(row + 2 * bytes, last), min(row + 3 * bytes, last),
      columns, means, scale, block + (<usize>(i % BLOCK_ROWS) << 2), norms + (<usize>i << 2),
    );
  }
}

/** Packs at most 256 rows, those of `indices`, into one block. */
export function packChosenRows(
  rows: usize, columns: i32, means: usize, scale: f64, indices: usize, count: i32, block: usize, norms: usize,
): void {
  const bytes = <usize>columns << 3;
  for (let i = 0; i < count; i += 4) {
    packFour(
      chosen(rows, bytes, indices, i, count), chosen(rows, bytes, indices, i + 1, count),
      chosen(rows, bytes, indices, i + 2, count), chosen(rows, bytes, indices, i + 3, count),
      columns, means, scale, block + (<usize>i << 2), norms + (<usize>i << 2),
    );
  }
}

// @ts-ignore: decorator
@inline
function chosen(rows: usize, bytes: usize, indices: usize, i: i32, count: i32): usize {
  return rows + <usize>load<u32>(indices + (<usize>min(i, count - 1) << 2)) * bytes;
}

/** Four rows, two columns at a time. */
function packFour(
  a: usize, b: usize, c: usize, d: usize, columns: i32, means: usize, scale: f64, target: usize, norms: usize,
): void {
  const factor = f64x2.splat(scale);
  let squares = f32x4.splat(0);
  let j = 0;
  for (; j + 2 <= columns; j += 2) {
    const at = <usize>j << 3;
    const mean = v128.load(means + at);
    const ab = v128.shuffle<f32>(shifted(v128.load(a + at), mean, factor), shifted(v128.load(b + at), mean, factor), 0, 4, 1, 5);
    const cd = v128.shuffle<f32>(shifted(v128.load(c + at), mean, factor), shifted(v128.load(d + at), mean, factor), 0, 4, 1, 5);
    const first = v128.shuffle<f32>(ab, cd, 0, 1, 4, 5);
    const second = v128.shuffle<f32>(ab, cd, 2, 3, 6, 7);
    v128.store(target, first);
    v128.store(target + COLUMN_BYTES, second);
    squares = f32x4.add(squares, f32x4.add(f32x4.mul(first, first), f32x4.mul(second, second)));
    target += 2 * COLUMN_BYTES;
  }
  if (j < columns) {
    const at = <usize>j << 3;
    const mean = load<f64>(means + at);
    const x = f32x4(
      <f32>((load<f64>(a + at) - mean) * scale), <f32>((load<f64>(b + at) - mean) * scale),
      <f32>((load<f64>(c + at) - mean) * scale), <f32>((load<f64>(d + at) - mean) * scale),
    );
    v128.store(target, x);
    squares = f32x4.add(squares, f32x4.mul(x, x));
  }
  v128.store(norms, squares);
}

// @ts-ignore: decorator
@inline
function shifted(values: v128, mean: v128, factor: v128): v128 {
  return f32x4.demote_f64x2_zero(f64x2.mul(f64x2.sub(values, mean), factor));
}
