/**
 * Rows in single precision, each padded with zeros to a multiple of four columns, so that thirteen columns are one line
 * of the cache; and blocks of 256 such rows turned round, one column below the other, so that four rows of a column are
 * one register.
 */
const BLOCK_COLUMN_BYTES: usize = 1024;

/** (x - mean) * scale of `count` rows of doubles, as padded rows of single precision. Returns the largest size of one. */
export function packRows(
  rows: usize, count: i32, columns: i32, padded: i32, means: usize, scale: f64, target: usize,
): f32 {
  let largest = f32x4.splat(0);
  const factor = f64x2.splat(scale);
  for (let i = 0; i < count; i++) {
    let j = 0;
    for (; j + 4 <= columns; j += 4) {
      const at = <usize>j << 3;
      const low = f64x2.mul(f64x2.sub(v128.load(rows + at), v128.load(means + at)), factor);
      const high = f64x2.mul(f64x2.sub(v128.load(rows + at, 16), v128.load(means + at, 16)), factor);
      const packed = v128.shuffle<f32>(f32x4.demote_f64x2_zero(low), f32x4.demote_f64x2_zero(high), 0, 1, 4, 5);
      largest = f32x4.max(largest, f32x4.abs(packed));
      v128.store(target + (<usize>j << 2), packed);
    }
    if (j < padded) {
      const last = target + (<usize>j << 2);
      for (; j < padded; j++) {
        const at = <usize>j << 3;
        store<f32>(
          target + (<usize>j << 2),
          j < columns ? <f32>((load<f64>(rows + at) - load<f64>(means + at)) * scale) : 0,
        );
      }
      largest = f32x4.max(largest, f32x4.abs(v128.load(last)));
    }
    rows += <usize>columns << 3;
    target += <usize>padded << 2;
  }
  const left = max<f32>(f32x4.extract_lane(largest, 0), f32x4.extract_lane(largest, 1));
  return max<f32>(left, max<f32>(f32x4.extract_lane(largest, 2), f32x4.extract_lane(largest, 3)));
}

/**
 * Turns `count` packed rows into a block: rows `first`, `first + 1`, ... or those of `indices` (if not 0). `norms` gets
 * their squared lengths. What the last four rows lack is filled with the last row.
 */
export function turnRows(
  rows: usize, padded: i32, first: i32, indices: usize, count: i32, block: usize, norms: usize,
): void {
  const bytes = <usize>padded << 2;
  rows += <usize>first * bytes;
  for (let i = 0; i < count; i += 4) {
    let a = rowAt(rows, bytes, indices, i, count);
    let b = rowAt(rows, bytes, indices, i + 1, count);
    let c = rowAt(rows, bytes, indices, i + 2, count);
    let d = rowAt(rows, bytes, indices, i + 3, count);
    let target = block + (<usize>i << 2);
    let squares = f32x4.splat(0);
    for (const end = a + bytes; a < end; a += 16) {
      const xa = v128.load(a);
      const xb = v128.load(b);
      const xc = v128.load(c);
      const xd = v128.load(d);
      const lowAB = v128.shuffle<f32>(xa, xb, 0, 4, 1, 5);
      const highAB = v128.shuffle<f32>(xa, xb, 2, 6, 3, 7);
      const lowCD = v128.shuffle<f32>(xc, xd, 0, 4, 1, 5);
      const highCD = v128.shuffle<f32>(xc, xd, 2, 6, 3, 7);
      const x0 = v128.shuffle<f32>(lowAB, lowCD, 0, 1, 4, 5);
      const x1 = v128.shuffle<f32>(lowAB, lowCD, 2, 3, 6, 7);
      const x2 = v128.shuffle<f32>(highAB, highCD, 0, 1, 4, 5);
      const x3 = v128.shuffle<f32>(highAB, highCD, 2, 3, 6, 7);
      v128.store(target, x0);
      v128.store(target + BLOCK_COLUMN_BYTES, x1);
      v128.store(target + 2 * BLOCK_COLUMN_BYTES, x2);
      v128.store(target + 3 * BLOCK_COLUMN_BYTES, x3);
      squares = f32x4.add(squares, f32x4.add(f32x4.mul(x0, x0), f32x4.mul(x1, x1)));
      squares = f32x4.add(squares, f32x4.add(f32x4.mul(x2, x2), f32x4.mul(x3, x3)));
      target += 4 * BLOCK_COLUMN_BYTES;
      b += 16;
      c += 16;
      d += 16;
    }
    v128.store(norms + (<usize>i << 2), squares);
  }
}

// @ts-ignore: decorator
@inline
function rowAt(rows: usize, bytes: usize, indices: usize, i: i32, count: i32): usize {
  const held = min(i, count - 1);
  return rows + <usize>(indices != 0 ? load<i32>(indices + (<usize>held << 2)) : held) * bytes;
}
